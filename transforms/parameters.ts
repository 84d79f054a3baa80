/**
 * Parameters that several steps share, so that they mean the same everywhere.
 * @module
 */
import { z } from 'zod';
import type { TableSchema } from '../schemas/table-schema.ts';
import { HoldoutError } from '../src/errors.ts';
import { type ExpressionValues, type OnError, failedReason } from '../src/lineage/map-columns.ts';
import { columnNamed, textColumn } from '../src/lineage/row-values.ts';
import { checkNames } from '../src/tables/types/column-names.ts';
import type { DatasetParam } from '../src/lineage/transform.ts';

/** The seed of a step that draws by chance. */
export const seed = z
  .int()
  .default(0)
  .describe('Chooses another draw. Kept in the derivation; the same seed draws the same rows again.');

/** Columns that together say which rows belong together. */
export const columns = z.array(z.string().min(1)).min(1);

/** A number of rows. */
export const rowCount = z.int().nonnegative();

/** Whether a step of the person's own gives the same rows whenever it is run. */
export const deterministic = z
  .boolean()
  .default(true)
  .describe(
    'Whether it gives the same rows whenever it is run; checked by running a sample twice. With false it is run once, ' +
      'and its output is kept like raw data.',
  );

/** What is done with a row on which code of the person's own fails. */
export const onThrow = z.enum(['fail', 'drop', 'keep']).default('fail');

/** Files that a step of the person's own reads. */
export const declaredFiles = z.array(z.string().min(1)).max(10_000).default([]);

/** `a, b` for people. */
export function listed(names: readonly string[]): string {
  return names.join(', ');
}

/** What becomes of a row that a step fails on. */
export const onError = z
  .enum(['fail', 'drop', 'keep'])
  .default('fail')
  .describe(
    'A row that it fails on: fail names the first one and makes nothing; drop leaves such rows out and counts them; ' +
      'keep puts null there and counts them.',
  );

/** The counts of a step under `on_error`. */
export function failedCounts({ failed }: Pick<ExpressionValues, 'failed'>, on: OnError): Record<string, number> {
  return on === 'fail' ? {} : { [on === 'drop' ? failedReason : 'madeNull']: failed };
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

/** A dataset as people named it; in a derivation it has a number alone. */
export function datasetLabel(dataset: DatasetParam): string {
  return typeof dataset === 'string' ? dataset : `input ${dataset.input}`;
}
