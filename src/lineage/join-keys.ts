/**
 * Matches rows of two tables by key columns, as identity sees their values: 1 is 1.0, "1" is another value. A key with
 * a null in it matches nothing.
 * @module
 */
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { firstOfEqual } from './digest-groups.ts';
import { type RowSourceTable, columnNamed, visitValues } from './row-values.ts';
import { noRow } from './step-output.ts';

/** Two columns that must be equal. */
export interface KeyPair {
  readonly left: string;
  readonly right: string;
}

/** What goes with what. */
export interface MatchedRows {
  /** For each row on the left the first row on the right with its key, else `noRow`. */
  readonly matches: Uint32Array;
  /** The first row on the right whose key stands before it on the right already; null where keys are distinct. */
  readonly duplicate: number | null;
}

/**
 * Matches the rows of two tables.
 * @throws HoldoutError `USAGE` for a column that is not there
 */
export async function matchRows(
  left: RowSourceTable,
  right: RowSourceTable,
  on: readonly KeyPair[],
): Promise<MatchedRows> {
  // Names count in a digest, so both sides go by those on the left.
  const rightKeys = await keysOf(
    right,
    on.map((pair) => [pair.left, pair.right]),
  );
  const leftKeys = await keysOf(
    left,
    on.map((pair) => [pair.left, pair.left]),
  );
  const both = new Uint8Array(rightKeys.digests.length + leftKeys.digests.length);
  both.set(rightKeys.digests);
  both.set(leftKeys.digests, rightKeys.digests.length);
  const first = firstOfEqual(both);
  const rows = right.input.rows;
  const duplicate = first.subarray(0, rows).findIndex((of, row) => of !== row && rightKeys.whole[row] === 1);
  const matches = new Uint32Array(left.input.rows);
  for (let row = 0; row < matches.length; row++) {
    const of = first[rows + row]!;
    matches[row] = of < rows && leftKeys.whole[row] === 1 ? of : noRow;
  }
  return { matches, duplicate: duplicate < 0 ? null : duplicate };
}

async function keysOf(
  source: RowSourceTable,
  names: readonly (readonly [name: string, column: string])[],
): Promise<{ readonly digests: Uint8Array; readonly whole: Uint8Array }> {
  const { rows, schema } = source.input;
  const of = new Map(names);
  const columns = names.map(([name, column]) => ({ name, type: columnNamed(schema, column).type }));
  const digest = rowDigestSql({ type: 'holdout/schema@1', columns }, (name) => quoteIdentifier(of.get(name)!));
  const anyNull = names.map(([, column]) => `${quoteIdentifier(column)} IS NULL`).join(' OR ');
  const digests = new Uint8Array(rows * 32);
  const whole = new Uint8Array(rows);
  const reads = names.map(([, column]) => column);
  await visitValues(source, { reads, expressions: [digest, anyNull] }, (position, chunk, row) => {
    digests.set(chunk.bytes(1, row)!, position * 32);
    whole[position] = chunk.value(2, row) === true ? 0 : 1;
  });
  return { digests, whole };
}
