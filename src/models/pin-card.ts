/**
 * A pin's entry in the model's card: what it says, whether it can be written, whether it still says so.
 * @module
 */
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { PinRecord } from '../../schemas/pin.ts';
import { readIfThere } from '../store/read-if-there.ts';
import { type CardEdit, editCard, readCardEntry } from './model-card.ts';
import { cardFileName } from './model-files.ts';
import { versionName } from './pin-report.ts';
import { valueDifferences } from './value-difference.ts';

/** What is to become of a card. `absent`: there is none. */
export type CardPlan = { readonly kind: 'absent' | 'unchanged' } | CardEdit;

/**
 * Looks whether the card can take a pin's entry; writes nothing.
 * @throws HoldoutError INPUT_INVALID for a card whose other entries would change
 */
export async function planCard(modelDir: string, pin: PinRecord, id: Sha256Id): Promise<CardPlan> {
  const before = await readIfThere(join(modelDir, cardFileName));
  if (before === null) return { kind: 'absent' };
  const edit = editCard(before, cardEntry(pin, id));
  return edit.kind === 'edited' && edit.bytes.equals(before) ? { kind: 'unchanged' } : edit;
}

/**
 * What a card's entry says other than the pin, in words; null for a card without an entry. An entry that names another
 * pin was copied from elsewhere, or the pin was replaced without it.
 */
export async function cardDifferences(modelDir: string, pin: PinRecord, id: Sha256Id): Promise<string | null> {
  const card = await readIfThere(join(modelDir, cardFileName));
  const entry = card === null ? null : readCardEntry(card);
  if (typeof entry !== 'object' || entry === null) return null;
  if ('pin' in entry && entry.pin !== id) return `its holdout: entry names ${String(entry.pin)}, the pin is ${id}`;
  const wanted = (parse(cardEntry(pin, id).join('\n')) as { holdout: unknown }).holdout;
  const found = valueDifferences(entry, wanted, 'pinned');
  return found.length === 0 ? '' : `in its holdout: entry ${found.join('; ')}`;
}

/** The card's entry, as YAML lines. Strings are written as JSON, which YAML reads alike. */
function cardEntry(pin: PinRecord, id: Sha256Id): string[] {
  const lines = ['holdout:', `  says: ${quoted(pin.says)}`, `  pin: ${quoted(id)}`];
  if (pin.report !== null) lines.push(`  report: ${quoted(pin.report.id)}`, `  verdict: ${pin.report.verdict}`);
  if (pin.train.length > 0) lines.push('  train:');
  for (const each of pin.train)
    lines.push(`    - name: ${quoted(versionName(each))}`, `      table: ${quoted(each.table)}`);
  if (pin.eval.length > 0) lines.push('  eval:');
  for (const each of pin.eval) {
    lines.push(`    - name: ${quoted(versionName(each))}`, `      table: ${quoted(each.table)}`);
    lines.push(`      items: ${quoted(each.itemsRoot)}`);
    const scores = pin.scores.filter((score) => score.eval === each.name && score.itemsRoot === each.itemsRoot);
    if (scores.length > 0) lines.push('      scores:');
    for (const score of scores) lines.push(`        ${quoted(score.metric)}: ${JSON.stringify(score.value)}`);
  }
  return lines;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
