/**
 * Makes a table of what a step yielded: its ids, its layout, and of which rows it was made. A selection writes no row;
 * new values are written as parts of the store that is given, which may be a scratch one.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { SetRoot, Sha256Id } from '../../schemas/ids.ts';
import type { RealisationRecord } from '../../schemas/records.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { composeLayout } from '../tables/layout-builder.ts';
import type { Layout } from '../tables/layout.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { storeTable } from '../tables/write-table.ts';
import { type Materialising, materialiseColumns } from './materialise.ts';
import { type RowGroups, reorderGroups } from './row-groups.ts';
import { gatherDigests, identifyDigests, isPermutation, keptPositions } from './select-rows.ts';
import { settleColumns } from './settle-columns.ts';
import { settleTable } from './settle-table.ts';
import { type AssembledTable, type MappedColumns, type SelectedRows, type StepOutput, noRow } from './step-output.ts';

/** Of which row, or rows, each row was made: positions in the inputs laid end to end; `same`: row i of row i. */
export type Origins = Uint32Array | RowGroups | 'same' | 'unknown';

/** A step's output as a table. */
export interface SettledOutput {
  readonly output: RealisationRecord['output'];
  readonly schema: TableSchema;
  readonly layout: Layout;
  readonly origins: Origins;
  /** Output column → input column, for the columns that the step left alone; null where all are. */
  readonly kept: ReadonlyMap<string, string> | null;
}

/** What settling needs: the step's inputs, its own first, each with its layout. */
export interface Settling extends Materialising {
  readonly schemaId: Sha256Id;
  /** Of the step's own input, where it is known. */
  readonly setRoot?: SetRoot | undefined;
  readonly layouts: readonly Layout[];
  readonly layoutIds: readonly Sha256Id[];
}

/**
 * Settles an output.
 * @throws RangeError when the output does not fit the inputs
 * @throws HoldoutError as the engine and the store do
 */
export async function settleOutput(run: Settling, given: StepOutput): Promise<SettledOutput> {
  const [input] = run.inputs;
  const [layout] = run.layouts;
  if (input === undefined || layout === undefined) throw new RangeError('"inputs" expected at least one table');
  if (given.kind === 'rows') return settleSelected(run, given, layout);
  if (given.kind === 'columns') return settleMapped(run, given, layout);
  const settled = await settleTable(run, given);
  const inputRows = run.inputs.reduce((sum, each) => sum + each.rows, 0);
  const origins = assembledOrigins(given, inputRows);
  const same = new Map(input.schema.columns.map(({ name }): [string, string] => [name, name]));
  return { ...settled, origins, kept: same };
}

async function settleSelected(
  { inputs: [input], setRoot, schemaId }: Settling,
  { keep }: Pick<SelectedRows, 'keep'>,
  layout: Layout,
): Promise<SettledOutput> {
  if (input === undefined) throw new RangeError('"inputs" expected a table');
  const digests = gatherDigests(await input.digests(), keep);
  const identity = identifyDigests(digests, isPermutation(keep, input.rows) ? setRoot : undefined);
  return {
    output: { ...identity, schema: schemaId },
    schema: input.schema,
    layout: composeLayout(layout, keep),
    origins: keptPositions(keep, input.rows),
    kept: null,
  };
}

function assembledOrigins({ rows, madeOf }: AssembledTable, inputRows: number): Origins {
  const anew = rows.some((address) => address >= inputRows);
  if (anew && madeOf === null) return 'unknown';
  if (madeOf === null || madeOf instanceof Uint32Array) {
    return rows.map((address) => (address < inputRows ? address : (madeOf?.[address - inputRows] ?? noRow)));
  }
  if (rows.some((address) => address < inputRows)) throw new RangeError('"madeOf" expected no rows of the inputs');
  return reorderGroups(
    madeOf,
    rows.map((address) => address - inputRows),
  );
}

async function settleMapped(run: Settling, given: MappedColumns, layout: Layout): Promise<SettledOutput> {
  const [input] = run.inputs;
  if (input === undefined) throw new RangeError('"inputs" expected a table');
  const origins = given.keep === null ? 'same' : keptPositions(given.keep, input.rows);
  if (given.keep === null && keepsAll(given, input.schema)) {
    // The rows are those of the input: nothing is read, hashed or stored.
    const output = { ...identifyDigests(await input.digests(), run.setRoot), schema: run.schemaId };
    return { output, schema: input.schema, layout, origins, kept: given.kept };
  }
  const mapped = await settleColumns(run, given, layout);
  if (mapped === null) return { ...(await writtenWhole(run, given)), origins, kept: given.kept };
  const output = { ...identifyDigests(mapped.digests), schema: await run.store.putRecord(given.schema) };
  return { output, schema: given.schema, layout: mapped.layout, origins, kept: given.kept };
}

function keepsAll({ schema, kept }: MappedColumns, input: TableSchema): boolean {
  return schema === input && schema.columns.every(({ name }) => kept.get(name) === name);
}

/** A mapping of rows that stand in the table very often: their new values lie beside no stored row. */
async function writtenWhole(
  run: Settling,
  given: MappedColumns,
): Promise<Pick<SettledOutput, 'output' | 'schema' | 'layout'>> {
  const table = await materialiseColumns(run, given);
  try {
    const schema = await run.store.putRecord(table.schema);
    const stored = await storeTable(run.store, run.engine, table, run.layoutIds);
    const output = { table: table.table, schema, setRoot: await table.setRoot(), rows: table.rows };
    return { output, schema: table.schema, layout: await readLayout(run.store, stored.layout) };
  } finally {
    await rm(table.digestsPath, { force: true });
    await table.dispose();
  }
}
