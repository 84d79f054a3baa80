/**
 * Stores new rows of which some columns are those of the input rows that they were made of: only the other columns are
 * written, beside the parts that hold those rows.
 * @module
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { attachColumns } from '../tables/attach-columns.ts';
import { composeLayout } from '../tables/layout-builder.ts';
import type { Layout } from '../tables/layout.ts';
import { measureParquet } from '../tables/measure-parquet.ts';
import { type PartFile, groupRowsOf } from '../tables/part-file.ts';
import { openReadTable } from '../tables/read-table-reader.ts';
import type { ReadTable } from '../tables/read/read-table-types.ts';
import { writeParquet } from '../tables/read/typed-body.ts';
import { columnsByName } from '../tables/sql-types.ts';
import { castValueSql } from '../tables/types/cast-value.ts';
import { sameType } from '../tables/types/widen-schema.ts';
import type { ChangedTable } from '../tables/write-columns.ts';
import { openLayout } from '../tables/table-reader.ts';
import { sameColumns } from './compare-rows.ts';
import type { Materialising } from './materialise.ts';
import { type AssembledTable, noRow } from './step-output.ts';
import { checkExact } from './unite-inputs.ts';

/** Fewer new rows than one in so many of the rows of their parts are written whole: a second read of a wide part costs more. */
const rowsPerNewRowMax = 16;

/** What storing needs: the step's inputs, its own first, each with its layout. */
export interface BesideRun extends Materialising {
  readonly layouts: readonly Layout[];
}

/**
 * The new rows under the output's types, in their order; null where they are better written whole. The files of the new
 * rows are gone afterwards, where it is not null.
 * @throws TypeError for a column that is said to be unchanged and has another type; HoldoutError as engine and store do
 */
export async function storeBeside(
  run: BesideRun,
  { added, madeOf, unchanged }: AssembledTable,
  schema: TableSchema,
): Promise<ChangedTable | null> {
  const [input] = run.inputs;
  const [before] = run.layouts;
  if (added === null || !(madeOf instanceof Uint32Array) || unchanged === undefined) return null;
  if (input === undefined || before === undefined) throw new RangeError('"inputs" expected at least one table');
  if (madeOf.some((row) => row === noRow || row >= input.rows)) return null;
  const partRows = before.parts.reduce((sum, { rows }) => sum + rows, 0);
  if (madeOf.length * rowsPerNewRowMax < partRows) return null;
  const layout = composeLayout(before, madeOf);
  const same = unchanged === 'compare' ? await compared(run, { added, layout, schema }) : unchanged;
  if (same.size === 0) return null;
  const given = columnsByName(added.schema);
  const output: TableSchema = { ...schema, columns: schema.columns.filter(({ name }) => given.has(name)) };
  const kept = new Map([...same].filter(([name]) => given.has(name)));
  refuseOtherTypes(kept, input.schema, output);
  const written = { ...output, columns: output.columns.filter(({ name }) => !kept.has(name)) };
  const stored = await attachColumns(run.store, run.engine, {
    layout,
    input: input.schema,
    output,
    kept,
    values: written.columns.length === 0 ? null : await valuesOf(run, added, written),
    // Digests of rows with a column that the output lacks are those of other rows.
    digests: added.schema.columns.length === output.columns.length ? await readFile(added.digestsPath) : undefined,
  });
  if (stored === null) return null;
  await rm(added.digestsPath, { force: true });
  await added.dispose();
  return stored;
}

interface Comparing {
  readonly added: ReadTable;
  /** The rows that the new ones were made of, in their order. */
  readonly layout: Layout;
  readonly schema: TableSchema;
}

async function compared(
  { store, engine, scratch, inputs }: BesideRun,
  { added, layout, schema }: Comparing,
): Promise<ReadonlyMap<string, string>> {
  const madeOf = await openLayout(store, engine, inputs[0]!.schema, layout);
  const made = await openReadTable(engine, added, { workDirectory: scratch });
  try {
    return await sameColumns({ madeOf, added: made, schema });
  } finally {
    await made.close();
    await madeOf.close();
  }
}

function refuseOtherTypes(unchanged: ReadonlyMap<string, string>, input: TableSchema, output: TableSchema): void {
  const [had, has] = [columnsByName(input), columnsByName(output)];
  for (const [name, from] of unchanged) {
    const [before, now] = [had.get(from), has.get(name)];
    if (before === undefined || now === undefined || !sameType(before.type, now.type)) {
      throw new TypeError(`the column ${JSON.stringify(name)} is not unchanged: it has another type, or is not there`);
    }
  }
}

/** The written columns of the new rows as a file, in their order. */
async function valuesOf({ engine, scratch }: Materialising, added: ReadTable, written: TableSchema): Promise<PartFile> {
  const reader = await openReadTable(engine, added, { workDirectory: scratch });
  try {
    await checkExact(engine, { label: 'the new rows', reader }, written);
    const ordered = reader.orderedSql();
    if (ordered === null) throw new TypeError('rows just read have an order');
    const had = columnsByName(added.schema);
    const columns = written.columns.map(({ name, type }) => {
      const quoted = quoteIdentifier(name);
      return `${castValueSql(quoted, had.get(name)?.type ?? 'NULL', type)} AS ${quoted}`;
    });
    const path = join(scratch, 'beside.parquet');
    await writeParquet(engine, `SELECT ${columns.join(', ')} FROM (${ordered})`, path, groupRowsOf(reader.rowBytes));
    const { bytes } = await measureParquet(engine, path);
    return { kind: 'typed', path, rows: added.rows, schema: written, logicalBytes: bytes };
  } finally {
    await reader.close();
  }
}
