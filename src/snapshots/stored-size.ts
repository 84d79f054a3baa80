/**
 * What a table takes on disk.
 * @module
 */
import { stat } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import { partRecord } from '../../schemas/records.ts';
import type { Store } from '../store/store.ts';
import { readLayout } from '../tables/stored-parts.ts';

/** Bytes of a layout and of all parts that it draws from. */
export async function layoutBytes(store: Store, layout: Sha256Id): Promise<number> {
  let bytes = (await stat(store.filePath('layout', layout))).size;
  for (const { id } of (await readLayout(store, layout)).parts) {
    const { parquet, digests } = await store.getRecord(id, partRecord);
    bytes += parquet.bytes + digests.bytes;
  }
  return bytes;
}
