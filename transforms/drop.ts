/**
 * `holdout/drop`: all columns but some.
 * @module
 */
import { z } from 'zod';
import { HoldoutError } from '../src/errors.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { columnsNamed, keptColumns } from './output-columns.ts';
import { columns, listed } from './parameters.ts';

/** Leaves columns out. */
export const drop: Transform = defineTransform({
  name: 'holdout/drop',
  version: 1,
  kind: 'mapping',
  summary: 'Leaves columns out; the others stay as they are.',
  example: 'drop: {columns: [metadata]}',
  params: z.strictObject({ columns: columns.describe('The columns that go.') }),
  describe: ({ columns: names }) => `drop columns ${listed(names)}`,
  run({ input }, { columns: names }) {
    columnsNamed(input.schema, names);
    const kept = keptColumns(input.schema, names);
    if (kept.size === 0) throw new HoldoutError('USAGE', 'no column would be left');
    return Promise.resolve({
      kind: 'columns',
      schema: { ...input.schema, columns: input.schema.columns.filter(({ name }) => kept.has(name)) },
      kept,
      values: null,
      keep: null,
      counts: { columnsDropped: names.length },
    });
  },
});
