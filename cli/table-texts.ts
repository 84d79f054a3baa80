/**
 * A table in the journal's words: the versions that hold it, and how its rows come back after a drop.
 * @module
 */
import type { TableRef } from '../schemas/records.ts';
import { codeBefore } from '../src/lineage/rebuild.ts';
import { type TableHolder, tableHolders } from '../src/lineage/table-holders.ts';
import { tableKey } from '../src/store/journal-state.ts';
import type { Store } from '../src/store/store.ts';
import { builtInTransforms } from '../transforms/index.ts';
import { entryName } from './snapshots.ts';

const namesShown = 4;

/** What is said of tables, as the store stands now. */
export interface TableTexts {
  /** ` of clean@1, w@1`, to stand behind the id; `` where no version is known to hold the table. */
  readonly names: (ref: TableRef) => string;
  /** What becomes of a table that was dropped. */
  readonly wayBack: (ref: TableRef) => Promise<string>;
}

/** Looks at all versions of a store once. @throws HoldoutError as the store does */
export async function tableTexts(store: Store): Promise<TableTexts> {
  const state = await store.journal();
  const holders = await tableHolders(store, state);
  const told = new Map<string, string>();
  const wayBack = async (ref: TableRef): Promise<string> => {
    if (!state.dropped.has(tableKey(ref))) return 'its rows are back';
    const [coded, plain]: [string[], string[]] = [[], []];
    for (const { entry } of holders.get(tableKey(ref)) ?? []) {
      const makerOf = await codeBefore(store, builtInTransforms, ref, entry);
      const maker = makerOf(state.dropped);
      (maker === null ? plain : coded).push(entryName(entry));
    }
    if (coded[0] === undefined) return 'it is rebuilt when it is read';
    // Equal rows can come in several ways: one of them may take no code.
    if (plain[0] !== undefined) return `it is rebuilt when ${plain[0]} is read`;
    return `it takes code of your own: \`holdout reproduce ${coded[0]} --run-code --restore\` puts it back`;
  };
  return {
    names: (ref) => namesText(holders.get(tableKey(ref)) ?? []),
    wayBack: async (ref) => {
      const text = told.get(tableKey(ref)) ?? (await wayBack(ref));
      told.set(tableKey(ref), text);
      return text;
    },
  };
}

function namesText(holders: readonly TableHolder[]): string {
  const own = holders.filter((holder) => holder.own);
  const names = [...new Set((own.length > 0 ? own : holders).map(({ entry }) => entryName(entry)))];
  if (names.length === 0) return '';
  const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : '';
  return `${own.length > 0 ? ' of ' : ', on the way to '}${names.slice(0, namesShown).join(', ')}${more}`;
}
