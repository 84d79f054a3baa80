/**
 * Rows that stand in both sets as they are: a join of row digests.
 * @module
 */
import type { Engine } from '../engine/engine.ts';

/** A row of an eval set that a training set has, too. */
export interface EqualRows {
  readonly evalIndex: number;
  readonly item: number;
  readonly row: number;
}

const rowEqualSql = `-- holdout_eval_digests (digest BLOB, eval INTEGER, item INTEGER): digest of each item's row
-- holdout_train_digests (digest BLOB, train_row BIGINT): digests of training rows, those whose first bytes occur above
SELECT e.eval, e.item, t.train_row
FROM holdout_eval_digests AS e JOIN holdout_train_digests AS t USING (digest)
ORDER BY t.train_row, e.eval, e.item`;

const digestBytes = 32;

/** Joins the digests of the eval sets with those of a training set. */
export async function findEqualRows(
  engine: Engine,
  evals: readonly Uint8Array[],
  train: Uint8Array,
  explain?: (sql: string) => void,
): Promise<EqualRows[]> {
  explain?.(rowEqualSql);
  const prefixes = new Set<number>();
  for (const digests of evals) for (const prefix of prefixesOf(digests)) prefixes.add(prefix);
  // Only rows whose first six bytes occur on the other side can join; the rest need not enter the engine.
  const rows: number[] = [];
  for (const [row, prefix] of prefixesOf(train).entries()) if (prefixes.has(prefix)) rows.push(row);
  if (rows.length === 0) return [];
  await engine.registerTable('holdout_train_digests', [
    { name: 'digest', type: 'BLOB', values: rows.map((row) => digestAt(train, row)) },
    { name: 'train_row', type: 'BIGINT', values: BigInt64Array.from(rows, BigInt) },
  ]);
  await engine.registerTable('holdout_eval_digests', [
    {
      name: 'digest',
      type: 'BLOB',
      values: evals.flatMap((digests) => rowsOf(digests).map((row) => digestAt(digests, row))),
    },
    { name: 'eval', type: 'INTEGER', values: evals.flatMap((digests, index) => rowsOf(digests).map(() => index)) },
    { name: 'item', type: 'INTEGER', values: evals.flatMap(rowsOf) },
  ]);
  const equal: EqualRows[] = [];
  await engine.scan(rowEqualSql, (chunk) => {
    for (let i = 0; i < chunk.rows; i++) {
      equal.push({
        evalIndex: Number(chunk.value(0, i)),
        item: Number(chunk.value(1, i)),
        row: Number(chunk.value(2, i)),
      });
    }
  });
  return equal;
}

/** The digest of a row. */
export function digestAt(digests: Uint8Array, row: number): Uint8Array {
  return digests.subarray(row * digestBytes, (row + 1) * digestBytes);
}

function rowsOf(digests: Uint8Array): number[] {
  return [...Array(digests.length / digestBytes).keys()];
}

function prefixesOf(digests: Uint8Array): Float64Array {
  const view = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength);
  const prefixes = new Float64Array(digests.length / digestBytes);
  for (let row = 0; row < prefixes.length; row++) prefixes[row] = view.readUIntBE(row * digestBytes, 6);
  return prefixes;
}
