/**
 * The two questions that need no store, each in one call: what is the identity of these files, and do eval items stand
 * in training files?
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SetRoot, Sha256Id, TableId } from '../schemas/ids.ts';
import type { LeakReport } from '../schemas/leak-report.ts';
import type { FieldRoles } from '../schemas/records.ts';
import { Engine } from './engine/engine.ts';
import { schemaId } from './identity/ids.ts';
import { checkLeaks } from './leakage/check-leaks.ts';
import { checkFields, recogniseFields } from './leakage/fields.ts';
import { prepareEvals } from './leakage/prepare.ts';
import type { NamedEval, NamedTable } from './leakage/types.ts';
import { itemsRootOf } from './tables/items-root.ts';
import { openReadTable } from './tables/read-table-reader.ts';
import type { TableReader } from './tables/table-reader.ts';
import { type ReadOptions, type ReadTable, sourceOfRow } from './tables/read/read-table-types.ts';
import { readTable } from './tables/read/read-table.ts';

/** Identity of a table. */
export interface FilesIdentity {
  readonly table: TableId;
  readonly schema: Sha256Id;
  readonly setRoot: SetRoot;
  readonly rows: number;
}

/**
 * Identity of files that together are one table; folders and globs are taken too.
 * @throws HoldoutError INPUT_INVALID with file, line and column; NOT_FOUND; IO.
 * @example
 * const { table, rows } = await identifyFiles(['train.jsonl']);
 */
export async function identifyFiles(
  files: readonly string[],
  options: Pick<ReadOptions, 'schema' | 'infer' | 'format'> = {},
): Promise<FilesIdentity> {
  return inScratch(async (workDirectory) => {
    const table = await readTable(files, { ...options, workDirectory, threads: availableParallelism() });
    return { table: table.table, schema: schemaId(table.schema), setRoot: await table.setRoot(), rows: table.rows };
  });
}

/** What is checked: each entry is one set, a file, folder or glob. */
export interface FilesToCheck {
  readonly trains: readonly string[];
  readonly evals: readonly string[];
  /** Columns of the eval sets by role; recognised by name without it. */
  readonly fields?: FieldRoles;
  readonly failOn?: 'leak' | 'suspect';
}

/**
 * Checks training files against eval files, as `holdout check` does.
 * @throws HoldoutError INPUT_INVALID, NOT_FOUND, LIMIT, IO.
 * @example
 * const report = await checkFiles({ trains: ['train.jsonl'], evals: ['eval.jsonl'] });
 * if (report.verdict === 'leak') console.log(report.hits.filter((hit) => hit.leak).map((hit) => hit.source));
 */
export async function checkFiles(what: FilesToCheck): Promise<LeakReport> {
  return inScratch(async (workDirectory) => {
    const threads = availableParallelism();
    const tables = new Map<string, ReadTable>();
    const engines: Engine[] = [];
    const open = async (files: readonly string[]): Promise<{ engine: Engine; sets: OpenSet[] }> => {
      for (const file of files) {
        if (!tables.has(file)) tables.set(file, await readTable([file], { workDirectory, threads }));
      }
      const read = files.flatMap((file) => tables.get(file) ?? []);
      const readPaths = read.flatMap(({ bodies }) => bodies.map(({ path }) => path));
      const engine = await Engine.open({ tempDirectory: workDirectory, readPaths, writeDirectories: [workDirectory] });
      engines.push(engine);
      const sets: OpenSet[] = [];
      for (const [index, table] of read.entries()) {
        sets.push(await openFileSet(engine, files[index] ?? '', table, workDirectory));
      }
      return { engine, sets };
    };
    try {
      const opened = await open(what.evals);
      const evals: NamedEval[] = [];
      for (const set of opened.sets) evals.push(await asEval(opened.engine, set, what.fields));
      // The eval sets are indexed while the training files are read.
      const preparing = prepareEvals(evals);
      preparing.catch(() => undefined);
      const { engine, sets: trains } = await open(what.trains);
      const { report } = await checkLeaks({ engine, trains, evals: await preparing, threads, failOn: what.failOn });
      return report;
    } finally {
      for (const engine of engines) await engine.close();
    }
  });
}

/** A set of a check, open. */
export type OpenSet = NamedTable & { readonly reader: TableReader };

/**
 * Opens a table just read as a set of a check. The engine must be able to read its bodies, and to read and write
 * `workDirectory`.
 * @throws HoldoutError IO
 */
export async function openFileSet(
  engine: Engine,
  name: string,
  table: ReadTable,
  workDirectory: string,
): Promise<OpenSet> {
  const reader = await openReadTable(engine, table, { workDirectory });
  const lines = table.bodies.flatMap((body) =>
    body.kind === 'lines' ? [{ path: body.path, firstRow: body.firstRow, rows: body.rows }] : [],
  );
  return {
    name,
    table: table.table,
    schemaId: schemaId(table.schema),
    setRoot: await table.setRoot(),
    reader,
    // Where all rows are lines of files, the scan reads these by itself.
    rawLines: lines.length === table.bodies.length ? lines : undefined,
    sourceOf(row) {
      const { file, line } = sourceOfRow(table, row) ?? { file: '', line: null };
      return line === null ? null : { file, line };
    },
  };
}

async function asEval(engine: Engine, set: OpenSet, given: FieldRoles | undefined): Promise<NamedEval> {
  const fields = given ?? recogniseFields(set.reader.schema);
  checkFields(set.reader.schema, fields, set.name);
  const itemsRoot = await itemsRootOf(engine, set.reader, fields);
  if (itemsRoot === null) throw new TypeError('checked fields name columns');
  return { ...set, fields, itemsRoot };
}

async function inScratch<T>(run: (workDirectory: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'holdout-'));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
