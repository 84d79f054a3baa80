/**
 * Column files and digests of mapped tables, on their way into the store.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { Column } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { writeScratch } from '../store/scratch-file.ts';
import type { Store } from '../store/store.ts';
import { wholeParts } from './layout.ts';
import type { RowMap, WholePart } from './layout.ts';
import { measureParquet } from './measure-parquet.ts';
import { digestColumnFormat } from './part-file.ts';

/** Rows of one file of digests: 128 MiB. */
const digestRowsMax = 1 << 22;

/**
 * Stores a finished Parquet file of these columns as a columns record.
 * @throws Error when it has another number of rows than the part that it lies beside; HoldoutError `IO`
 */
export async function storeColumns(
  store: Store,
  engine: Engine,
  file: { readonly path: string; readonly rows: number; readonly columns: readonly Column[] },
): Promise<{ id: Sha256Id; newBytes: number }> {
  const { path, rows, columns } = file;
  const found = await measureParquet(engine, path);
  if (found.rows !== rows) throw new Error('new columns have another number of rows than their part');
  const schema = await store.putRecord({ type: 'holdout/schema@1', columns });
  const parquet = await store.putFile('part', path);
  const id = await store.putRecord({
    type: 'holdout/columns@1',
    rows,
    logicalBytes: found.bytes,
    parquet: { sha256: parquet.id, bytes: parquet.bytes },
    schema,
  });
  return { id, newBytes: parquet.bytes };
}

/** Stores digests of a table's rows, in order, by themselves. */
export async function storeDigests(
  store: Store,
  digests: Uint8Array,
): Promise<{ map: RowMap<WholePart>; newBytes: number }> {
  const parts: WholePart[] = [];
  let newBytes = 0;
  for (let first = 0; first < digests.length; first += digestRowsMax * 32) {
    const bytes = digests.subarray(first, first + digestRowsMax * 32);
    const path = await store.tempPath('.digests');
    await writeScratch(path, bytes);
    const file = await store.putFile('digests', path);
    const rows = bytes.length / 32;
    const digestFile = { sha256: file.id, bytes: file.bytes };
    const id = await store.putRecord({ type: 'holdout/digests@1', rows, digests: digestFile });
    parts.push({ id, rows });
    newBytes += file.bytes;
  }
  return { map: wholeParts(parts), newBytes };
}

/** Writes the column `h` of a query, a digest for each row, in order, as a file of 32 bytes a row. */
export async function writeSidecar(store: Store, engine: Engine, sql: string): Promise<string> {
  // The writer of raw bytes makes its pipeline single-threaded, so hashing goes into a Parquet file first.
  const between = await store.tempPath('.parquet');
  try {
    await engine.run(`COPY (SELECT h FROM (${sql})) TO ${engine.outputSql(between)} (${digestColumnFormat})`);
    return await sidecarOf(store, engine, between);
  } finally {
    await rm(between, { force: true });
  }
}

/** The column `h` of a Parquet file as a file of 32 bytes a row. */
export async function sidecarOf(store: Store, engine: Engine, parquet: string): Promise<string> {
  const path = await store.tempPath('.digests');
  const rows = `read_parquet(${engine.fileSql(parquet)}, hive_partitioning = false)`;
  await engine.run(`COPY (SELECT h FROM ${rows}) TO ${engine.outputSql(path)} (FORMAT blob)`);
  return path;
}

const usedVariable = 'holdout_used_rows';

/** Tells the engine which rows of a file count, a bit for each. */
export async function useRows(engine: Engine, used: Uint32Array, rows: number): Promise<void> {
  const bits = Buffer.alloc(rows, '0');
  for (const row of used) bits[row] = 49;
  await engine.run(`SET VARIABLE ${usedVariable} = '${bits.toString('latin1')}'::BIT`);
}

/** A BOOLEAN expression: whether the row of this number counts. */
export function isUsedSql(row: string): string {
  return `get_bit(getvariable('${usedVariable}'), ${row}::INTEGER) = 1`;
}

/** A BLOB expression: the digest, or zeros where the row does not count. */
export function digestIfUsedSql(isUsed: string, digest: string): string {
  return `CASE WHEN ${isUsed} THEN ${digest} ELSE '${'\\x00'.repeat(32)}'::BLOB END`;
}

/** Columns under names of our own: those of the table may change, and some would hide what the reader adds. */
export function storedColumns(columns: readonly Column[]): readonly Column[] {
  return columns.map(({ type }, index) => ({ name: `c${index}`, type }));
}
