/**
 * Stores what a mapping made new beside the parts that hold the rest of its input.
 * @module
 */
import { join } from 'node:path';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { attachColumns } from '../tables/attach-columns.ts';
import { composeLayout } from '../tables/layout-builder.ts';
import type { Layout } from '../tables/layout.ts';
import { measureParquet } from '../tables/measure-parquet.ts';
import { type PartFile, groupRowsOf } from '../tables/part-file.ts';
import { openReadTable } from '../tables/read-table-reader.ts';
import { writeParquet } from '../tables/read/typed-body.ts';
import { type ChangedTable, computeColumns } from '../tables/write-columns.ts';
import type { Materialising } from './materialise.ts';
import type { MappedColumns } from './step-output.ts';

/**
 * The mapped table; null where it is better written whole.
 * @throws RangeError, TypeError when the output does not fit the input
 * @throws HoldoutError as the engine and the store do
 */
export async function settleColumns(
  run: Materialising,
  given: MappedColumns,
  before: Layout,
): Promise<ChangedTable | null> {
  const { store, engine } = run;
  const input = run.inputs[0]!.schema;
  const { schema: output, kept, keep } = given;
  const layout = keep === null ? before : composeLayout(before, keep);
  const made = output.columns.filter(({ name }) => !kept.has(name));
  if (made.length === 0) return computeColumns(store, engine, { layout, input, output, kept, computed: [] });
  if (given.values === null) throw new TypeError('"values" expected a file: the output has new columns');
  const values = await valueFile(run, given.values, { ...output, columns: made }, layout.rows);
  return attachColumns(store, engine, { layout, input, output, kept, values });
}

async function valueFile(
  run: Materialising,
  values: NonNullable<MappedColumns['values']>,
  schema: TableSchema,
  rows: number,
): Promise<PartFile> {
  const file = async (path: string): Promise<PartFile> => {
    return { kind: 'typed', rows, schema, path, logicalBytes: (await measureParquet(run.engine, path)).bytes };
  };
  if (values.kind === 'parquet') return file(values.path);
  const { table } = values;
  if (table.rows !== rows) throw new RangeError(`"values" expected ${rows} rows, got ${table.rows}`);
  const reader = await openReadTable(run.engine, table, { workDirectory: run.scratch });
  try {
    const ordered = reader.orderedSql();
    if (ordered === null) throw new TypeError('rows just read have an order');
    const path = join(run.scratch, 'values.parquet');
    await writeParquet(run.engine, ordered, path, groupRowsOf(reader.rowBytes));
    return await file(path);
  } finally {
    await reader.close();
  }
}
