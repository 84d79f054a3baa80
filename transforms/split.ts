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
        .describe(
          'Every share by its name, with the part of the rows that it gets, from 0 to 1; together they must be 1.',
        ),
      which: z
        .string()
        .describe('The name of the share whose rows stay; the other shares are made by steps of their own.'),
      by: columns
        .optional()
        .describe('Columns that make a group. Without it each row is decided by itself, and equal rows go together.'),
      seed,
    })
    .superRefine(({ shares, which }, context) => {
      const sum = sumOf(shares);
      if (Math.abs(sum - 1) > sumTolerance) {
        const message = `together they must be 1, and are ${Number(sum.toPrecision(12))}`;
        context.addIssue({ code: 'custom', path: ['shares'], message });
      }
      if (Object.hasOwn(shares, which)) return;
      const message = `"${which}" is none of the shares, which are ${listed(Object.keys(shares).toSorted()) || 'none'}`;
      context.addIssue({ code: 'custom', path: ['which'], message });
    })
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
