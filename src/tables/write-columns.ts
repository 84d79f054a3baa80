/**
 * Stores what a mapping changes: the new columns of each part of a table's layout, in the order of that part and beside
 * it, and the digests of the new rows. One pass over each part computes both; nothing wide is sorted, joined or held, and
 * rows that the table does not use are neither computed nor kept.
 * @module
 */
import { rm, writeFile } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { Column, TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { Store } from '../store/store.ts';
import type { DigestFile } from './digest-file.ts';
import { gatherDigests } from './gather-digests.ts';
import { replaceColumns } from './layout-columns.ts';
import { rowsOfPart, wholeParts } from './layout.ts';
import type { ColumnSource, Layout, RowMap, WholePart } from './layout.ts';
import { writeParquet } from './read/typed-body.ts';
import { fileRowsSql } from './row-file.ts';
import type { RowFile } from './row-file.ts';
import { freeName, sqlType } from './sql-types.ts';
import { openLayoutPart } from './stored-parts.ts';

/** A column to be computed: an expression over the input's columns, of which only the row's own values count. */
export interface ComputedColumn {
  readonly name: string;
  readonly sql: string;
}

/** What a mapping makes of a table. Every column of `output` is either kept or computed. */
export interface ColumnChange {
  readonly layout: Layout;
  readonly input: TableSchema;
  readonly output: TableSchema;
  /** For each column that stays as it is: its name in the output, and in the input. */
  readonly kept: ReadonlyMap<string, string>;
  readonly computed: readonly ComputedColumn[];
}

/** The mapped table. */
export interface ChangedTable {
  readonly layout: Layout;
  /** 32 bytes a row, in the order of the table. */
  readonly digests: Uint8Array;
  /** Bytes of the files that were written. */
  readonly newBytes: number;
}

/** Rows of one file of digests: 128 MiB. */
const digestRowsMax = 1 << 22;

/**
 * Computes the new columns and stores them; the layout is not stored yet. Expressions must give one value for one row:
 * a row that stands in the table twice is computed once.
 * @throws TypeError when a column of the output comes from nowhere; HoldoutError as the engine does, for example for a
 * cast that fails, and as the store does
 */
export async function computeColumns(store: Store, engine: Engine, change: ColumnChange): Promise<ChangedTable> {
  refuseUnknownColumns(change);
  const { layout } = change;
  const added: (ColumnSource | null)[] = [];
  const sidecars: DigestFile[] = [];
  let newBytes = 0;
  try {
    for (const { part, rows } of rowsOfPart(layout)) {
      const file = await openLayoutPart(store, part);
      const computed = await computePart(store, engine, change, file, rows);
      sidecars.push(computed.sidecar);
      added.push(computed.source);
      newBytes += computed.newBytes;
    }
    const digests = await gatherDigests(layout, sidecars);
    const stored = await storeDigests(store, digests);
    newBytes += stored.newBytes;
    return { layout: replaceColumns(layout, { kept: change.kept, added, digests: stored.map }), digests, newBytes };
  } finally {
    await Promise.all(sidecars.map(({ path }) => rm(path, { force: true })));
  }
}

function refuseUnknownColumns({ input, output, kept, computed }: ColumnChange): void {
  const inputs = new Set(input.columns.map(({ name }) => name));
  const made = new Set(computed.map(({ name }) => name));
  for (const { name } of output.columns) {
    const before = kept.get(name);
    const known = before === undefined ? made.has(name) : inputs.has(before) && !made.has(name);
    if (!known) throw new TypeError(`the column ${JSON.stringify(name)} is neither kept nor computed, or both`);
  }
}

interface ComputedPart {
  readonly source: ColumnSource | null;
  /** Digests of all rows of the part; those of rows that the table does not use are zero. */
  readonly sidecar: DigestFile;
  readonly newBytes: number;
}

async function computePart(
  store: Store,
  engine: Engine,
  change: ColumnChange,
  file: RowFile,
  used: Uint32Array,
): Promise<ComputedPart> {
  const between = await store.tempPath('.parquet');
  const sidecar = await store.tempPath('.digests');
  try {
    await useRows(engine, used, file.rows);
    await engine.run(
      `COPY (${computedSql(engine, change, file)}) TO ${engine.outputSql(between)}
       (FORMAT parquet, PARQUET_VERSION v1, COMPRESSION snappy, ROW_GROUP_SIZE 8192)`,
    );
    const computed = `read_parquet(${engine.fileSql(between)}, hive_partitioning = false)`;
    await engine.run(`COPY (SELECT h FROM ${computed}) TO ${engine.outputSql(sidecar)} (FORMAT blob)`);
    const { source, newBytes } = await storeColumns(store, engine, change, computed, file.rows);
    return { source, sidecar: { path: sidecar, rows: file.rows }, newBytes };
  } finally {
    await rm(between, { force: true });
  }
}

const usedVariable = 'holdout_used_rows';

/** Tells the engine which rows count: a bit for each row of the file. */
async function useRows(engine: Engine, used: Uint32Array, rows: number): Promise<void> {
  const bits = Buffer.alloc(rows, '0');
  for (const row of used) bits[row] = 49;
  await engine.run(`SET VARIABLE ${usedVariable} = '${bits.toString('latin1')}'::BIT`);
}

/** The new columns as `c0`, `c1` …, and the digest `h`, of every row of the file, in its order. */
function computedSql(engine: Engine, { input, output, kept, computed }: ColumnChange, file: RowFile): string {
  const rowName = freeName(input, 'holdout_row');
  const name = (wish: string): string => quoteIdentifier(freeName(input, wish));
  const isUsed = name('holdout_used');
  const types = new Map(output.columns.map((column) => [column.name, column.type]));
  const reference = new Map<string, string>();
  const columns = [
    `get_bit(getvariable('${usedVariable}'), ${quoteIdentifier(rowName)}::INTEGER) = 1 AS ${isUsed}`,
    ...[...kept].map(([column, before], index) => {
      reference.set(column, name(`holdout_kept_${index}`));
      return `${quoteIdentifier(before)} AS ${reference.get(column)}`;
    }),
    ...computed.map(({ name: column, sql }, index) => {
      reference.set(column, name(`holdout_new_${index}`));
      return `CASE WHEN ${isUsed} THEN ((${sql}\n))::${sqlType(types.get(column) ?? 'NULL')} END AS ${reference.get(column)}`;
    }),
  ];
  const rows = `SELECT ${columns.join(', ')} FROM (${fileRowsSql(engine, file, input, rowName)})`;
  const digest = rowDigestSql(output, (column) => reference.get(column) ?? 'NULL');
  const given = computed.map((column, index) => `${reference.get(column.name)} AS c${index}`);
  const hash = `CASE WHEN ${isUsed} THEN ${digest} ELSE '${'\\x00'.repeat(32)}'::BLOB END AS h`;
  return `SELECT ${[...given, hash].join(', ')} FROM (${rows})`;
}

async function storeColumns(
  store: Store,
  engine: Engine,
  { output, computed }: ColumnChange,
  computedTable: string,
  rows: number,
): Promise<{ source: ColumnSource | null; newBytes: number }> {
  if (computed.length === 0) return { source: null, newBytes: 0 };
  const path = await store.tempPath('.parquet');
  await writeParquet(engine, `SELECT * EXCLUDE (h) FROM ${computedTable}`, path);
  const [found] = await engine.rows<{ rows: bigint; bytes: bigint }>(
    `SELECT (SELECT any_value(num_rows) FROM parquet_file_metadata(${engine.fileSql(path)}))::BIGINT AS "rows",
            (SELECT coalesce(sum(total_uncompressed_size), 0) FROM parquet_metadata(${engine.fileSql(path)}))::BIGINT AS bytes`,
  );
  if (Number(found?.rows) !== rows) throw new Error('computed columns have another number of rows than their part');
  const types = new Map(output.columns.map(({ name, type }) => [name, type]));
  // Names of our own: those of the table may change, and some would hide what the reader adds.
  const columns = computed.map(({ name }, index): Column => ({ name: `c${index}`, type: types.get(name) ?? 'NULL' }));
  const schema = await store.putRecord({ type: 'holdout/schema@1', columns });
  const parquet = await store.putFile('part', path);
  const id = await store.putRecord({
    type: 'holdout/columns@1',
    rows,
    logicalBytes: Number(found?.bytes ?? 0),
    parquet: { sha256: parquet.id, bytes: parquet.bytes },
    schema,
  });
  return { source: { id, columns: computed.map(({ name }, index) => [name, `c${index}`]) }, newBytes: parquet.bytes };
}

/** Stores digests of a table's rows, in order, by themselves. */
async function storeDigests(store: Store, digests: Uint8Array): Promise<{ map: RowMap<WholePart>; newBytes: number }> {
  const parts: WholePart[] = [];
  let newBytes = 0;
  for (let first = 0; first < digests.length; first += digestRowsMax * 32) {
    const bytes = digests.subarray(first, first + digestRowsMax * 32);
    const path = await store.tempPath('.digests');
    await writeFile(path, bytes, { flag: 'wx' });
    const file = await store.putFile('digests', path);
    const rows = bytes.length / 32;
    const id: Sha256Id = await store.putRecord({
      type: 'holdout/digests@1',
      rows,
      digests: { sha256: file.id, bytes: file.bytes },
    });
    parts.push({ id, rows });
    newBytes += file.bytes;
  }
  return { map: wholeParts(parts), newBytes };
}
