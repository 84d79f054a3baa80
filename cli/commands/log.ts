/**
 * `holdout log`: what happened in the store, newest first.
 * @module
 */
import { type LeakReport, leakReport } from '../../schemas/leak-report.ts';
import { type JournalEntry, derivationRecord, snapshotRecord } from '../../schemas/records.ts';
import type { VersionEntry } from '../../src/store/journal-state.ts';
import type { Store } from '../../src/store/store.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { earlierOrigin } from '../earlier-origin.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { parseCount } from '../parse-options.ts';
import { entryName } from '../snapshots.ts';
import { type TableTexts, tableTexts } from '../table-texts.ts';
import { plural, shortId } from '../text.ts';

/** Lists journal entries: all, or the versions of one name. */
export const log: Action = async ({ context, operands, options }) => {
  const limit = parseCount('--limit', options.text('limit'));
  const store = await context.openStore();
  const [name] = operands;
  const { entries } = await store.journal();
  const wanted = name === undefined ? entries : await versionsOf(store, name);
  const shown = wanted.toReversed().slice(0, limit);
  if (context.json) await writeJson({ entries: shown });
  else {
    const tables = shown.some(({ op }) => op === 'layout' || op === 'drop') ? await tableTexts(store) : null;
    for (const entry of shown) await writeLines([`${timeText(entry)}  ${await entryText(store, entry, tables)}`]);
  }
  return exitStatus.ok;
};

async function versionsOf(store: Store, text: string): Promise<readonly JournalEntry[]> {
  const { name } = await versionEntry(store, text);
  return (await store.journal()).names.get(name) ?? [];
}

function timeText({ time }: JournalEntry): string {
  return time.slice(0, 19).replace('T', ' ');
}

async function entryText(store: Store, entry: JournalEntry, tables: TableTexts | null): Promise<string> {
  switch (entry.op) {
    case 'init':
      return `init     by Holdout ${entry.holdout}`;
    case 'version': {
      const { table, rows } = await store.getRecord(entry.snapshot, snapshotRecord);
      const from = entry.sources.map(({ path }) => path).join(' ');
      const by = from === '' ? `by ${(await stepNames(store, entry)).join(', ')}` : `from ${from}`;
      const before = (await store.journal()).names.get(entry.name)?.[entry.version - 2];
      const same = before?.snapshot === entry.snapshot ? await sameRowsText(store, before, entry) : '';
      return `version  ${entryName(entry)}  ${shortId(table)}  ${plural(rows, 'row')}  ${by}${same}`;
    }
    case 'layout':
      return `layout   of table ${shortId(entry.table)}${tables?.names(entry) ?? ''}`;
    case 'drop':
      return `drop     table ${shortId(entry.table)}${tables?.names(entry) ?? ''}; ${(await tables?.wayBack(entry)) ?? ''}`;
    case 'report':
      return `report   ${shortId(entry.report)}  ${reportText(await store.getRecord(entry.report, leakReport))}`;
    default:
      return `pin      ${shortId(entry.pin)}`;
  }
}

/** Whose rows they are, and how those came. */
async function sameRowsText(store: Store, before: VersionEntry, entry: VersionEntry): Promise<string> {
  const { how, otherSteps } = await earlierOrigin(store, before, entry);
  const rows = `, the rows of ${entryName(before)}`;
  return otherSteps ? `${rows} by another recipe` : `${rows}, ${how}`;
}

/** Names of the steps that the version was made by. */
async function stepNames(store: Store, { through = [], derivation }: VersionEntry): Promise<string[]> {
  const names: string[] = [];
  for (const id of [...through.map((step) => step.derivation), derivation]) {
    names.push((await store.getRecord(id, derivationRecord)).transform.name);
  }
  return names;
}

function reportText({ verdict, trains, evals }: LeakReport): string {
  return `${verdict}: ${namesOf(trains)} against ${namesOf(evals)}`;
}

function namesOf(sets: readonly { readonly name: string }[]): string {
  return sets.map(({ name }) => name).join(' ');
}
