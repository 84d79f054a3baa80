/**
 * `holdout/filter`: the rows for which a SQL predicate over the columns is true.
 * @module
 */
import { z } from 'zod';
import type { OnError } from '../src/lineage/map-columns.ts';
import { evaluatePredicate, predicateExpression } from '../src/lineage/predicate-rows.ts';
import { valuesAt, whyRowsFail } from '../src/lineage/row-failures.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';

// An interface would be no JSON to the compiler.
type FilterParams = { readonly where: string; readonly on_error?: Exclude<OnError, 'fail'> };

/** Keeps the rows for which a predicate is TRUE; FALSE and NULL go. */
export const filter: Transform = defineTransform({
  name: 'holdout/filter',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps the rows for which a SQL predicate is true.',
  example: 'filter: {where: "length(output) > 20"}',
  params: z
    .strictObject({
      where: z
        .string()
        .min(1)
        .max(100_000)
        .describe(
          'A SQL expression over the columns of one row (DuckDB). Rows where it is TRUE stay; FALSE and NULL go. ' +
            'No subqueries, no aggregates, nothing that depends on time or chance.',
        ),
      on_error: z
        .enum(['fail', 'drop', 'keep'])
        .optional()
        .describe(
          'A row that it fails on, such as a cast of a text that is no number: fail (as when nothing is said) names ' +
            'the first one and makes nothing; drop lets such rows go, keep lets them stay; both count them.',
        ),
    })
    // What is said by leaving it out is left out, so that either way is one derivation.
    .transform(({ where, on_error: on }): FilterParams => ({
      where,
      ...(on === undefined || on === 'fail' ? {} : { on_error: on }),
    })),
  describe: ({ where, on_error: on }) =>
    `keep rows where ${where}${on === undefined ? '' : `, ${on} those that it fails on`}`,
  async run({ input, engine }, { where, on_error: given }) {
    const on: OnError = given ?? 'fail';
    const found = await evaluatePredicate({ input, engine }, where, on);
    const { trueRows, trueCount, nullCount, failedCount } = found;
    const counts = { false: input.rows - trueCount - nullCount - failedCount, null: nullCount };
    const failed = on === 'fail' ? {} : { [on === 'drop' ? 'failed' : 'keptThoughFailed']: failedCount };
    const names = ['false', 'null', 'failed'];
    const of = new Uint8Array(input.rows);
    for (let row = 0; row < of.length; row++) {
      if (!hasBit(trueRows, row)) of[row] = hasBit(found.nullRows, row) ? 2 : (found.failed?.[row] ?? 0) === 0 ? 1 : 3;
    }
    const dropped = { names, of };
    return { kind: 'rows', keep: { bitmap: trueRows }, counts: { ...counts, ...failed }, dropped };
  },
  async whyGone({ input, engine }, { where, on_error: on }, { rows }) {
    const source = { input, engine };
    const expression = await predicateExpression(source, where);
    const failed = on === undefined ? rows.map(() => null) : await whyRowsFail(source, [expression], rows);
    const { nullRows } = await evaluatePredicate(source, where, on ?? 'fail');
    const says: string[] = [];
    for (const [index, row] of rows.entries()) {
      const values = await valuesAt(source, expression.reads, row);
      const is = hasBit(nullRows, row) ? 'NULL' : 'false';
      says.push(failed[index] ?? `${where} is ${is}${values === '' ? '' : ` (${values})`}`);
    }
    return says;
  },
});

function hasBit(bitmap: Uint8Array, row: number): boolean {
  return ((bitmap[row >>> 3]! >>> (row & 7)) & 1) === 1;
}
