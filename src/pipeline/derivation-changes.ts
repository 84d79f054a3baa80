/**
 * What of a step is not as it was, in words: for whoever is told that a derivation is another.
 * @module
 */
import type { DerivationRecord } from '../../schemas/records.ts';
import { jsonChanges } from '../lineage/reproduce-compare.ts';

const valueCharactersMax = 120;

/** Each change as `where: length(output) > 10 → length(output) > 20`; at least one for records that differ. */
export function derivationChanges(was: DerivationRecord, is: DerivationRecord): readonly string[] {
  const changes = [
    ...jsonChanges('step', named(was), named(is)),
    ...jsonChanges('params', was.params, is.params),
    ...jsonChanges('seed', was.seed, is.seed),
    ...jsonChanges('code', was.code, is.code),
  ].map(({ what, was: before, is: after }) => {
    const name = what.replace(/^params\.(?=.)/, '').replace(/^code\.files\./, 'code of ');
    return `${name}: ${shortened(before)} → ${shortened(after)}`;
  });
  return [...changes, ...inputChanges(was.inputs, is.inputs)];
}

function named({ transform }: DerivationRecord): string {
  return `${transform.name}@${transform.version}`;
}

function inputChanges(was: DerivationRecord['inputs'], is: DerivationRecord['inputs']): string[] {
  if (was.length !== is.length) return [`inputs: ${was.length} → ${is.length}`];
  return is.flatMap((input, index) => {
    const before = was[index];
    if (JSON.stringify(before) === JSON.stringify(input)) return [];
    const name = index === 0 ? 'input' : `dataset ${index} that it names`;
    if (before?.kind !== 'table' || input.kind !== 'table') return [`${name}: another one`];
    return [`${name}: ${before.table === input.table ? 'other types of columns' : 'other rows'}`];
  });
}

/** Ids are told apart by their first digits. */
function shortened(text: string): string {
  const short = text.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]{52}$/, '$1');
  const characters = Array.from(short);
  return characters.length <= valueCharactersMax ? short : `${characters.slice(0, valueCharactersMax).join('')}…`;
}
