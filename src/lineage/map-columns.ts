/**
 * New columns by SQL expressions over each row. Only the new columns are written, in the table's order; where its rows
 * lie scattered the engine sorts them, in bounded memory.
 * @module
 */
import { join } from 'node:path';
import type { Column } from '../../schemas/table-schema.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { groupRowsOf } from '../tables/part-file.ts';
import { writeParquet } from '../tables/read/typed-body.ts';
import { freeName, sqlType } from '../tables/sql-types.ts';
import {
  type RowExpression,
  collectCodes,
  firstFailure,
  fitsSql,
  mustFit,
  triedSql,
  whyRowsFail,
} from './row-failures.ts';
import { setBit } from './row-values.ts';
import type { ColumnFile, DroppedRows, Keep } from './step-output.ts';
import type { StepContext } from './transform.ts';

/** A column that an expression makes. */
export interface ExpressionColumn extends Column, RowExpression {}

/** What becomes of a row that an expression fails on: the step fails, the row goes, or the value is null. */
export type OnError = 'fail' | 'drop' | 'keep';

/** New columns. */
export interface ExpressionValues {
  readonly values: ColumnFile | null;
  /** Rows that stay; null where all do. */
  readonly keep: Keep | null;
  /** How many rows an expression failed on. */
  readonly failed: number;
  /** Present where rows went. */
  readonly dropped?: DroppedRows;
}

/** Reason of `dropped`, and the name of its count. */
export const failedReason = 'failed';

/**
 * New columns by expressions over each row.
 * @throws RowFailure under `fail`, for the first row that an expression fails on
 * @throws HoldoutError as the engine does
 */
export async function mapByExpressions(
  { input, engine, scratch }: Pick<StepContext, 'input' | 'engine' | 'scratch'>,
  columns: readonly ExpressionColumn[],
  onError: OnError = 'fail',
): Promise<ExpressionValues> {
  if (columns.length === 0) return { values: null, keep: null, failed: 0 };
  return mapTyped({ input, engine, scratch }, columns.map(typed), onError);
}

/** What is wrong with rows that were dropped because making a column of them failed. */
export async function whyColumnsFail(
  { input, engine }: Pick<StepContext, 'input' | 'engine'>,
  columns: readonly ExpressionColumn[],
  rows: readonly number[],
): Promise<readonly (string | null)[]> {
  return columns.length === 0 ? rows.map(() => null) : whyRowsFail({ input, engine }, columns.map(typed), rows);
}

/** The cast to the column's type is part of what may fail. */
function typed(column: ExpressionColumn): ExpressionColumn {
  return { ...column, sql: `(${column.sql}\n)::${sqlType(column.type)}` };
}

async function mapTyped(
  { input, engine, scratch }: Pick<StepContext, 'input' | 'engine' | 'scratch'>,
  columns: readonly ExpressionColumn[],
  onError: OnError,
): Promise<ExpressionValues> {
  const source = { input, engine };
  const path = join(scratch, 'columns.parquet');
  const values: ColumnFile = { kind: 'parquet', path };
  const groupRows = groupRowsOf(input.rowBytes);
  if (onError === 'fail') {
    try {
      await writeParquet(engine, strictSql(source.input, columns), path, groupRows);
    } catch (error) {
      throw await firstFailure(source, columns, error);
    }
    return { values, keep: null, failed: 0 };
  }
  // Each row is tried once: with its values stands which of them failed, and what failed goes out of the file after.
  mustFit(columns);
  const code = freeName({ ...input.schema, columns: [...input.schema.columns, ...columns] }, 'holdout_code');
  await writeParquet(engine, lenientSql(source.input, columns, code), path, groupRows);
  const file = `read_parquet(${engine.fileSql(path)}, hive_partitioning = false)`;
  const numbered = `SELECT row_number() OVER () - 1 AS p, ${quoteIdentifier(code)} AS c FROM ${file}`;
  const failures = `SELECT p, c FROM (${numbered}) WHERE c <> 0`;
  const codes = await collectCodes(source, failures);
  if (codes === null) return { values, keep: null, failed: 0 };
  const failed = codes.reduce((sum, code) => sum + (code === 0 ? 0 : 1), 0);
  if (onError === 'keep') return { values, keep: null, failed };
  const bitmap = new Uint8Array(Math.ceil(input.rows / 8));
  for (const [position, code] of codes.entries()) if (code === 0) setBit(bitmap, position);
  const dropped = { names: [failedReason], of: codes.map((code) => Math.min(code, 1)) };
  const stay = join(scratch, 'columns-that-stay.parquet');
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  await writeParquet(engine, `SELECT ${names} FROM ${file} WHERE ${quoteIdentifier(code)} = 0`, stay, groupRows);
  return { values: { kind: 'parquet', path: stay }, keep: { bitmap }, failed, dropped };
}

type Input = StepContext['input'];

/** The first value that fails ends the query; which one that is hangs on threads, so its message is not used. */
function strictSql(input: Input, columns: readonly ExpressionColumn[]): string {
  const names = columns.map((_, index) => quoteIdentifier(freeName(input.schema, `holdout_value_${index}`)));
  const computed = columns.map(({ sql }, index) => `${sql} AS ${names[index]!}`);
  const checked = columns.map((column, index) => {
    const { name, type, required, valid } = column;
    const value = names[index]!;
    const refuse = `error('not valid')::VARCHAR::${sqlType(type)}`;
    const always = required === undefined && valid === undefined;
    const given = always ? value : `CASE WHEN ${fitsSql(column, value)} THEN ${value} ELSE ${refuse} END`;
    return `${given} AS ${quoteIdentifier(name)}`;
  });
  return inOrder(
    input,
    columns,
    (from) => `SELECT *, ${computed.join(', ')} FROM (${from})`,
    (place) => [...checked, ...place],
  );
}

function lenientSql(input: Input, columns: readonly ExpressionColumn[], codeName: string): string {
  const { values, code } = triedSql(input, '', columns);
  const given = columns.map(({ name }, index) => `${values[index]!} AS ${quoteIdentifier(name)}`);
  return inOrder(
    input,
    columns,
    (from) => triedSql(input, from, columns).sql,
    (place) => [...given, `${code} AS ${quoteIdentifier(codeName)}`, ...place],
  );
}

/** The selected columns in the table's order. */
function inOrder(
  input: Input,
  columns: readonly ExpressionColumn[],
  computed: (from: string) => string,
  selected: (place: readonly string[]) => readonly string[],
): string {
  const reads = columns.flatMap((column) => column.reads);
  const ordered = input.orderedSql({ columns: reads });
  if (ordered !== null) return `SELECT ${selected([]).join(', ')} FROM (${computed(ordered)})`;
  const place = freeName({ ...input.schema, columns: [...input.schema.columns, ...columns] }, 'holdout_position');
  const quoted = quoteIdentifier(place);
  const rows = `SELECT ${selected([quoted]).join(', ')} FROM (${computed(input.relationSql({ position: place, columns: reads }))})`;
  // Sorted are the new columns alone.
  return `SELECT * EXCLUDE (${quoted}) FROM (${rows}) ORDER BY ${quoted}`;
}
