/**
 * Which versions hold a table: equal rows are stored once, under whatever names.
 * @module
 */
import { type TableRef, snapshotRecord } from '../../schemas/records.ts';
import { type JournalState, type TableKey, type VersionEntry, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';

/** A version that holds a table, or was made by way of it. */
export interface TableHolder {
  readonly entry: VersionEntry;
  readonly ref: TableRef;
  /** Whether it is the version's own table, and not that of a step on the way to it. */
  readonly own: boolean;
}

/** Who holds each table of the store, oldest first. @throws HoldoutError as the store does */
export async function tableHolders(
  store: Store,
  { entries }: Pick<JournalState, 'entries'>,
): Promise<ReadonlyMap<TableKey, readonly TableHolder[]>> {
  const holders = new Map<TableKey, TableHolder[]>();
  for (const entry of entries) {
    if (entry.op !== 'version') continue;
    const { table, schema } = await store.getRecord(entry.snapshot, snapshotRecord);
    const passed = (entry.through ?? []).map((ref) => ({ entry, ref, own: false }));
    for (const holder of [...passed, { entry, ref: { table, schema }, own: true }]) {
      const key = tableKey(holder.ref);
      const known = holders.get(key);
      if (known === undefined) holders.set(key, [holder]);
      else known.push(holder);
    }
  }
  return holders;
}

/** Versions other than `entry` whose own rows are one of these tables: they are dropped with it. */
export async function sameRowsAs(
  store: Store,
  entry: VersionEntry,
  tables: readonly TableRef[],
): Promise<readonly VersionEntry[]> {
  const holders = await tableHolders(store, await store.journal());
  const others = tables
    .flatMap((ref) => holders.get(tableKey(ref)) ?? [])
    .filter((holder) => holder.own && holder.entry.seq !== entry.seq);
  return others.map((holder) => holder.entry).toSorted((a, b) => a.seq - b.seq);
}
