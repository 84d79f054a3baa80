/**
 * Runs a SELECT that makes each row of one row of the input, and leaves them in order, over a stretch of the input after
 * the other. The engine works on 2048 rows at a time, and puts a query's rows in order as a whole: of long rows that is
 * more than it can hold.
 * @module
 */
import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import type { StepQuery } from '../engine/step-query.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { ParquetPieces } from '../tables/parquet-pieces.ts';
import { groupRowsOf } from '../tables/part-file.ts';
import { copyRelation, parquetSql, relationSchema, writeParquet } from '../tables/read/typed-body.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { GrowingNumbers } from './growing-numbers.ts';
import { defineView } from './query-tables.ts';

/** A query that is planned, and what it is run with. */
export interface StretchedQuery {
  readonly engine: Engine;
  readonly input: TableReader;
  readonly scratch: string;
  readonly plan: Pick<StepQuery, 'sql' | 'wholeRows'>;
  /** The column of `plan.sql` that holds the row of the input. */
  readonly hidden: string;
  /** The other columns, in order. */
  readonly columns: readonly { readonly name: string }[];
}

/** What it gave. */
export interface StretchedRows {
  /** For each row the row of the input that it was made of; they ascend. */
  readonly positions: Uint32Array;
  /** The rows as a Parquet file, and its schema; null where they are rows of the input as they stand. */
  readonly path: string | null;
  readonly schema: TableSchema | null;
}

/**
 * Runs it.
 * @param name what the query calls the input
 * @throws HoldoutError as the engine does
 */
export async function runInStretches(query: StretchedQuery, name: string): Promise<StretchedRows> {
  const { engine, input, scratch, plan, hidden, columns } = query;
  const row = quoteIdentifier(hidden);
  const positions = new GrowingNumbers();
  const pieces = new ParquetPieces();
  const listed = columns.map((column) => quoteIdentifier(column.name)).join(', ');
  const from = `(SELECT ${listed}, ${row} FROM (${plan.sql}))`;
  let schema: TableSchema | null = null;
  const groupRows = groupRowsOf(input.rowBytes);
  try {
    for await (const { firstRow, sql } of input.blocks()) {
      await defineView(
        engine,
        name,
        `SELECT *, (row_number() OVER () + ${firstRow - 1})::BIGINT AS ${row} FROM (${sql})`,
      );
      let made = `(${plan.sql})`;
      if (!plan.wholeRows) {
        schema ??= await relationSchema(engine, from, 'the query');
        const target = pieces.add(join(scratch, `sql-${pieces.count}.parquet`));
        await copyRelation(engine, { from, seen: schema, schema, target, file: 'the query', groupRows });
        made = parquetSql(engine, target);
      }
      await engine.scan(`SELECT ${row} FROM ${made}`, (chunk) => {
        for (let at = 0; at < chunk.rows; at++) positions.push(Number(chunk.value(0, at)));
      });
    }
    if (schema === null) return { positions: positions.finish(), path: null, schema };
    const path = join(scratch, 'sql.parquet');
    await writeParquet(engine, `SELECT ${listed} FROM (${pieces.sql(engine)})`, path, groupRows);
    const own = { ...schema, columns: schema.columns.filter((column) => column.name !== hidden) };
    return { positions: positions.finish(), path, schema: own };
  } finally {
    await pieces.remove();
  }
}
