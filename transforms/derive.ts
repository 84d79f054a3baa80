/**
 * `holdout/derive`: columns made by SQL expressions over the row.
 * @module
 */
import { z } from 'zod';
import type { ColumnType, TableSchema } from '../schemas/table-schema.ts';
import type { Engine } from '../src/engine/engine.ts';
import { checkExpression } from '../src/engine/scalar-expression.ts';
import { HoldoutError } from '../src/errors.ts';
import { type ExpressionColumn, whyColumnsFail } from '../src/lineage/map-columns.ts';
import { expressionsMax } from '../src/lineage/row-failures.ts';
import { type StepContext, type Transform, defineTransform } from '../src/lineage/transform.ts';
import { canonicalValueSql, sqlType } from '../src/tables/sql-types.ts';
import { parseEngineType } from '../src/tables/types/engine-type.ts';
import { storedType } from '../src/tables/types/stored-type.ts';
import { withExpressions } from './output-columns.ts';
import { listed, onError } from './parameters.ts';

/** Computes columns; those that are there are replaced, others are added at the end. */
export const derive: Transform = defineTransform({
  name: 'holdout/derive',
  version: 1,
  kind: 'mapping',
  summary: 'Computes columns by SQL expressions over the row; replaces columns or adds them.',
  example: `derive: {columns: {text: "instruction || ' ' || output", words: "len(string_split(output, ' '))"}}`,
  params: z.strictObject({
    columns: z
      .record(z.string().min(1), z.string().min(1).max(100_000))
      .refine((made) => Object.keys(made).length > 0, 'name at least one column')
      .refine((made) => Object.keys(made).length <= expressionsMax, `at most ${expressionsMax} columns at once`)
      .describe(
        'For each column a SQL expression (DuckDB) over the columns of the input as they stand before the step. ' +
          'A column that is there is replaced in its place; new ones follow in the order of their names. No subqueries, no aggregates, nothing that depends on time ' +
          'or chance. A result that is infinite or no number fails, as a division by zero does.',
      ),
    on_error: onError,
  }),
  describe: ({ columns }) => `derive ${listed(Object.entries(columns).map(([name, sql]) => `${name} = ${sql}`))}`,
  async run(context, { columns, on_error: on }) {
    const { input } = context;
    const made = await derivedColumns(context, columns);
    const had = new Set(input.schema.columns.map(({ name }) => name));
    const replaced = made.filter(({ name }) => had.has(name)).length;
    const counts = { columnsReplaced: replaced, columnsAdded: made.length - replaced };
    return withExpressions(context, made, on, counts);
  },
  whyGone: async (context, { columns }, { rows }) =>
    whyColumnsFail(context, await derivedColumns(context, columns), rows),
});

async function derivedColumns(
  { input, engine }: Pick<StepContext, 'input' | 'engine'>,
  columns: Readonly<Record<string, string>>,
): Promise<readonly ExpressionColumn[]> {
  const made: ExpressionColumn[] = [];
  for (const [name, sql] of Object.entries(columns)) made.push(await derived(engine, input.schema, name, sql));
  return made;
}

/** @throws HoldoutError `USAGE` for what is no pure expression, or has a type that is not stored. */
async function derived(engine: Engine, schema: TableSchema, name: string, sql: string): Promise<ExpressionColumn> {
  try {
    const columns = schema.columns.map((column) => ({ name: column.name, type: sqlType(column.type) }));
    const { type: engineType, reads } = await checkExpression(engine, sql, columns);
    const type = storedType(parseEngineType(engineType), name);
    return {
      name,
      type,
      sql: canonicalValueSql(type, `(${sql}\n)`, 'typed'),
      says: `column "${name}"`,
      reads,
      valid: canBeInfinite(type)
        ? { sql: (value) => `isfinite(${value})`, refused: 'the result is not finite' }
        : undefined,
    };
  } catch (error) {
    if (!(error instanceof HoldoutError) || !['USAGE', 'INPUT_INVALID'].includes(error.code)) throw error;
    const says = error.message.startsWith(`column "${name}`) ? error.message : `column "${name}": ${error.message}`;
    throw new HoldoutError('USAGE', says, { ...(error.hint === undefined ? {} : { hint: error.hint }), cause: error });
  }
}

function canBeInfinite(type: ColumnType): boolean {
  return (
    typeof type === 'string' && ['FLOAT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'TIMESTAMP_NS', 'TIMESTAMPTZ'].includes(type)
  );
}
