/**
 * `holdout/head`: the first rows.
 * @module
 */
import { z } from 'zod';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { rowCount } from './parameters.ts';
import { counted } from './why-gone.ts';

/** Keeps the first n rows. */
export const head: Transform = defineTransform({
  name: 'holdout/head',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps the first rows.',
  example: 'head: {n: 1000}',
  params: z.strictObject({ n: rowCount.describe('How many rows; all where the table has fewer.') }),
  describe: ({ n }) => `keep the first ${n} rows`,
  run({ input }, { n }) {
    const kept = Math.min(n, input.rows);
    const keep = Uint32Array.from({ length: kept }, (_, row) => row);
    return Promise.resolve({ kind: 'rows', keep, counts: { later: input.rows - kept } });
  },
  whyGone: (_, { n }, { rows }) => Promise.resolve(rows.map(() => `only the first ${counted(n)} rows stay`)),
});
