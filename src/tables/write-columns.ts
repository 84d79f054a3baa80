/**
 * Stores what a mapping changes: the new columns of each part of a table's layout, in the order of that part and beside
 * it, and the digests of the new rows. One pass over each part computes both; nothing wide is sorted, joined or held, and
 * rows that the table does not use are neither computed nor kept.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { Store } from '../store/store.ts';
import {
  digestIfUsedSql,
  isUsedSql,
  sidecarOf,
  storeColumns,
  storeDigests,
  storedColumns,
  useRows,
} from './column-parts.ts';
import type { DigestFile } from './digest-file.ts';
import { gatherDigests } from './gather-digests.ts';
import { replaceColumns } from './layout-columns.ts';
import { rowsOfPart } from './layout.ts';
import type { ColumnSource, Layout } from './layout.ts';
import { writeParquet } from './read/typed-body.ts';
import { copyInGroups } from './copy-parquet.ts';
import { groupRowsOf } from './part-file.ts';
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

const betweenFormat = 'FORMAT parquet, PARQUET_VERSION v1, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1';

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
  try {
    await useRows(engine, used, file.rows);
    const groupRows = groupRowsOf(file.logicalBytes / file.rows);
    await copyInGroups(engine, computedSql(engine, change, file), between, betweenFormat, groupRows);
    const sidecar = { path: await sidecarOf(store, engine, between), rows: file.rows };
    if (change.computed.length === 0) return { source: null, sidecar, newBytes: 0 };
    const types = new Map(change.output.columns.map(({ name, type }) => [name, type]));
    const columns = storedColumns(change.computed.map(({ name }) => ({ name, type: types.get(name) ?? 'NULL' })));
    const path = await store.tempPath('.parquet');
    const computed = `read_parquet(${engine.fileSql(between)}, hive_partitioning = false)`;
    await writeParquet(engine, `SELECT * EXCLUDE (h) FROM ${computed}`, path, groupRows);
    const { id, newBytes } = await storeColumns(store, engine, { path, rows: file.rows, columns });
    const source = { id, columns: change.computed.map(({ name }, index): [string, string] => [name, `c${index}`]) };
    return { source, sidecar, newBytes };
  } finally {
    await rm(between, { force: true });
  }
}

/** The new columns as `c0`, `c1` …, and the digest `h`, of every row of the file, in its order. */
function computedSql(engine: Engine, { input, output, kept, computed }: ColumnChange, file: RowFile): string {
  const rowName = freeName(input, 'holdout_row');
  const name = (wish: string): string => quoteIdentifier(freeName(input, wish));
  const isUsed = name('holdout_used');
  const types = new Map(output.columns.map((column) => [column.name, column.type]));
  const reference = new Map<string, string>();
  const columns = [
    `${isUsedSql(quoteIdentifier(rowName))} AS ${isUsed}`,
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
  return `SELECT ${[...given, `${digestIfUsedSql(isUsed, digest)} AS h`].join(', ')} FROM (${rows})`;
}
