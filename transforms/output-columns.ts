/**
 * Columns that steps name, and the columns of what mapping steps give.
 * @module
 */
import type { TableSchema } from '../schemas/table-schema.ts';
import { HoldoutError } from '../src/errors.ts';
import { type ExpressionColumn, type OnError, failedReason, mapByExpressions } from '../src/lineage/map-columns.ts';
import { columnNamed, textColumn } from '../src/lineage/row-values.ts';
import type { MappedColumns } from '../src/lineage/step-output.ts';
import type { StepContext } from '../src/lineage/transform.ts';
import { checkNames } from '../src/tables/types/column-names.ts';

/**
 * The input with columns made by expressions: in their place where they replace others, else at the end.
 * @param gone columns that are left out
 * @throws HoldoutError `USAGE` for names that no table can have, before anything is made
 * @throws RowFailure under `fail`, for the first row that an expression fails on
 */
export async function withExpressions(
  context: StepContext,
  made: readonly ExpressionColumn[],
  on: OnError,
  counts: Readonly<Record<string, number>>,
  gone: readonly string[] = [],
): Promise<MappedColumns> {
  const { schema } = context.input;
  const stay = { ...schema, columns: schema.columns.filter(({ name }) => !gone.includes(name)) };
  const output = withColumns(stay, made);
  const { failed, ...mapped } = await mapByExpressions(context, made, on);
  const lost = on === 'fail' ? {} : { [on === 'drop' ? failedReason : 'madeNull']: failed };
  return {
    kind: 'columns',
    schema: output,
    kept: keptColumns(stay, namesOf(made)),
    ...mapped,
    counts: { ...counts, ...lost },
  };
}

/**
 * All columns of these names.
 * @throws HoldoutError `USAGE` for a name given twice, or one that no column has.
 */
export function columnsNamed(schema: TableSchema, names: readonly string[]): TableSchema['columns'] {
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new HoldoutError('USAGE', `column "${twice}" is named twice`);
  return names.map((name) => columnNamed(schema, name));
}

/**
 * The columns of these names that hold any text: one that holds only nulls has none to change.
 * @throws HoldoutError `USAGE` for a name given twice, one that no column has, and a column of another type.
 */
export function textColumns(schema: TableSchema, names: readonly string[]): TableSchema['columns'] {
  return columnsNamed(schema, names)
    .map(({ name }) => textColumn(schema, name))
    .filter(({ type }) => type !== 'NULL');
}

/** Every column of the input under its own name, less those left out: the `kept` of a mapping step. */
export function keptColumns({ columns: all }: TableSchema, without: Iterable<string> = []): Map<string, string> {
  const gone = new Set(without);
  return new Map(all.flatMap(({ name }): [string, string][] => (gone.has(name) ? [] : [[name, name]])));
}

/**
 * The schema with columns replaced where they stand, or added at the end.
 * @throws HoldoutError `USAGE` for names that no table can have.
 */
export function withColumns(schema: TableSchema, made: TableSchema['columns']): TableSchema {
  const columns = made.map(({ name, type }) => ({ name, type }));
  const byName = new Map(columns.map((column) => [column.name, column]));
  const stay = schema.columns.map((column) => byName.get(column.name) ?? column);
  const known = new Set(schema.columns.map(({ name }) => name));
  return checkedSchema({ ...schema, columns: [...stay, ...columns.filter(({ name }) => !known.has(name))] });
}

/** @throws HoldoutError `USAGE` for names that no table can have. */
export function checkedSchema(schema: TableSchema): TableSchema {
  const problem = checkNames(schema.columns.map(({ name }) => name));
  if (problem !== null) throw new HoldoutError('USAGE', problem);
  return schema;
}

/** Names of columns, in their order. */
export function namesOf(columns: TableSchema['columns']): string[] {
  return columns.map(({ name }) => name);
}
