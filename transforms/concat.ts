/**
 * `holdout/concat`: tables put end to end.
 * @module
 */
import { z } from 'zod';
import { type DatasetParam, type Transform, datasetParam, defineTransform } from '../src/lineage/transform.ts';
import { mergeSchemas } from '../src/tables/types/widen-schema.ts';

/** Puts the rows of other datasets after those of the input. */
export const concat: Transform = defineTransform({
  name: 'holdout/concat',
  version: 1,
  kind: 'row-adding',
  summary: 'Puts the rows of other datasets after those of the input.',
  example: 'concat: {with: [other, third@2]}',
  params: z.strictObject({
    with: z
      .array(datasetParam)
      .min(1)
      .describe('Datasets, NAME or NAME@VERSION, in order. A column that one of them lacks is null there.'),
  }),
  describe: ({ with: others }) => `put ${others.map(nameOf).join(', ')} after it`,
  datasets: ({ with: others }) => others.map((names, index) => ({ at: ['with', index], names, as: 'table' })),
  run({ input, others }) {
    const readers = [input, ...others.map(({ reader }) => reader)];
    const schemas = readers.map(({ schema }) => schema);
    const total = readers.reduce((sum, { rows }) => sum + rows, 0);
    return Promise.resolve({
      kind: 'table',
      schema: schemas.reduce((merged, schema, index) => mergeSchemas(merged, schema, `dataset ${index + 1}`)),
      rows: Uint32Array.from({ length: total }, (_, row) => row),
      added: null,
      madeOf: null,
      counts: { added: total - input.rows },
    });
  },
});

function nameOf(dataset: DatasetParam): string {
  return typeof dataset === 'string' ? dataset : `input ${dataset.input}`;
}
