/**
 * `holdout/select`: some of the columns, in a given order, under new names where asked.
 * @module
 */
import { z } from 'zod';
import { HoldoutError } from '../src/errors.ts';
import { columnNamed } from '../src/lineage/row-values.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
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
    const twice = names.find((name, index) => names.indexOf(name) < index);
    if (twice !== undefined) throw new HoldoutError('USAGE', `column "${twice}" is named twice`);
    const kept = names.map((name) => columnNamed(input.schema, name));
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
