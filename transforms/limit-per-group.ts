/**
 * `holdout/limit-per-group`: at most so many rows of each group.
 * @module
 */
import { z } from 'zod';
import { firstOfEqual } from '../src/lineage/digest-groups.ts';
import { keyDigests, setBit } from '../src/lineage/row-values.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { columns, listed } from './parameters.ts';
import { counted, valuesOf } from './why-gone.ts';

/** Keeps the first rows of each group, in the table's order. */
export const limitPerGroup: Transform = defineTransform({
  name: 'holdout/limit-per-group',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps at most so many rows of each group: the first ones.',
  example: 'limit-per-group: {by: [source], max: 1000}',
  params: z.strictObject({
    by: columns.describe('Columns that make a group; rows that are null there are a group too.'),
    max: z.int().positive().describe('How many rows of a group stay. Shuffle before to draw them by chance.'),
  }),
  describe: ({ by, max }) => `keep the first ${max} rows of each ${listed(by)}`,
  async run({ input, engine }, { by, max }) {
    const first = firstOfEqual(await keyDigests({ input, engine }, by));
    const seen = new Uint32Array(input.rows);
    const bitmap = new Uint8Array(Math.ceil(input.rows / 8));
    let overLimit = 0;
    for (let row = 0; row < first.length; row++) {
      const group = first[row]!;
      if (seen[group]! >= max) overLimit += 1;
      else {
        seen[group]! += 1;
        setBit(bitmap, row);
      }
    }
    return { kind: 'rows', keep: { bitmap }, counts: { overLimit } };
  },
  async whyGone(context, { by, max }, { rows }) {
    const { input, engine } = context;
    const first = firstOfEqual(await keyDigests({ input, engine }, by));
    const values = await valuesOf(context, by, rows);
    const places = new Uint32Array(input.rows);
    const seen = new Uint32Array(input.rows);
    for (const [row, group] of first.entries()) places[row] = seen[group]! += 1;
    return rows.map(
      (row, index) => `row ${counted(places[row]!)} of its group (${values[index]!}), and ${counted(max)} of each stay`,
    );
  },
});
