/**
 * Writes the rows of a mapping out whole.
 * @module
 */
import { rm, stat } from 'node:fs/promises';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { Store } from '../store/store.ts';
import { groupRowsOf } from '../tables/part-file.ts';
import { openReadTable } from '../tables/read-table-reader.ts';
import type { ReadTable } from '../tables/read/read-table-types.ts';
import { setRootOf, tableIdOf } from '../tables/read/table-digests.ts';
import { writeDigests, writeParquet } from '../tables/read/typed-body.ts';
import { freeName } from '../tables/sql-types.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { keptPositions } from './select-rows.ts';
import type { ColumnFile, MappedColumns } from './step-output.ts';

/** What writing out needs. */
export interface Materialising {
  readonly store: Store;
  readonly engine: Engine;
  readonly scratch: string;
  readonly inputs: readonly TableReader[];
}

/** The rows of a mapping's output. */
export async function materialiseColumns(run: Materialising, given: MappedColumns): Promise<ReadTable> {
  const [input] = run.inputs;
  if (input === undefined) throw new RangeError('"inputs" expected a table');
  const { engine } = run;
  const place = quoteIdentifier(freeName(given.schema, 'holdout_place'));
  const position = freeName(input.schema, 'holdout_position');
  const positions = given.keep === null ? null : keptPositions(given.keep, input.rows);
  if (positions !== null) await registerPlaces(engine, positions);
  const values = await valuesSql(run, given.values, place);
  const columns = given.schema.columns.map(({ name }) => {
    const from = given.kept.get(name);
    const value = from === undefined ? `v.${quoteIdentifier(name)}` : `i.${quoteIdentifier(from)}`;
    return `${value} AS ${quoteIdentifier(name)}`;
  });
  const at = `i.${quoteIdentifier(position)}`;
  const join = positions === null ? '' : ` JOIN ${places} AS m ON m.source = ${at}`;
  const order = positions === null ? at : 'm.target';
  const with_ = values === null ? '' : ` JOIN (${values}) AS v ON v.${place} = ${order}`;
  const sql = `SELECT ${columns.join(', ')} FROM (${input.relationSql({ position })}) AS i${join}${with_} ORDER BY ${order}`;
  return writeOut(run, sql, given.schema, positions?.length ?? input.rows);
}

const places = 'holdout_places';

async function registerPlaces(engine: Engine, positions: Uint32Array): Promise<void> {
  await engine.registerTable(places, [
    { name: 'source', type: 'BIGINT', values: BigInt64Array.from(positions, BigInt) },
    { name: 'target', type: 'BIGINT', values: BigInt64Array.from(positions, (_, index) => BigInt(index)) },
  ]);
}

async function valuesSql(run: Materialising, values: ColumnFile | null, place: string): Promise<string | null> {
  if (values === null) return null;
  if (values.kind === 'parquet') {
    const file = `read_parquet(${run.engine.fileSql(values.path)}, hive_partitioning = false)`;
    return `SELECT *, row_number() OVER () - 1 AS ${place} FROM ${file}`;
  }
  const reader = await openReadTable(run.engine, values.table, { workDirectory: run.scratch });
  return reader.relationSql({ position: place.slice(1, -1) });
}

async function writeOut(run: Materialising, sql: string, schema: TableSchema, rows: number): Promise<ReadTable> {
  const path = await run.store.tempPath('.parquet');
  await writeParquet(run.engine, sql, path, groupRowsOf(run.inputs[0]?.rowBytes ?? 0));
  const digestsPath = await run.store.tempPath('.digests');
  const written = await writeDigests(run.engine, path, schema, digestsPath);
  if (written !== rows) throw new RangeError(`a step gave ${written} rows where it promised ${rows}`);
  const digests = { path: digestsPath, rows };
  return {
    schema,
    rows,
    digestsPath,
    table: await tableIdOf(digests),
    setRoot: () => setRootOf(digests),
    bodies: rows === 0 ? [] : [{ kind: 'typed', path, firstRow: 0, rows, mayMove: true }],
    sources: [],
    notes: [],
    readParams: { formats: [], schema, inferred: false },
    bytes: (await stat(path)).size,
    dispose: () => rm(path, { force: true }),
  };
}
