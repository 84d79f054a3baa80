/**
 * `holdout/select`: some of the columns, in a given order, under new names where asked.
 * @module
 */
import { z } from 'zod';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { columnsNamed } from './output-columns.ts';
import { columns, listed } from './parameters.ts';

/** Keeps only the columns named. */
export const select: Transform = defineTransform({
  name: 'holdout/select',
  version: 1,
  kind: 'mapping',
  summary: 'Keeps only the columns named, in that order.',
  example: 'select: {columns: [instruction, output]}',
  params: z.strictObject({ columns: columns.describe('The columns that stay, in the order of the output.') }),
  describe: ({ columns: names }) => `keep columns ${listed(names)}`,
  run({ input }, { columns: names }) {
    const kept = columnsNamed(input.schema, names);
    return Promise.resolve({
      kind: 'columns',
      schema: { ...input.schema, columns: kept },
      kept: new Map(names.map((name) => [name, name])),
      values: null,
      keep: null,
      counts: { columnsDropped: input.schema.columns.length - kept.length },
    });
  },
});
