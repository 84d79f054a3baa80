/**
 * Makes a table of rows that a step put together: rows of the inputs stay where they are stored, and only new rows, and
 * columns whose type had to widen, are written.
 * @module
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RealisationRecord } from '../../schemas/records.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { concatLayouts } from '../tables/layout-columns.ts';
import { composeLayout } from '../tables/layout-builder.ts';
import type { Layout } from '../tables/layout.ts';
import { columnsStoredOtherwise, readLayout } from '../tables/stored-parts.ts';
import type { ReadTable } from '../tables/read/read-table-types.ts';
import { type TableReader, openLayout } from '../tables/table-reader.ts';
import { castValueSql } from '../tables/types/cast-value.ts';
import { sameType } from '../tables/types/widen-schema.ts';
import { columnsByName } from '../tables/sql-types.ts';
import { computeColumns } from '../tables/write-columns.ts';
import { storeTable } from '../tables/write-table.ts';
import { GatheredDigests } from './gathered-digests.ts';
import type { Materialising } from './materialise.ts';
import { storeBeside } from './settle-beside.ts';
import type { AssembledTable } from './step-output.ts';
import { checkExact } from './unite-inputs.ts';

/** What settling a table needs: the inputs with their layouts. */
export interface TableSettling extends Materialising {
  readonly layouts: readonly Layout[];
}

/** The rows as a table of the store; its layout is not stored yet. */
export interface SettledTable {
  readonly output: RealisationRecord['output'];
  readonly schema: TableSchema;
  readonly layout: Layout;
}

/** Rows that addresses can name, and where they stand. */
interface Source {
  readonly layout: Layout;
  readonly digests: Uint8Array;
}

/**
 * Settles an assembled table.
 * @throws HoldoutError `CONFLICT` for a value that the output's wider type does not hold exactly; as the store does
 */
export async function settleTable(run: TableSettling, given: AssembledTable): Promise<SettledTable> {
  const { schema, rows } = given;
  if (given.added !== null && isAddedAlone(run, given, given.added)) return settleAdded(run, given.added);
  const gathered = new GatheredDigests({ addresses: rows, path: join(run.scratch, 'gathered.digests') });
  try {
    const layouts = await gatherSources(run, given, gathered);
    const schemaId = await run.store.putRecord(schema);
    return {
      output: { ...(await gathered.identify()), schema: schemaId },
      schema,
      layout: composeLayout(concatLayouts(layouts), rows),
    };
  } finally {
    await gathered.close();
  }
}

/** Layouts of all sources that addresses name, end to end; their digests go where they are gathered, one after the other. */
async function gatherSources(
  run: TableSettling,
  given: AssembledTable,
  gathered: GatheredDigests,
): Promise<readonly Layout[]> {
  const { schema, rows } = given;
  const layouts: Layout[] = [];
  let start = 0;
  for (const [index, reader] of run.inputs.entries()) {
    const [from, to] = [start, (start += reader.rows)];
    const isUsed = rows.some((address) => address >= from && address < to);
    const layout = run.layouts[index]!;
    const label = index === 0 ? 'the input' : `input ${index}`;
    if (!isUsed) {
      layouts.push(layout);
      continue;
    }
    const source = await fitted(run, { reader, layout, digests: await reader.digests(), label }, schema);
    layouts.push(source.layout);
    await gathered.add(source.digests, from);
  }
  if (given.added !== null) {
    const added = (await storeBeside(run, given, schema)) ?? (await storeAdded(run, given.added, schema));
    layouts.push(added.layout);
    await gathered.add(added.digests, start);
  }
  return layouts;
}

/** Whether the table is nothing but the new rows, in their order and all of them to be stored whole. */
function isAddedAlone(
  { inputs }: TableSettling,
  { schema, rows, unchanged }: AssembledTable,
  added: ReadTable,
): boolean {
  if (unchanged !== undefined || rows.length !== added.rows || !sameSchema(added.schema, schema)) return false;
  const start = inputs.reduce((sum, reader) => sum + reader.rows, 0);
  for (let row = 0; row < rows.length; row++) if (rows[row] !== start + row) return false;
  return true;
}

function sameSchema(a: TableSchema, b: TableSchema): boolean {
  if (a.columns.length !== b.columns.length) return false;
  return a.columns.every(({ name, type }, at) => name === b.columns[at]!.name && sameType(type, b.columns[at]!.type));
}

/** Their ids are those of the table: no digest is held. */
async function settleAdded({ store, engine }: TableSettling, added: ReadTable): Promise<SettledTable> {
  const schema = await store.putRecord(added.schema);
  const output = { table: added.table, schema, setRoot: await added.setRoot(), rows: added.rows };
  const layout = await readLayout(store, (await storeTable(store, engine, added, [])).layout);
  await rm(added.digestsPath, { force: true });
  await added.dispose();
  return { output, schema: added.schema, layout };
}

/** New rows go to parts of the store. */
async function storeAdded(
  run: TableSettling,
  added: NonNullable<AssembledTable['added']>,
  schema: TableSchema,
): Promise<Source> {
  const { store, engine } = run;
  await store.putRecord(added.schema);
  const stored = await storeTable(store, engine, added, []);
  const layout = await readLayout(store, stored.layout);
  const digests = await readFile(added.digestsPath);
  await rm(added.digestsPath, { force: true });
  await added.dispose();
  const reader = await openLayout(store, engine, added.schema, layout);
  try {
    return await fitted(run, { reader, layout, digests, label: 'the new rows' }, schema);
  } finally {
    await reader.close();
  }
}

interface Fitting extends Source {
  readonly reader: TableReader;
  readonly label: string;
}

/**
 * The rows under the output's types, without columns that it lacks, such as a row number that a command carried. Lines
 * are read under any type; a typed column of another type is written anew.
 */
async function fitted(
  { store, engine }: TableSettling,
  { reader, layout, digests, label }: Fitting,
  schema: TableSchema,
): Promise<Source> {
  await checkExact(engine, { label, reader }, schema);
  const otherwise = await columnsStoredOtherwise(store, layout, schema);
  const types = columnsByName(schema);
  const columns = reader.schema.columns.filter(({ name }) => types.has(name));
  const areAll = columns.length === reader.schema.columns.length;
  if (otherwise.size === 0 && areAll) return { layout, digests };
  const changed = await computeColumns(store, engine, {
    layout,
    // A column of nulls has no type of its own: what stays is read as what it becomes.
    input: {
      ...reader.schema,
      columns: reader.schema.columns.map((column) =>
        otherwise.has(column.name) ? column : (types.get(column.name) ?? column),
      ),
    },
    output: { ...schema, columns: columns.map(({ name }) => types.get(name)!) },
    kept: new Map(columns.flatMap(({ name }) => (otherwise.has(name) ? [] : [[name, name] as const]))),
    computed: columns.flatMap(({ name, type }) =>
      otherwise.has(name) ? [{ name, sql: castValueSql(quoteIdentifier(name), type, types.get(name)!.type) }] : [],
    ),
  });
  if (areAll && Buffer.compare(changed.digests, digests) !== 0) {
    throw new RangeError(`rows of ${label} changed as types widened`);
  }
  return changed;
}
