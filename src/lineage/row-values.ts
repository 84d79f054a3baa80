/**
 * Small values of every row of a step's input, computed by the engine and told with their positions: never rows
 * themselves, and in no order, so that nothing wide is sorted or kept and no answer hangs on the engine's order.
 * @module
 */
import type { Column, TableSchema } from '../../schemas/table-schema.ts';
import type { Engine, ResultChunk } from '../engine/engine.ts';
import { unknownColumn } from '../engine/scalar-expression.ts';
import { HoldoutError } from '../errors.ts';
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { freeName, sqlType } from '../tables/sql-types.ts';
import type { TableReader } from '../tables/table-reader.ts';

/** What the values are taken from. */
export interface RowSourceTable {
  readonly input: Pick<TableReader, 'schema' | 'rows' | 'relationSql'>;
  readonly engine: Engine;
}

/** SQL expressions over columns of a table, and the names of those columns: no others are read. */
export interface ReadExpressions {
  readonly reads: readonly string[];
  readonly expressions: readonly string[];
}

/**
 * Visits the values of SQL expressions over the columns, of all rows in no order; expression i is column i + 1 of the
 * chunk.
 * @throws HoldoutError as the engine does, for example for a cast that fails.
 */
export async function visitValues(
  { input, engine }: RowSourceTable,
  { reads, expressions }: ReadExpressions,
  visit: (position: number, chunk: ResultChunk, row: number) => void,
): Promise<void> {
  const position = freeName(input.schema, 'holdout_position');
  const values = expressions.map((sql, index) => `(${sql}\n) AS v${index}`);
  const inner = [`${quoteIdentifier(position)}::UINTEGER AS p`, ...values].join(', ');
  const sql = `SELECT ${inner} FROM (${input.relationSql({ position, columns: reads })})`;
  const visited = await engine.stream(sql, input.rows, (chunk) => {
    for (let row = 0; row < chunk.rows; row++) visit(Number(chunk.value(0, row)), chunk, row);
  });
  if (visited !== input.rows) throw new Error(`${visited} rows were read of ${input.rows}`);
}

/**
 * Digests of these columns of every row, in the table's order, 32 bytes each: equal where the values are equal as
 * identity sees them.
 * @throws HoldoutError `USAGE` for a column that is not there, or is named twice.
 */
export async function keyDigests(source: RowSourceTable, names: readonly string[]): Promise<Uint8Array> {
  const columns = names.map((name) => columnNamed(source.input.schema, name));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new HoldoutError('USAGE', `column "${twice}" is named twice`);
  const digests = new Uint8Array(source.input.rows * 32);
  const visit = (position: number, chunk: ResultChunk, row: number): void => {
    const digest = chunk.bytes(1, row);
    if (digest === null) throw new Error(`row ${position} has no digest`);
    digests.set(digest, position * 32);
  };
  const digest = rowDigestSql({ type: 'holdout/schema@1', columns });
  await visitValues(source, { reads: names, expressions: [digest] }, visit);
  return digests;
}

/** The column of this name; `of` is the table, where there are several. @throws HoldoutError `USAGE` with the nearest name. */
export function columnNamed({ columns }: TableSchema, name: string, of?: string): Column {
  const found = columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  throw unknownColumn(
    name,
    columns.map((column) => column.name),
    of,
  );
}

/** The column of this name, if it holds text. @throws HoldoutError `USAGE` otherwise. */
export function textColumn(schema: TableSchema, name: string): Column {
  const column = columnNamed(schema, name);
  if (column.type === 'VARCHAR' || column.type === 'NULL') return column;
  throw new HoldoutError('USAGE', `column "${name}" holds ${sqlType(column.type)}, not text`, {
    hint:
      `text columns: ${columns(schema, 'VARCHAR') || 'none'}` + (column.type === 'JSON' ? `; ${jsonHint(name)}` : ''),
  });
}

/** What to do about a column whose type is JSON where text is wanted: most often one value of many is of another kind. */
export function jsonHint(name: string): string {
  const column = quoteIdentifier(name);
  const text = `(${column} ->> '$')`;
  const [key, value] = /^\w+$/.test(name) ? [name, text] : [JSON.stringify(name), JSON.stringify(text)];
  return (
    `a column is JSON where its values are of several kinds; \`holdout sql\` with GROUP BY json_type(${column}) ` +
    `counts them; mend the file, or make text of all by a step before: derive: {columns: {${key}: ${value}}}`
  );
}

function columns(schema: TableSchema, type: string): string {
  return schema.columns.flatMap((column) => (column.type === type ? [column.name] : [])).join(', ');
}

/** Marks a position in a bitmap. */
export function setBit(bitmap: Uint8Array, position: number): void {
  bitmap[position >>> 3]! |= 1 << (position & 7);
}
