/**
 * `holdout/filter`: the rows for which a SQL predicate over the columns is true.
 * @module
 */
import { z } from 'zod';
import { evaluatePredicate } from '../src/lineage/row-values.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';

/** Keeps the rows for which a predicate is TRUE; FALSE and NULL go. */
export const filter: Transform = defineTransform({
  name: 'holdout/filter',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps the rows for which a SQL predicate is true.',
  example: 'filter: {where: "length(output) > 20"}',
  params: z.strictObject({
    where: z
      .string()
      .min(1)
      .max(100_000)
      .describe(
        'A SQL expression over the columns of one row (DuckDB). Rows where it is TRUE stay; FALSE and NULL go. ' +
          'No subqueries, no aggregates, nothing that depends on time or chance.',
      ),
  }),
  describe: ({ where }) => `keep rows where ${where}`,
  async run({ input, engine }, { where }) {
    const { trueRows, trueCount, nullCount } = await evaluatePredicate({ input, engine }, where);
    const counts = { false: input.rows - trueCount - nullCount, null: nullCount };
    return { kind: 'rows', keep: { bitmap: trueRows }, counts };
  },
});
