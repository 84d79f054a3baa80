/**
 * One file of rows as the engine reads it: a stored part, or a file just read. Its rows are numbered from 0.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier, quoteString } from '../identity/sql-text.ts';
import { canonicalValueSql, columnsByName, lineStructureSql, sqlType } from './sql-types.ts';

/** A Parquet file of rows. */
export interface RowFile {
  /** `lines`: one column `line` of JSON text. `typed`: columns of `schema`, in their types. */
  readonly kind: 'lines' | 'typed';
  readonly path: string;
  readonly rows: number;
  /** Uncompressed bytes of the rows: what a reader has to expect in memory. */
  readonly logicalBytes: number;
  /** Types of a typed file's columns. */
  readonly schema: TableSchema;
}

/**
 * A query for the file's rows: column `rowName` (BIGINT, the row's number in the file), then the canonical values
 * under `schema`, in its order. A condition on `rowName` around it reaches the reader.
 */
export function fileRowsSql(engine: Engine, file: RowFile, schema: TableSchema, rowName: string): string {
  const row = quoteIdentifier(rowName);
  if (file.kind === 'lines') return lineValuesSql(fileLinesSql(engine, file, rowName), schema, row);
  const stored = columnsByName(file.schema);
  const values = schema.columns.map(({ name, type }) => {
    const found = stored.get(name);
    const value =
      found === undefined || found.type === 'NULL'
        ? `NULL::${sqlType(type)}`
        : canonicalValueSql(type, quoteIdentifier(name), 'typed');
    return `${value} AS ${quoteIdentifier(name)}`;
  });
  return `SELECT ${[`${numberSql(file)} AS ${row}`, ...values].join(', ')} FROM ${parquetSql(engine, file)}`;
}

/** A query for the lines of a lines file as they stand: columns `rowName` and `line`. */
export function fileLinesSql(engine: Engine, file: RowFile, rowName: string): string {
  return `SELECT file_row_number AS ${quoteIdentifier(rowName)}, line FROM ${parquetSql(engine, file)}`;
}

/** The canonical values of JSON lines: from a query with columns `row` (quoted already) and `line`. */
export function lineValuesSql(linesSql: string, schema: TableSchema, row: string): string {
  if (schema.columns.length === 0) return `SELECT ${row} FROM (${linesSql})`;
  const values = schema.columns.map(({ name, type }) => {
    const value = canonicalValueSql(type, `struct_extract(${parsedName}, ${quoteString(name)})`, 'line');
    return `${value} AS ${quoteIdentifier(name)}`;
  });
  const parsed = `SELECT ${row}, from_json(line, ${lineStructureSql(schema)}) AS ${parsedName} FROM (${linesSql})`;
  return `SELECT ${[row, ...values].join(', ')} FROM (${parsed})`;
}

const parsedName = 'holdout_parsed';

function parquetSql(engine: Engine, file: RowFile): string {
  const option = hasRowNumberColumn(file) ? '' : ', file_row_number = true';
  return `read_parquet(${engine.fileSql(file.path)}, hive_partitioning = false${option})`;
}

/** The reader's own column gives way to a data column of that name; counting rows is slower and always right. */
function numberSql(file: RowFile): string {
  return hasRowNumberColumn(file) ? '(row_number() OVER () - 1)' : 'file_row_number';
}

function hasRowNumberColumn(file: RowFile): boolean {
  return file.kind === 'typed' && file.schema.columns.some(({ name }) => name.toLowerCase() === 'file_row_number');
}

/** First rows of the file's row groups, and the number of all rows at the end. */
export async function rowGroupStarts(engine: Engine, file: RowFile): Promise<readonly number[]> {
  const groups = await engine.rows<{ rows: bigint }>(
    `SELECT any_value(row_group_num_rows)::BIGINT AS "rows" FROM parquet_metadata(${engine.fileSql(file.path)})
     GROUP BY row_group_id ORDER BY row_group_id`,
  );
  const starts = [0];
  for (const { rows } of groups) starts.push(starts.at(-1)! + Number(rows));
  return starts;
}
