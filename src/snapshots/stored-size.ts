/**
 * What a table takes on disk.
 * @module
 */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { Sha256Id } from '../../schemas/ids.ts';
import { columnsRecord, digestsRecord, partRecord } from '../../schemas/records.ts';
import type { Store } from '../store/store.ts';
import { recordsOfLayout } from '../tables/layout.ts';
import { readLayout } from '../tables/stored-parts.ts';

const filesRecord = z.discriminatedUnion('type', [partRecord, columnsRecord, digestsRecord]);

/** Bytes of a layout and of all files that it draws from. */
export async function layoutBytes(store: Store, layout: Sha256Id): Promise<number> {
  let bytes = (await stat(store.filePath('layout', layout))).size;
  for (const id of recordsOfLayout(await readLayout(store, layout))) {
    const record = await store.getRecord(id, filesRecord);
    if ('parquet' in record) bytes += record.parquet.bytes;
    if ('digests' in record) bytes += record.digests.bytes;
  }
  return bytes;
}
