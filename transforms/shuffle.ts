/**
 * `holdout/shuffle`: all rows in an order drawn by seed.
 * @module
 */
import { z } from 'zod';
import { orderByNumbers, seededRowNumbers } from '../src/lineage/seeded-hash.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { seed } from './parameters.ts';

/** Orders rows by chance; the order hangs on the rows and the seed, not on how they stood. */
export const shuffle: Transform = defineTransform({
  name: 'holdout/shuffle',
  version: 1,
  kind: 'selecting',
  summary: 'Puts the rows in an order drawn by a seed.',
  example: 'shuffle: {seed: 7}',
  seeded: true,
  params: z.strictObject({ seed }),
  describe: ({ seed: drawn }) => `shuffle (seed ${drawn})`,
  async run({ input, seed: drawn }) {
    const digests = await input.digests();
    const keep = orderByNumbers(seededRowNumbers({ purpose: 'shuffle', seed: drawn }, digests), digests);
    return { kind: 'rows', keep, counts: {} };
  },
});
