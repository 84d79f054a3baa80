/**
 * Tables whose stored lines are the only copy of a raw file's bytes.
 * @module
 */
import { blobRecord, realisationRecord } from '../../schemas/records.ts';
import { tableKey } from '../store/journal-state.ts';
import type { TableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';

/** Their keys. @throws HoldoutError as the store does */
export async function rawTables(store: Store): Promise<ReadonlySet<TableKey>> {
  const keys = new Set<TableKey>();
  for (const entry of (await store.journal()).entries) {
    if (entry.op !== 'version') continue;
    const { blobs } = await store.getRecord(entry.realisation, realisationRecord);
    for (const id of blobs) {
      const { content } = await store.getRecord(id, blobRecord);
      if (content.kind === 'lines') keys.add(tableKey(content));
    }
  }
  return keys;
}
