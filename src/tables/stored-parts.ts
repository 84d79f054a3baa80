/**
 * Layouts and parts as they lie in a store.
 * @module
 */
import { readFile } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import { partRecord } from '../../schemas/records.ts';
import type { PartRecord } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Store } from '../store/store.ts';
import { decodeLayout } from './layout-file.ts';
import type { Layout } from './layout.ts';
import type { RowFile } from './row-file.ts';

/** A part of the store, ready to be read. */
export interface StoredPart {
  readonly id: Sha256Id;
  readonly record: PartRecord;
  readonly file: RowFile;
}

/**
 * Reads a layout file; a damaged or missing one is refused.
 * @throws HoldoutError `STORE_CORRUPT`, `IO`
 */
export async function readLayout(store: Store, id: Sha256Id): Promise<Layout> {
  await store.ensureIntact('layout', id);
  return decodeLayout(await readFile(store.filePath('layout', id)));
}

/**
 * The part of this id, its Parquet file checked against its digest.
 * @throws HoldoutError `NOT_FOUND`, `STORE_CORRUPT`, `IO`
 */
export async function openPart(store: Store, id: Sha256Id): Promise<StoredPart> {
  const record = await store.getRecord(id, partRecord);
  await store.ensureIntact('part', record.parquet.sha256);
  const schema: TableSchema = await store.getRecord(record.schema, tableSchema);
  const { kind, rows, logicalBytes } = record;
  return {
    id,
    record,
    file: { kind, path: store.filePath('part', record.parquet.sha256), rows, logicalBytes, schema },
  };
}

/** The ids of a layout file's parts, for the store's own walk over what it needs. */
export function partsOfLayout(bytes: Uint8Array): readonly Sha256Id[] {
  return decodeLayout(bytes).parts.map(({ id }) => id);
}
