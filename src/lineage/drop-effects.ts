/**
 * What a drop does to versions that were dropped before: their rows may no longer come back by reading.
 * @module
 */
import type { TableRef } from '../../schemas/records.ts';
import { type VersionEntry, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { codeBefore } from './rebuild.ts';
import { tableHolders } from './table-holders.ts';
import type { Transform } from './transform.ts';

/** A dropped version that can be read again only when code of the person's own was run. */
export interface Unreadable {
  readonly entry: VersionEntry;
  /** The version on the way to it, or itself, whose step runs that code. */
  readonly maker: VersionEntry;
}

/**
 * Versions that were dropped before, that reading rebuilds as long as these tables are kept, and no longer once they are
 * dropped, as code of the person's own makes them.
 * @throws HoldoutError as the store does
 */
export async function unreadableWithout(
  store: Store,
  transforms: readonly Transform[],
  tables: readonly TableRef[],
): Promise<readonly Unreadable[]> {
  const state = await store.journal();
  const after = new Set([...state.dropped, ...tables.map(tableKey)]);
  const found: Unreadable[] = [];
  for (const [key, holders] of state.dropped.size === 0 ? [] : await tableHolders(store, state)) {
    if (!state.dropped.has(key)) continue;
    for (const { entry, ref } of holders.filter(({ own }) => own)) {
      const makerOf = await codeBefore(store, transforms, ref, entry);
      const maker = makerOf(state.dropped) === null ? makerOf(after) : null;
      if (maker !== null) found.push({ entry, maker });
    }
  }
  return found.toSorted((a, b) => a.entry.seq - b.entry.seq);
}
