/**
 * `holdout/rename`: columns under other names, in their places.
 * @module
 */
import { z } from 'zod';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { checkedSchema, columnsNamed } from './output-columns.ts';
import { listed } from './parameters.ts';

/** Gives columns other names; all at once, so that two may swap theirs. */
export const rename: Transform = defineTransform({
  name: 'holdout/rename',
  version: 1,
  kind: 'mapping',
  summary: 'Gives columns other names; values and order stay.',
  example: 'rename: {columns: {prompt: instruction, completion: output}}',
  params: z.strictObject({
    columns: z
      .record(z.string().min(1), z.string().min(1))
      .refine((names) => Object.keys(names).length > 0, 'name at least one column')
      .describe('The present name of each column and its new one. All are renamed at once, so two may swap names.'),
  }),
  describe: ({ columns }) => `rename ${listed(Object.entries(columns).map(([from, to]) => `${from} to ${to}`))}`,
  run({ input }, { columns }) {
    columnsNamed(input.schema, Object.keys(columns));
    const to = new Map(Object.entries(columns));
    const kept = new Map(input.schema.columns.map(({ name }) => [to.get(name) ?? name, name]));
    const renamed = input.schema.columns.map(({ name, type }) => ({ name: to.get(name) ?? name, type }));
    return Promise.resolve({
      kind: 'columns',
      schema: checkedSchema({ ...input.schema, columns: renamed }),
      kept,
      values: null,
      keep: null,
      counts: { columnsRenamed: [...kept].filter(([name, from]) => name !== from).length },
    });
  },
});
