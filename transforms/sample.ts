/**
 * `holdout/sample`: some rows, drawn by seed. Whether a row is drawn hangs on the row and the seed alone (`count`: and
 * on the other rows' numbers), so that rows added to the table do not draw the old ones anew.
 * @module
 */
import { z } from 'zod';
import { setBit } from '../src/lineage/row-values.ts';
import { orderByNumbers, placesOf, seededRowNumbers } from '../src/lineage/seeded-hash.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { rowCount, seed } from './parameters.ts';
import { counted, drawn } from './why-gone.ts';

/** Keeps a fraction or a number of the rows, in the table's order. */
export const sample: Transform = defineTransform({
  name: 'holdout/sample',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps some rows, drawn by a seed; the draw is stable when rows are added.',
  example: 'sample: {fraction: 0.1, seed: 7}',
  seeded: true,
  params: z
    .strictObject({
      fraction: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe(
          'Share of the rows from 0 to 1. Each row is drawn on its own, so that the number is about that share.',
        ),
      count: rowCount.optional().describe('How many rows; all where the table has fewer.'),
      seed: seed.describe(
        'Chooses another draw. A sample of a sample needs another seed: under the same one it draws the same rows.',
      ),
    })
    .refine(({ fraction, count }) => (fraction === undefined) !== (count === undefined), 'give fraction or count')
    .transform(({ fraction, count, seed: used }) => ({
      ...(fraction === undefined ? {} : { fraction }),
      ...(count === undefined ? {} : { count }),
      seed: used,
    })),
  describe: ({ fraction, count, seed: used }) =>
    `sample ${fraction === undefined ? `${count ?? 0} rows` : `${Number((fraction * 100).toPrecision(12))} % of the rows`} (seed ${used})`,
  async run({ input, seed: used }, { fraction = 0, count }) {
    const digests = await input.digests();
    const numbers = seededRowNumbers({ purpose: 'sample', seed: used }, digests);
    const bitmap = new Uint8Array(Math.ceil(input.rows / 8));
    let kept = 0;
    const keep = (row: number): void => {
      setBit(bitmap, row);
      kept += 1;
    };
    if (count === undefined) {
      for (const [row, number] of numbers.entries()) if (number < fraction) keep(row);
    } else {
      for (const row of orderByNumbers(numbers, digests).subarray(0, count)) keep(row);
    }
    return { kind: 'rows', keep: { bitmap }, counts: { notDrawn: input.rows - kept } };
  },
  async whyGone({ input, seed: used }, { fraction = 0, count }, { rows }) {
    const digests = await input.digests();
    const numbers = seededRowNumbers({ purpose: 'sample', seed: used }, digests);
    if (count === undefined) {
      return rows.map((row) => `seed ${used} gives it ${drawn(numbers[row]!)}, and rows below ${fraction} are drawn`);
    }
    const places = placesOf(orderByNumbers(numbers, digests));
    return rows.map(
      (row) =>
        `number ${counted(places[row]! + 1)} in the draw of seed ${used}, and the first ${counted(count)} are taken`,
    );
  },
});
