/**
 * Runs a SELECT that makes each row of one row of the input, and leaves them in order, over a stretch of the input after
 * the other. The engine works on 2048 rows at a time, and puts a query's rows in order as a whole: of long rows that is
 * more than it can hold.
 * @module
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import type { StepQuery } from '../engine/step-query.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { groupRowsOf } from '../tables/part-file.ts';
import { copyRelation, relationSchema, writeParquet } from '../tables/read/typed-body.ts';
import type { TableReader } from '../tables/table-reader.ts';
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
  const positions: number[] = [];
  const pieces: string[] = [];
  const from = `(SELECT ${columns.map((column) => quoteIdentifier(column.name)).join(', ')} FROM (${plan.sql}))`;
  let schema: TableSchema | null = null;
  const groupRows = groupRowsOf(input.rowBytes);
  try {
    for await (const { firstRow, sql } of input.blocks()) {
      await defineView(
        engine,
        name,
        `SELECT *, (row_number() OVER () + ${firstRow - 1})::BIGINT AS ${row} FROM (${sql})`,
      );
      await engine.scan(`SELECT ${row} FROM (${plan.sql})`, (chunk) => {
        for (let at = 0; at < chunk.rows; at++) positions.push(Number(chunk.value(0, at)));
      });
      if (plan.wholeRows) continue;
      schema ??= await relationSchema(engine, from, 'the query');
      const target = join(scratch, `sql-${pieces.length}.parquet`);
      pieces.push(target);
      await copyRelation(engine, { from, seen: schema, schema, target, file: 'the query', groupRows });
    }
    if (schema === null) return { positions: Uint32Array.from(positions), path: null, schema };
    const path = join(scratch, 'sql.parquet');
    const all = pieces.map((piece) => engine.fileSql(piece)).join(', ');
    await writeParquet(engine, `SELECT * FROM read_parquet([${all}], hive_partitioning = false)`, path, groupRows);
    return { positions: Uint32Array.from(positions), path, schema };
  } finally {
    await Promise.all(pieces.map((piece) => rm(piece, { force: true })));
  }
}
