/**
 * Runs a SELECT that gives the rows of a person's and the numbers of the rows that each was made of, and finds by their
 * digests which of its rows are which. Where it gives any other row than the person's did, nobody knows.
 * @module
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import type { TracedQuery } from '../engine/traced-query.ts';
import { HoldoutError } from '../errors.ts';
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { columnsByName, sqlType } from '../tables/sql-types.ts';
import { GrowingNumbers } from './growing-numbers.ts';
import { matchedPositions } from './row-origins.ts';
import { type RowGroups, reorderGroups } from './row-groups.ts';
import { noRow } from './step-output.ts';

const tracedTable = 'holdout_traced';
/** Rows that all rows together may be made of: 1 GiB of numbers. */
const addressesMax = 2 ** 28;

/** What the person's SELECT gave, and where this one is run. */
export interface TracedRun {
  readonly engine: Engine;
  /** Its columns with types as DuckDB writes them, in order. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The types under which its rows are stored. */
  readonly schema: TableSchema;
  readonly rows: number;
  readonly scratch: string;
}

/** Rows in an order of their own, and of which rows each was made. */
export interface TracedRows {
  readonly digests: Uint8Array;
  readonly madeOf: RowGroups;
}

/**
 * Runs it, the views that it wants being there. In the words of an opaque step why not, where it gives other rows or does
 * not run.
 * @throws HoldoutError `INTERRUPTED`, `IO`
 */
export async function runTraced(run: TracedRun, query: TracedQuery): Promise<TracedRows | string> {
  try {
    return await traced(run, query);
  } catch (cause) {
    if (!(cause instanceof HoldoutError)) throw cause;
    if (['USAGE', 'INPUT_INVALID'].includes(cause.code))
      return 'its query does not run with row numbers beside its columns';
    if (cause.code === 'LIMIT') return 'to follow its rows takes more memory, or room on the disk, than there is';
    throw cause;
  }
}

/**
 * Of which rows each row with these digests was made: of one or none each, or of many.
 * @returns words for why not, where they are other rows than those traced
 */
export function originsByDigest({ digests, madeOf }: TracedRows, wanted: Uint8Array): Uint32Array | RowGroups | string {
  const order = digests.length === wanted.length ? matchedPositions(digests, wanted) : null;
  if (order === null) return otherRows;
  const groups = reorderGroups(madeOf, order);
  const startOf = (row: number): number => (row === 0 ? 0 : groups.ends[row - 1]!);
  if (groups.ends.some((end, row) => end - startOf(row) > 1)) return groups;
  return groups.ends.map((end, row) => (end > startOf(row) ? groups.addresses[startOf(row)]! : noRow));
}

const otherRows = 'its query gives other rows when it is run again with row numbers beside its columns';

async function traced(
  { engine, columns, schema, rows, scratch }: TracedRun,
  query: TracedQuery,
): Promise<TracedRows | string> {
  const hidden = new Set(query.columns.map(({ name }) => name));
  const seen = (await engine.describe(query.sql)).filter(({ name }) => !hidden.has(name));
  if (JSON.stringify(seen) !== JSON.stringify(columns)) return otherRows;
  const types = columnsByName(schema);
  const digest = rowDigestSql(schema, (name) => `${quoteIdentifier(name)}::${sqlType(types.get(name)!.type)}`);
  const names = [...hidden].map(quoteIdentifier);
  // The order tells equal rows apart, always alike.
  const order = names.length === 0 ? '' : ` ORDER BY ${names.join(', ')}`;
  await engine.run(
    `CREATE TEMP TABLE ${tracedTable} AS SELECT * FROM (SELECT ${[`${digest} AS digest`, ...names].join(', ')} FROM (${query.sql}))${order}`,
  );
  const given = Number(await engine.value<bigint>(`SELECT count(*) FROM ${tracedTable}`));
  if (given !== rows) return otherRows;
  const madeOf = await groupsOf(engine, query, rows);
  if (typeof madeOf === 'string') return madeOf;
  const path = join(scratch, 'traced.digests');
  await engine.run(
    `COPY (SELECT digest FROM ${tracedTable} ORDER BY rowid) TO ${engine.outputSql(path)} (FORMAT blob)`,
  );
  const digests = await readFile(path);
  await rm(path);
  return { digests, madeOf };
}

async function groupsOf(engine: Engine, { columns }: TracedQuery, rows: number): Promise<RowGroups | string> {
  const ends = new Uint32Array(rows);
  const addresses = new GrowingNumbers();
  if (columns.length > 0) {
    const parts = columns.map(({ name, isList }) => {
      const number = isList ? `unnest(${quoteIdentifier(name)})` : quoteIdentifier(name);
      return `SELECT rowid::UINTEGER AS made, ${number} AS address FROM ${tracedTable}`;
    });
    const pairs = `FROM (${parts.join(' UNION ALL ')}) WHERE address IS NOT NULL`;
    const count = Number(await engine.value<bigint>(`SELECT count(*) ${pairs}`));
    if (count > addressesMax) {
      return `its rows are made of more than ${addressesMax.toLocaleString('en-US')} rows, counted for each`;
    }
    let last = -1;
    let lastAddress = -1;
    await engine.stream(`SELECT made, address ${pairs} ORDER BY made, address`, count, (chunk) => {
      for (let at = 0; at < chunk.rows; at++) {
        const [row, address] = [chunk.value(0, at) as number, chunk.value(1, at) as number];
        // A row that stands on both sides of a join is one.
        if (row === last && address === lastAddress) continue;
        addresses.push(address);
        ends[row]!++;
        [last, lastAddress] = [row, address];
      }
    });
  }
  let end = 0;
  for (let row = 0; row < rows; row++) ends[row] = end += ends[row]!;
  return { ends, addresses: addresses.finish() };
}
