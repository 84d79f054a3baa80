/**
 * The tables of a person's SELECT, in an engine of its own.
 * @module
 */
import type { NumberedTable } from '../engine/carry-parts.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { TableReader } from '../tables/table-reader.ts';

/** A table under the name that the query calls it by. */
export interface QueryTable {
  readonly name: string;
  readonly reader: TableReader;
}

/** Names a relation. */
export async function defineView(engine: Engine, name: string, sql: string): Promise<void> {
  await engine.run(`CREATE OR REPLACE TEMP VIEW ${quoteIdentifier(name)} AS ${sql}`);
}

/**
 * A table in its own order, so that one thread always meets its rows in that order, however they are stored; whether
 * that took a copy. `rowsMax` takes only so many.
 */
export async function defineTable(
  engine: Engine,
  { name, reader }: QueryTable,
  rowsMax: number | null,
): Promise<boolean> {
  const ordered = reader.orderedSql({ alone: true });
  await engine.run(`DROP VIEW IF EXISTS ${quoteIdentifier(name)}`);
  if (ordered === null || rowsMax !== null) {
    await copyInOrder(engine, { name, reader }, rowsMax ?? reader.rows);
    return true;
  }
  await defineView(engine, name, ordered);
  return false;
}

/** Copies the first rows of a table, a block at a time: nothing wide is sorted. */
async function copyInOrder(engine: Engine, { name, reader }: QueryTable, rowsMax: number): Promise<void> {
  const columns = reader.schema.columns.map((column) => quoteIdentifier(column.name)).join(', ') || 'NULL AS nothing';
  const table = quoteIdentifier(name);
  await engine.run(`CREATE TEMP TABLE ${table} AS SELECT ${columns} FROM (${reader.relationSql()}) LIMIT 0`);
  let left = Math.min(rowsMax, reader.rows);
  if (left === 0) return;
  for await (const { sql, rows } of reader.blocks(rowsMax < reader.rows ? { rowsMax } : {})) {
    const limit = rows > left ? ` LIMIT ${left}` : '';
    await engine.run(`INSERT INTO ${table} SELECT ${columns} FROM (${sql})${limit}`);
    left -= rows;
    if (left <= 0) return;
  }
}

/** A table with the numbers of its rows, in no order. */
export async function defineNumbered(
  engine: Engine,
  { name, reader }: QueryTable,
  hidden: string,
  rowsMax: number | null,
): Promise<void> {
  const limit = rowsMax === null ? '' : ` WHERE ${quoteIdentifier(hidden)} < ${rowsMax}`;
  await defineView(engine, name, `SELECT * FROM (${reader.relationSql({ position: hidden })})${limit}`);
}

/** Beside a table that `defineTable` made: with its rows numbered from `first` on. */
export async function defineNumberedBeside(
  engine: Engine,
  { name, reader }: QueryTable,
  { view, column }: NumberedTable,
  { first, isCopy }: { readonly first: number; readonly isCopy: boolean },
): Promise<void> {
  const number = quoteIdentifier(column);
  const hidesCount = reader.schema.columns.some((own) => own.name.toLowerCase() === 'rowid');
  // Rows of a copy count in the order in which they were put in, unless a column of the table has the name of that count.
  const sql =
    isCopy && !hidesCount
      ? `SELECT *, (rowid + ${first})::UINTEGER AS ${number} FROM ${quoteIdentifier(name)}`
      : `SELECT * REPLACE ((${number} + ${first})::UINTEGER AS ${number}) FROM (${reader.relationSql({ position: column })})`;
  await defineView(engine, view, sql);
}
