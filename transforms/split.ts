/**
 * `holdout/split`: one share of a table that is cut by seed. Rows of one group, and equal rows, never straddle: a share
 * is decided by the digest of the group's values, or of the row.
 * @module
 */
import { z } from 'zod';
import { keyDigests, setBit } from '../src/lineage/row-values.ts';
import { seededNumbers } from '../src/lineage/seeded-hash.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { columns, listed, seed } from './parameters.ts';
import { valuesOf } from './why-gone.ts';

const sumTolerance = 1e-9;

/** Keeps the rows of one named share, in the table's order. */
export const split: Transform = defineTransform({
  name: 'holdout/split',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps one named share of the rows, such as train or valid; no group straddles two shares.',
  example: 'split: {shares: {train: 0.9, valid: 0.1}, which: train, by: [document], seed: 7}',
  seeded: true,
  params: z
    .strictObject({
      shares: z
        .record(z.string().min(1), z.number().min(0).max(1))
        .describe('Every share by name, with its part of 1; together they are 1. Their order does not matter.'),
      which: z.string().describe('The share that stays.'),
      by: columns
        .optional()
        .describe('Columns that make a group. Without it each row is decided by itself, and equal rows go together.'),
      seed,
    })
    .refine(({ shares }) => Math.abs(sumOf(shares) - 1) <= sumTolerance, {
      path: ['shares'],
      message: 'together they must be 1',
    })
    .refine(({ shares, which }) => Object.hasOwn(shares, which), { path: ['which'], message: 'is none of the shares' })
    .transform(({ shares, which, by, seed: drawn }) => ({
      shares,
      which,
      ...(by === undefined ? {} : { by }),
      seed: drawn,
    })),
  describe: ({ shares, which, by, seed: drawn }) =>
    `keep share ${which} of ${sharesText(shares)}${by === undefined ? '' : `, by ${listed(by)}`} (seed ${drawn})`,
  async run({ input, engine, seed: drawn }, { shares, which, by }) {
    const digests = by === undefined ? await input.digests() : await keyDigests({ input, engine }, by);
    const [from, to] = boundsOf(shares, which);
    const bitmap = new Uint8Array(Math.ceil(input.rows / 8));
    let kept = 0;
    for (const [row, number] of seededNumbers({ purpose: 'split', seed: drawn }, digests).entries()) {
      if (number < from || number >= to) continue;
      setBit(bitmap, row);
      kept += 1;
    }
    return { kind: 'rows', keep: { bitmap }, counts: { otherShares: input.rows - kept } };
  },
  async whyGone(context, { shares, which, by }, { rows }) {
    const { input, engine, seed: drawn } = context;
    const digests = by === undefined ? await input.digests() : await keyDigests({ input, engine }, by);
    const numbers = seededNumbers({ purpose: 'split', seed: drawn }, digests);
    const values = by === undefined ? null : await valuesOf(context, by, rows);
    return rows.map((row, index) => {
      const falls = Object.keys(shares).find((share) => {
        const [from, to] = boundsOf(shares, share);
        return numbers[row]! >= from && numbers[row]! < to;
      });
      const what = values === null ? 'it' : `its group (${values[index]!})`;
      return falls === undefined ? null : `${what} falls to share ${falls} under seed ${drawn}, and ${which} stays`;
    });
  },
});

/** By name: an object's order does not survive canonical JSON. */
function sorted(shares: Readonly<Record<string, number>>): [name: string, share: number][] {
  return Object.entries(shares).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Shares lie end to end between 0 and 1. The last one that is not empty ends at 1 whatever rounding did. */
function boundsOf(shares: Readonly<Record<string, number>>, which: string): [from: number, to: number] {
  const last = sorted(shares).findLast(([, share]) => share > 0)?.[0];
  let from = 0;
  for (const [name, share] of sorted(shares)) {
    if (name === which) return [from, name === last ? 1 : from + share];
    from += share;
  }
  return [0, 0];
}

function sumOf(shares: Readonly<Record<string, number>>): number {
  return Object.values(shares).reduce((sum, share) => sum + share, 0);
}

function sharesText(shares: Readonly<Record<string, number>>): string {
  return sorted(shares)
    .map(([name, share]) => `${name}=${share}`)
    .join(', ');
}
