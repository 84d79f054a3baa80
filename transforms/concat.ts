/**
 * `holdout/concat`: tables put end to end.
 * @module
 */
import { z } from 'zod';
import { datasetParam, defineTransform, type Transform } from '../src/lineage/transform.ts';
import { lackingNotes, uniteInputs } from '../src/lineage/unite-inputs.ts';
import { datasetLabel, listed } from './parameters.ts';

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
  describe: ({ with: others }) => `put ${listed(others.map(datasetLabel))} after it`,
  datasets: ({ with: others }) => others.map((names, index) => ({ at: ['with', index], names, as: 'table' })),
  async run({ input, others, engine }, { with: names }) {
    const named = others.map(({ reader }, index) => ({ label: datasetLabel(names[index]!), reader }));
    const tables = [{ label: 'the input', reader: input }, ...named] as const;
    const schema = await uniteInputs(engine, tables);
    const total = others.reduce((sum, { reader }) => sum + reader.rows, input.rows);
    return {
      kind: 'table',
      schema,
      rows: Uint32Array.from({ length: total }, (_, row) => row),
      added: null,
      madeOf: null,
      counts: { added: total - input.rows },
      notes: lackingNotes(tables, schema),
    };
  },
});
