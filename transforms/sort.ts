/**
 * `holdout/sort`: all rows in the order of some columns. The order is total: equal rows of these columns follow by row
 * digest, then as they stood.
 * @module
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Column } from '../schemas/table-schema.ts';
import { HoldoutError } from '../src/errors.ts';
import { quoteIdentifier } from '../src/identity/sql-text.ts';
import { type RowSourceTable, columnNamed, visitValues } from '../src/lineage/row-values.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { sortedOrder } from '../src/merkle/digest-order.ts';
import { writeParquet } from '../src/tables/read/typed-body.ts';
import { freeName } from '../src/tables/sql-types.ts';

const sortKey = z.strictObject({ column: z.string().min(1), order: z.enum(['asc', 'desc']).default('asc') });

/** Orders rows by columns; nulls come last. */
export const sort: Transform = defineTransform({
  name: 'holdout/sort',
  version: 1,
  kind: 'selecting',
  summary: 'Puts the rows in the order of some columns; nulls come last.',
  example: 'sort: {by: [source, {column: score, order: desc}]}',
  params: z.strictObject({
    by: z
      .array(
        z.union([
          z
            .string()
            .min(1)
            .transform((column) => ({ column, order: 'asc' as const })),
          sortKey,
        ]),
      )
      .min(1)
      .describe(
        'Columns, the first decides first: a name, or {column, order: asc or desc}. Text is in the order of its UTF-8 ' +
          'bytes. Rows that are equal in all of them follow by row digest.',
      ),
  }),
  describe: ({ by }) =>
    `sort by ${by.map(({ column, order }) => `${column}${order === 'desc' ? ' desc' : ''}`).join(', ')}`,
  async run({ input, engine, scratch }, { by }) {
    const keys = by.map(({ column, order }) => [keySql(columnNamed(input.schema, column)), order] as const);
    const columns = by.map(({ column }) => column);
    const path = join(scratch, 'sort-keys.parquet');
    const rankSource =
      input.orderedSql({ alone: true }) === null ? await keyFile({ input, engine }, keys, columns, path) : null;
    // Rank and position only: how the engine orders rows of one rank does not matter.
    const ranks = new Uint32Array(input.rows);
    const order =
      rankSource === null ? keys.map(([sql, direction]) => `${sql} ${direction} NULLS LAST`).join(', ') : keyName;
    await visitValues(
      { input: rankSource ?? input, engine },
      {
        reads: rankSource === null ? columns : [keyName],
        expressions: [`dense_rank() OVER (ORDER BY ${order})::UINTEGER`],
      },
      (p, chunk, row) => {
        ranks[p] = Number(chunk.value(1, row)) - 1;
      },
    );
    await rm(path, { force: true });
    return { kind: 'rows', keep: orderByRank(ranks, await input.digests()), counts: {} };
  },
});

const keyName = 'holdout_key';

/**
 * The keys of a table of many parts as one file, each as bytes in whose order they stand. The engine sorts a union of
 * parts with a run in memory for each part and thread, none of which it can spill: 19 parts do not fit.
 */
async function keyFile(
  { input, engine }: RowSourceTable,
  keys: readonly (readonly [sql: string, order: 'asc' | 'desc'])[],
  columns: readonly string[],
  path: string,
): Promise<RowSourceTable['input']> {
  const position = freeName(input.schema, 'holdout_position');
  const key = keys.map(([sql, order]) => `${sql}, '${order.toUpperCase()} NULLS LAST'`).join(', ');
  const select = `SELECT create_sort_key(${key}) AS ${keyName}, ${quoteIdentifier(position)}::UINTEGER AS p FROM (${input.relationSql({ position, columns })})`;
  await writeParquet(engine, select, path);
  return {
    rows: input.rows,
    schema: { type: 'holdout/schema@1', columns: [{ name: keyName, type: 'BLOB' }] },
    relationSql: ({ position: name = 'p' } = {}) =>
      `SELECT ${keyName}, p::BIGINT AS ${quoteIdentifier(name)} FROM read_parquet(${engine.fileSql(path)}, hive_partitioning = false)`,
  };
}

/** @throws HoldoutError USAGE for values that have no order of their own. */
function keySql({ name, type }: Column): string {
  if ((typeof type === 'string' && type !== 'JSON') || (typeof type === 'object' && 'decimal' in type)) {
    const value = quoteIdentifier(name);
    // −0 and 0 are one value.
    return type === 'FLOAT' || type === 'DOUBLE' ? `CASE WHEN ${value} = 0 THEN 0 ELSE ${value} END` : value;
  }
  throw new HoldoutError('USAGE', `holdout/sort: column "${name}" holds lists, structs or JSON, which have no order`);
}

/** Rows by rank, of one rank by digest, then as they stood: a counting sort of rows that are in the order of their digests. */
function orderByRank(ranks: Uint32Array, digests: Uint8Array): Uint32Array {
  const ends = new Uint32Array(ranks.length + 1);
  for (let row = 0; row < ranks.length; row++) ends[ranks[row]! + 1]! += 1;
  for (let rank = 1; rank < ends.length; rank++) ends[rank]! += ends[rank - 1]!;
  const byDigest = sortedOrder(digests);
  // Dealing moves the start of each rank to its end.
  const order = new Uint32Array(ranks.length);
  for (let place = 0; place < byDigest.length; place++) {
    const row = byDigest[place]!;
    order[ends[ranks[row]!]!++] = row;
  }
  return order;
}
