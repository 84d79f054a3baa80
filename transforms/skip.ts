/**
 * `holdout/skip`: all but the first rows.
 * @module
 */
import { z } from 'zod';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { rowCount } from './parameters.ts';
import { counted } from './why-gone.ts';

/** Leaves the first n rows out. */
export const skip: Transform = defineTransform({
  name: 'holdout/skip',
  version: 1,
  kind: 'selecting',
  summary: 'Leaves the first rows out.',
  example: 'skip: {n: 1000}',
  params: z.strictObject({ n: rowCount.describe('How many rows go.') }),
  describe: ({ n }) => `leave the first ${n} rows out`,
  run({ input }, { n }) {
    const skipped = Math.min(n, input.rows);
    const keep = Uint32Array.from({ length: input.rows - skipped }, (_, row) => skipped + row);
    return Promise.resolve({ kind: 'rows', keep, counts: { skipped } });
  },
  whyGone: (_, { n }, { rows }) => Promise.resolve(rows.map(() => `the first ${counted(n)} rows go`)),
});
