/**
 * Stores new columns that come as a file of values in the order of a table, as code of a person's own gives them, beside
 * the parts that hold the other columns, and the digests of the new rows.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { Column, TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { Store } from '../store/store.ts';
import { alignValues } from './align-values.ts';
import {
  digestIfUsedSql,
  isUsedSql,
  storeColumns,
  storeDigests,
  storedColumns,
  useRows,
  writeSidecar,
} from './column-parts.ts';
import type { DigestFile } from './digest-file.ts';
import { gatherDigests } from './gather-digests.ts';
import { replaceColumns } from './layout-columns.ts';
import { withoutRepeats } from './layout-repeats.ts';
import { rowsOfPart } from './layout.ts';
import type { ColumnSource, Layout, LayoutPart, RowsOfPart } from './layout.ts';
import { measureParquet } from './measure-parquet.ts';
import type { FileColumns, PartFile } from './part-file.ts';
import { fileRowsSql } from './row-file.ts';
import { freeName } from './sql-types.ts';
import { openLayoutPart } from './stored-parts.ts';
import type { ChangedTable } from './write-columns.ts';

/** What a table's rows get. Every column of `output` is either kept or a column of `values`. */
export interface AttachedColumns {
  readonly layout: Layout;
  readonly input: TableSchema;
  readonly output: TableSchema;
  /** For each column that stays as it is: its name in the output, and in the input. */
  readonly kept: ReadonlyMap<string, string>;
  /**
   * A typed file with a row for each row of the table, in its order; columns in the types that `output` gives them. Null
   * where all columns are kept.
   */
  readonly values: PartFile | null;
  /** Digests of the new rows, where they are known: 32 bytes a row, in the order of the table. */
  readonly digests?: Uint8Array | undefined;
}

/**
 * Stores the columns; the layout is not stored yet. Null where a stored row stands in the table so often that its new
 * values cannot lie beside it: then the table is better written whole.
 * @throws TypeError when a column of the output comes from nowhere; RangeError for values of another number of rows;
 * HoldoutError as the engine and the store do
 */
export async function attachColumns(
  store: Store,
  engine: Engine,
  attached: AttachedColumns,
): Promise<ChangedTable | null> {
  const { values, kept, output } = attached;
  if (values !== null && values.rows !== attached.layout.rows) {
    throw new RangeError(`"values" expected ${attached.layout.rows} rows, got ${values.rows}`);
  }
  refuseUnknownColumns(attached);
  const layout = withoutRepeats(attached.layout);
  if (layout === null) return null;
  const columns = (values?.schema.columns ?? []).filter(
    ({ name }) => !kept.has(name) && output.columns.some((column) => column.name === name),
  );
  const added: (ColumnSource | null)[] = [];
  const sidecars: DigestFile[] = [];
  let newBytes = 0;
  try {
    for (const used of rowsOfPart(layout)) {
      const aligned =
        values === null || columns.length === 0
          ? null
          : await alignValues(store, engine, { ...values, schema: { ...values.schema, columns } }, used);
      if (attached.digests === undefined) {
        const path = await digestPart(store, engine, attached, used, aligned, columns);
        sidecars.push({ path, rows: used.part.rows });
      }
      if (aligned === null) {
        added.push(null);
        continue;
      }
      const file = { path: aligned, rows: used.part.rows, columns: storedColumns(columns) };
      const stored = await storeColumns(store, engine, file);
      newBytes += stored.newBytes;
      added.push({ id: stored.id, columns: columns.map(({ name }, index) => [name, `c${index}`]) });
    }
    const digests = attached.digests ?? (await gatherDigests(layout, sidecars));
    const stored = await storeDigests(store, digests);
    newBytes += stored.newBytes;
    return { layout: replaceColumns(layout, { kept, added, digests: stored.map }), digests, newBytes };
  } finally {
    await Promise.all(sidecars.map(({ path }) => rm(path, { force: true })));
  }
}

function refuseUnknownColumns({ input, output, kept, values }: AttachedColumns): void {
  const inputs = new Set(input.columns.map(({ name }) => name));
  const given = new Map(values?.schema.columns.map(({ name, type }) => [name, JSON.stringify(type)]));
  for (const { name, type } of output.columns) {
    const before = kept.get(name);
    const known = before === undefined ? given.get(name) === JSON.stringify(type) : inputs.has(before);
    if (!known) throw new TypeError(`the column ${JSON.stringify(name)} is neither kept nor given in its type`);
  }
}

/** Digests of the part's rows with their new columns; zero where the table does not use a row. */
async function digestPart(
  store: Store,
  engine: Engine,
  { input, output, kept }: AttachedColumns,
  { part, rows }: RowsOfPart<LayoutPart>,
  aligned: string | null,
  columns: readonly Column[],
): Promise<string> {
  const file = await openLayoutPart(store, part);
  const before = file.kind === 'stacked' ? file.sources : [{ file, columns: sameNames(input) }];
  const names = new Map(columns.map(({ name }, index) => [name, freeName(input, `holdout_value_${index}`)]));
  const beside = async (path: string): Promise<FileColumns> => ({
    file: {
      kind: 'typed',
      path,
      rows: part.rows,
      logicalBytes: (await measureParquet(engine, path)).bytes,
      schema: { type: 'holdout/schema@1', columns: storedColumns(columns) },
    },
    columns: columns.map(({ name }, index) => [names.get(name)!, `c${index}`] as const),
  });
  const wide: TableSchema = {
    type: 'holdout/schema@1',
    columns: [...input.columns, ...columns.map(({ name, type }) => ({ name: names.get(name)!, type }))],
  };
  const rowName = freeName(wide, 'holdout_row');
  const stack = {
    kind: 'stacked' as const,
    rows: part.rows,
    logicalBytes: 0,
    sources: aligned === null ? before : [...before, await beside(aligned)],
  };
  const reference = (column: string): string => quoteIdentifier(kept.get(column) ?? names.get(column) ?? column);
  const digest = digestIfUsedSql(isUsedSql(quoteIdentifier(rowName)), rowDigestSql(output, reference));
  await useRows(engine, rows, part.rows);
  return writeSidecar(store, engine, `SELECT ${digest} AS h FROM (${fileRowsSql(engine, stack, wide, rowName)})`);
}

function sameNames({ columns }: TableSchema): readonly (readonly [string, string])[] {
  return columns.map(({ name }) => [name, name]);
}
