/**
 * Rows of files as the engine reads them: of a stored part, a file just read, or columns of several files beside each
 * other. They are numbered from 0.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier, quoteString } from '../identity/sql-text.ts';
import { betweenSql, hasRowNumberColumn, parquetSql } from './part-file.ts';
import type { PartFile, RowsBetween, StackedFile } from './part-file.ts';
import { canonicalValueSql, columnsByName, lineStructureSql, sqlType } from './sql-types.ts';
import { stackedRowsSql } from './stacked-rows.ts';
import type { RowOrder } from './stacked-rows.ts';

/** Where rows are read from: a file, or columns of several. */
export type RowFile = PartFile | StackedFile;

/**
 * A query for the file's rows, all or those between two: column `rowName` (BIGINT, the row's number in the file), then
 * the canonical values under `schema`, in its order. Columns that are not asked of it are not read. Rows come in the order
 * of the file, or, where `order` is `'any'`, in stretches of whole row groups side by side.
 */
export function fileRowsSql(
  engine: Engine,
  file: RowFile,
  schema: TableSchema,
  rowName: string,
  between?: RowsBetween,
  order: RowOrder = 'kept',
): string {
  const part = isAll(file, between) ? undefined : between;
  if (file.kind === 'stacked') return stackedRowsSql(engine, file, schema, { rowName, between: part, order });
  const row = quoteIdentifier(rowName);
  if (file.kind === 'lines') return lineValuesSql(fileLinesSql(engine, file, rowName, part), schema, row);
  const sql = typedValuesSql(parquetSql(engine, file), file.schema, schema, `${numberSql(file)} AS ${row}`);
  return part === undefined ? sql : `SELECT * FROM (${sql}) WHERE ${betweenSql(row, part)}`;
}

/** The canonical values of typed rows, of a reader of columns of the `stored` schema; `added` is a column before them. */
export function typedValuesSql(reader: string, stored: TableSchema, schema: TableSchema, added: string): string {
  const types = columnsByName(stored);
  const values = schema.columns.map(({ name, type }) => {
    const found = types.get(name);
    const value =
      found === undefined || found.type === 'NULL'
        ? `NULL::${sqlType(type)}`
        : canonicalValueSql(type, quoteIdentifier(name), 'typed');
    return `${value} AS ${quoteIdentifier(name)}`;
  });
  return `SELECT ${[added, ...values].join(', ')} FROM ${reader}`;
}

/** A query for the lines of a lines file as they stand: columns `rowName` and `line`. */
export function fileLinesSql(engine: Engine, file: PartFile, rowName: string, between?: RowsBetween): string {
  const sql = `SELECT file_row_number AS ${quoteIdentifier(rowName)}, line FROM ${parquetSql(engine, file)}`;
  return between === undefined || isAll(file, between) ? sql : `${sql} WHERE ${betweenSql('file_row_number', between)}`;
}

/** The canonical values of JSON lines: from a query with column `line` and those of `rows` (quoted), which stay. */
export function lineValuesSql(linesSql: string, schema: TableSchema, rows: string): string {
  if (schema.columns.length === 0) return `SELECT ${rows} FROM (${linesSql})`;
  const values = schema.columns.map(({ name, type }) => {
    const value = canonicalValueSql(type, `struct_extract(${parsedName}, ${quoteString(name)})`, 'line');
    return `${value} AS ${quoteIdentifier(name)}`;
  });
  const parsed = `SELECT ${rows}, from_json(line, ${lineStructureSql(schema)}) AS ${parsedName} FROM (${linesSql})`;
  return `SELECT ${[rows, ...values].join(', ')} FROM (${parsed})`;
}

const parsedName = 'holdout_parsed';

/** First rows of the file's row groups, and the number of all rows at the end; of a stack, those of its widest file. */
export async function rowGroupStarts(engine: Engine, file: RowFile): Promise<readonly number[]> {
  const widest = file.kind === 'stacked' ? widestOf(file) : file;
  if (widest === null) return [0, file.rows];
  const groups = await engine.rows<{ rows: bigint }>(
    `SELECT any_value(row_group_num_rows)::BIGINT AS "rows" FROM parquet_metadata(${engine.fileSql(widest.path)})
     GROUP BY row_group_id ORDER BY row_group_id`,
  );
  const starts = [0];
  for (const { rows } of groups) starts.push(starts.at(-1)! + Number(rows));
  return starts;
}

function widestOf({ sources }: StackedFile): PartFile | null {
  const files = sources.map(({ file }) => file);
  return files.toSorted((a, b) => b.logicalBytes - a.logicalBytes)[0] ?? null;
}

function isAll(file: RowFile, between: RowsBetween | undefined): boolean {
  return between === undefined || (between.first <= 0 && between.last >= file.rows - 1);
}

/** The reader's own column gives way to a data column of that name; counting rows is slower and always right. */
function numberSql(file: PartFile): string {
  return hasRowNumberColumn(file) ? '(row_number() OVER () - 1)' : 'file_row_number';
}
