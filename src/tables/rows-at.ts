/**
 * A few rows of a table, by their positions.
 * @module
 */
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { jsonRowSql, jsonValueSql } from './json-text-sql.ts';
import { freeName } from './sql-types.ts';
import type { TableReader } from './table-reader.ts';

/** A row and its canonical JSON. */
export interface RowText {
  readonly row: number;
  readonly text: string;
}

/** These rows as canonical JSON, in the order of the table. */
export async function fetchRows(engine: Engine, reader: TableReader, rows: readonly number[]): Promise<RowText[]> {
  const fetched: RowText[] = [];
  await withRows(reader, rows, async (sql, position) => {
    const found = await engine.rows<{ at: bigint; text: string }>(
      `SELECT ${quoteIdentifier(position)} AS at, ${jsonRowSql(reader.schema)} AS text FROM (${sql}) ORDER BY 1`,
    );
    for (const { at, text } of found) fetched.push({ row: Number(at), text });
  });
  return fetched;
}

/** Every column of these rows as JSON text; rows are told apart by their positions. */
export async function fetchFields(
  engine: Engine,
  reader: TableReader,
  rows: readonly number[],
): Promise<ReadonlyMap<number, ReadonlyMap<string, string>>> {
  const { columns } = reader.schema;
  const fetched = new Map<number, Map<string, string>>();
  const texts = columns.map(({ name, type }, index) => `${jsonValueSql(type, quoteIdentifier(name))} AS c${index}`);
  await withRows(reader, rows, async (sql, position) => {
    await engine.scan(`SELECT ${[quoteIdentifier(position), ...texts].join(', ')} FROM (${sql})`, (chunk) => {
      for (let i = 0; i < chunk.rows; i++) {
        const values = new Map(columns.map(({ name }, index) => [name, chunk.value(index + 1, i) as string]));
        fetched.set(Number(chunk.value(0, i)), values);
      }
    });
  });
  return fetched;
}

/** Runs a query over the rows at these positions; `position` is the column that holds them. */
export async function withRows(
  reader: TableReader,
  rows: readonly number[],
  run: (sql: string, position: string) => Promise<void>,
): Promise<void> {
  if (rows.length === 0) return;
  const position = freeName(reader.schema, 'holdout_position');
  const picked = await reader.picked(
    [...new Set(rows)].sort((a, b) => a - b),
    position,
  );
  try {
    await run(picked.sql, position);
  } finally {
    await picked.close();
  }
}
