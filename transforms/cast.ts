/**
 * `holdout/cast`: columns under other types. Exact unless asked otherwise: a row whose value would become another fails.
 * @module
 */
import { z } from 'zod';
import type { Column, ColumnType } from '../schemas/table-schema.ts';
import type { Engine } from '../src/engine/engine.ts';
import { HoldoutError } from '../src/errors.ts';
import { quoteIdentifier } from '../src/identity/sql-text.ts';
import { type ExpressionColumn, whyColumnsFail } from '../src/lineage/map-columns.ts';
import { expressionsMax } from '../src/lineage/row-failures.ts';
import { columnNamed } from '../src/lineage/row-values.ts';
import { type StepContext, type Transform, defineTransform } from '../src/lineage/transform.ts';
import { sqlType } from '../src/tables/sql-types.ts';
import { exactCast } from '../src/tables/types/exact-cast.ts';
import { parseTypeText } from '../src/tables/types/type-text.ts';
import { sameType } from '../src/tables/types/widen-schema.ts';
import { withExpressions } from './output-columns.ts';
import { listed, onError } from './parameters.ts';

/** Gives columns other types. */
export const cast: Transform = defineTransform({
  name: 'holdout/cast',
  version: 1,
  kind: 'mapping',
  summary: 'Gives columns other types; a value that would not stay the same is an error of its row.',
  example: 'cast: {columns: {score: DOUBLE, id: BIGINT}, on_error: drop}',
  params: z.strictObject({
    columns: z
      .record(z.string().min(1), z.string().min(1).max(10_000))
      .refine((types) => Object.keys(types).length > 0, 'name at least one column')
      .refine((types) => Object.keys(types).length <= expressionsMax, `at most ${expressionsMax} columns at once`)
      .describe(
        'The type of each column as a schema file writes it. Text is read as JSON writes values ("012" is no number), ' +
          'dates as 2024-01-31, bytes as base64, and lists, structs and maps become text as JSON.',
      ),
    exact: z
      .boolean()
      .default(true)
      .describe('Whether a value that changes is an error of its row: a fraction cut, digits lost, blanks trimmed.'),
    on_error: onError,
  }),
  describe: ({ columns, exact }) =>
    `cast ${listed(Object.entries(columns).map(([name, type]) => `${name} to ${type}`))}${exact ? '' : ', not exactly'}`,
  async run(context, { columns, exact, on_error: on }) {
    const made = await castColumns(context, columns, exact);
    return withExpressions(context, made, on, { columnsCast: made.length });
  },
  whyGone: async (context, { columns, exact }, { rows }) =>
    whyColumnsFail(context, await castColumns(context, columns, exact), rows),
});

async function castColumns(
  { input, engine }: Pick<StepContext, 'input' | 'engine'>,
  columns: Readonly<Record<string, string>>,
  exact: boolean,
): Promise<readonly ExpressionColumn[]> {
  const made: ExpressionColumn[] = [];
  for (const [name, text] of Object.entries(columns)) {
    const column = columnNamed(input.schema, name);
    const type = readType(text, name);
    if (!sameType(type, column.type)) made.push(await castColumn(engine, column, type, exact));
  }
  return made;
}

function readType(text: string, column: string): ColumnType {
  try {
    return parseTypeText(text, `column "${column}"`);
  } catch (error) {
    if (!(error instanceof HoldoutError)) throw error;
    throw new HoldoutError('USAGE', error.message, {
      hint: 'for example BIGINT, DOUBLE, VARCHAR, DATE, VARCHAR[], STRUCT(role VARCHAR, content VARCHAR)',
      cause: error,
    });
  }
}

async function castColumn(
  engine: Engine,
  { name, type: from }: Column,
  to: ColumnType,
  exact: boolean,
): Promise<ExpressionColumn> {
  const nested = from === 'VARCHAR' && isNested(to);
  // The engine finds some casts to be missing only when it meets a value.
  const apart = isNested(from) !== isNested(to) && ![from, to].includes('JSON') && to !== 'VARCHAR' && from !== 'NULL';
  if (to === 'NULL' || nested || apart || !(await hasCast(engine, from, to))) {
    const says = `column "${name}" holds ${sqlType(from)}, which cannot be cast to ${sqlType(to)}`;
    throw new HoldoutError('USAGE', says, nested ? { hint: 'cast the text to JSON, and that in a second step' } : {});
  }
  const x = quoteIdentifier(name);
  const made = exactCast(x, from, to, await hasCast(engine, to, from));
  const valid =
    exact && made.exact !== null
      ? { sql: made.exact, refused: `the value is not the same as ${sqlType(to)}` }
      : undefined;
  return { name, type: to, sql: made.sql, says: `column "${name}"`, reads: [name], valid };
}

function isNested(type: ColumnType): boolean {
  return typeof type === 'object' && !('decimal' in type);
}

async function hasCast(engine: Engine, from: ColumnType, to: ColumnType): Promise<boolean> {
  try {
    await engine.describe(`SELECT NULL::${sqlType(from)}::${sqlType(to)}`);
    return true;
  } catch (error) {
    if (error instanceof HoldoutError && error.code === 'INPUT_INVALID') return false;
    throw error;
  }
}
