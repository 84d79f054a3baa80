/**
 * Rows that a person's code wrote as JSON Lines, beside rows of the step's input: read, and given a schema. Columns keep
 * the input's types where the values fit them, and are widened where they do not; a column that no row has any more goes.
 * @module
 */
import type { Column, ColumnType, TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import type { ReadTable } from '../tables/read/read-table-types.ts';
import { columnsByName } from '../tables/sql-types.ts';
import { sameType, widenType } from '../tables/types/widen-schema.ts';
import type { StepContext } from './transform.ts';

/** New rows, and the schema of the table that they stand in. */
export interface NewRows {
  readonly table: ReadTable;
  readonly schema: TableSchema;
}

/** How new rows are read. */
export interface NewRowsRun {
  readonly context: Pick<StepContext, 'input' | 'scratch' | 'threads' | 'signal'>;
  /** Their file, JSON Lines. */
  readonly path: string;
  /** Whether rows of the input stand beside them, with all its columns. */
  readonly besideInput: boolean;
  /** A member of each line that is no column of the output. */
  readonly hidden?: string | undefined;
  /** The output's schema, where it is declared. */
  readonly declared?: TableSchema | undefined;
}

/**
 * Reads the rows.
 * @throws HoldoutError INPUT_INVALID with file and line for what is no row; CONFLICT where rows of the input stand beside
 *   them whose column cannot hold the new values
 */
export async function readNewRows(run: NewRowsRun): Promise<NewRows> {
  const { declared, hidden } = run;
  const first = await read(run, {});
  const visible = (schema: TableSchema): TableSchema => {
    return { ...schema, columns: schema.columns.filter(({ name }) => name !== hidden) };
  };
  const hiddenColumns = first.schema.columns.filter(({ name }) => name === hidden);
  if (declared !== undefined) {
    await first.dispose();
    const schema = { ...declared, columns: [...declared.columns, ...hiddenColumns] };
    return { table: await read(run, { schema }), schema: declared };
  }
  const wishes = run.besideInput
    ? [wish(run, first, () => true)]
    : [
        wish(run, first, () => true),
        wish(run, first, (had, seen) => seen === 'VARCHAR' || widenType(had, seen) !== null),
      ];
  for (const [index, wanted] of wishes.entries()) {
    if (fits(first.schema, wanted, hidden)) return { table: first, schema: wanted };
    const previousSchema = { ...wanted, columns: [...wanted.columns, ...hiddenColumns] };
    try {
      const table = await read(run, { previousSchema });
      await first.dispose();
      return { table, schema: visible(table.schema) };
    } catch (error) {
      const last = run.besideInput && index === wishes.length - 1;
      if (last || !(error instanceof HoldoutError) || !['CONFLICT', 'INPUT_INVALID'].includes(error.code)) throw error;
    }
  }
  return { table: first, schema: visible(first.schema) };
}

/** Of these columns, name → name in the input, those of one type before and after: as `AssembledTable` has them. */
export function unchangedColumns(
  before: TableSchema,
  after: TableSchema,
  passed: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const had = columnsByName(before);
  return new Map(
    after.columns.flatMap(({ name, type }): [string, string][] => {
      const source = had.get(passed.get(name) ?? '');
      return source !== undefined && sameType(source.type, type) ? [[name, source.name]] : [];
    }),
  );
}

/** Columns of the input that there still are, in its order, then new ones; `keeps` says which keep the input's type. */
function wish(
  { context: { input }, besideInput, hidden }: NewRowsRun,
  { schema }: ReadTable,
  keeps: (had: ColumnType, seen: ColumnType) => boolean,
): TableSchema {
  const seen = new Map(schema.columns.map(({ name, type }) => [name, type]));
  const kept = input.schema.columns.flatMap(({ name, type }): Column[] => {
    const now = seen.get(name);
    seen.delete(name);
    if (now === undefined) return besideInput ? [{ name, type }] : [];
    return [{ name, type: keeps(type, now) ? type : now }];
  });
  return { ...schema, columns: [...kept, ...schema.columns.filter(({ name }) => name !== hidden && seen.has(name))] };
}

/** Whether values read under `held` are those of `wanted` without being read again. */
function fits(held: TableSchema, wanted: TableSchema, hidden: string | undefined): boolean {
  const types = new Map(wanted.columns.map(({ name, type }) => [name, type]));
  return held.columns.every(({ name, type }) => {
    const asked = types.get(name);
    return name === hidden || type === 'NULL' || (asked !== undefined && sameType(asked, type));
  });
}

async function read(
  { context: { scratch, threads, signal }, path }: NewRowsRun,
  types: { readonly schema?: TableSchema; readonly previousSchema?: TableSchema },
): Promise<ReadTable> {
  const { readTable } = await import('../tables/read/read-table.ts');
  return readTable([path], { workDirectory: scratch, threads, signal, format: 'jsonl', ...types });
}
