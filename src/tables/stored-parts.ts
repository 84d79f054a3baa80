/**
 * Layouts and parts as they lie in a store.
 * @module
 */
import { readFile } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import { z } from 'zod';
import { columnsRecord, digestsRecord, partRecord } from '../../schemas/records.ts';
import type { ColumnsRecord, PartRecord } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { DigestFile } from './digest-file.ts';
import { decodeLayout } from './layout-file.ts';
import { isWhole, recordsOfLayout } from './layout.ts';
import type { Layout, LayoutPart, WholePart } from './layout.ts';
import type { PartFile } from './part-file.ts';
import type { RowFile } from './row-file.ts';
import { columnsByName } from './sql-types.ts';

/** A part of the store, ready to be read. */
export interface StoredPart {
  readonly id: Sha256Id;
  readonly record: PartRecord;
  readonly file: PartFile;
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
  return { id, record, file: await fileOf(store, record) };
}

const columnFileRecord = z.discriminatedUnion('type', [partRecord, columnsRecord]);

/**
 * What a layout draws rows from, every Parquet file of it checked against its digest.
 * @throws HoldoutError `NOT_FOUND`, `STORE_CORRUPT` (also for files of another number of rows than the layout says), `IO`
 */
export async function openLayoutPart(store: Store, part: LayoutPart): Promise<RowFile> {
  if (isWhole(part)) return sameRows((await openPart(store, part.id)).file, part, part.id);
  const sources = [];
  for (const { id, columns } of part.sources) {
    const record = await store.getRecord(id, columnFileRecord);
    await store.ensureIntact('part', record.parquet.sha256);
    sources.push({ file: sameRows(await fileOf(store, record), part, id), columns });
  }
  const logicalBytes = sources.reduce((sum, { file }) => sum + file.logicalBytes, 0);
  return { kind: 'stacked', rows: part.rows, logicalBytes, sources };
}

const sidecarRecord = z.discriminatedUnion('type', [partRecord, digestsRecord]);

/**
 * The sidecar of a part's or digests record, checked against its digest.
 * @throws HoldoutError `NOT_FOUND`, `STORE_CORRUPT`, `IO`
 */
export async function openSidecar(store: Store, part: WholePart): Promise<DigestFile> {
  const record = await store.getRecord(part.id, sidecarRecord);
  await store.ensureIntact('digests', record.digests.sha256);
  return sameRows({ path: store.filePath('digests', record.digests.sha256), rows: record.rows }, part, part.id);
}

/**
 * Columns that a typed file of the layout holds in another type than the schema gives them. Lines can be read under any
 * type, so they are not looked at.
 * @throws HoldoutError `NOT_FOUND`, `STORE_CORRUPT`, `IO`
 */
export async function columnsStoredOtherwise(
  store: Store,
  layout: Layout,
  schema: TableSchema,
): Promise<ReadonlySet<string>> {
  const types = new Map(schema.columns.map(({ name, type }) => [name, JSON.stringify(type)]));
  const otherwise = new Set<string>();
  for (const part of layout.parts) {
    const file = await openLayoutPart(store, part);
    const sources = file.kind === 'stacked' ? file.sources : [{ file, columns: sameNames(file.schema) }];
    for (const source of sources.filter((each) => each.file.kind === 'typed')) {
      const stored = columnsByName(source.file.schema);
      for (const [name, before] of source.columns) {
        const type = types.get(name);
        const has = stored.get(before)?.type ?? 'NULL';
        if (type !== undefined && has !== 'NULL' && JSON.stringify(has) !== type) otherwise.add(name);
      }
    }
  }
  return otherwise;
}

function sameNames({ columns }: TableSchema): readonly (readonly [string, string])[] {
  return columns.map(({ name }) => [name, name]);
}

/** The ids of the records that a layout file names, for the store's own walk over what it needs. */
export function partsOfLayout(bytes: Uint8Array): readonly Sha256Id[] {
  return recordsOfLayout(decodeLayout(bytes));
}

async function fileOf(store: Store, record: PartRecord | ColumnsRecord): Promise<PartFile> {
  const { rows, logicalBytes } = record;
  const kind = record.type === 'holdout/part@1' ? record.kind : 'typed';
  const schema: TableSchema = await store.getRecord(record.schema, tableSchema);
  return { kind, path: store.filePath('part', record.parquet.sha256), rows, logicalBytes, schema };
}

/** Rows beside each other must be as many: a shorter file would be filled up with nulls. */
function sameRows<T extends { readonly rows: number }>(file: T, { rows }: { readonly rows: number }, id: Sha256Id): T {
  if (file.rows === rows) return file;
  throw new HoldoutError('STORE_CORRUPT', `${id} holds ${file.rows} rows, where a layout says ${rows}`);
}
