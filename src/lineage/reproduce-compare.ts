/**
 * What differs between a recorded table and the one that came out now, and what is not as it was then.
 * @module
 */
import type { z } from 'zod';
import type { RealisationRecord, TableRef } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';
import type { Store } from '../store/store.ts';
import { fetchFields } from '../tables/rows-at.ts';
import { type TableReader, openTable } from '../tables/table-reader.ts';
import { codeFolderOf } from './code-folder.ts';
import type { LineageStep } from './graph.ts';
import { isLost } from './reproduce-step.ts';
import { type TableIdentity, identifyDigests } from './select-rows.ts';
import { type Transform, prepareAgain } from './transform.ts';

type Json = z.core.util.JSONType;

/** A row that differs, column by column; JSON text, null where a table lacks the column or the row. */
export interface DifferentRow {
  /** Zero-based. */
  readonly row: number;
  readonly columns: readonly { readonly name: string; readonly recorded: string | null; readonly got: string | null }[];
}

/** Something that is not as it was when the step was recorded. */
export interface VersionChange {
  /** `holdout`, `node`, `duckdb`, `unicode`, or a place in the code's identity such as `code.files.clean.ts`. */
  readonly what: string;
  readonly was: string;
  readonly is: string;
}

/** How two tables compare. */
export interface Comparison {
  readonly same: boolean;
  readonly got: TableIdentity;
  readonly detail: string;
  readonly firstDifferentRow: number | null;
  readonly rows: readonly DifferentRow[];
}

const rowsShownMax = 3;

/**
 * Compares what came out with what was recorded; the recorded rows are read where the store still has them.
 * @throws HoldoutError as the engine and the store do
 */
export async function compareTables(
  run: { readonly store: Store; readonly engine: Engine },
  recorded: RealisationRecord['output'],
  { ref, reader }: { readonly ref: TableRef; readonly reader: TableReader },
): Promise<Comparison> {
  const digests = await reader.digests();
  const got = identifyDigests(digests);
  if (got.table === recorded.table && ref.schema === recorded.schema) {
    return { same: true, got, detail: '', firstDifferentRow: null, rows: [] };
  }
  if (got.table === recorded.table) {
    return { same: false, got, detail: 'the same values under another schema', firstDifferentRow: null, rows: [] };
  }
  const order = got.setRoot === recorded.setRoot ? 'the same rows in another order' : `${got.rows} rows now`;
  const stored = await storedTable(run, recorded);
  if (stored === null) return { same: false, got, detail: order, firstDifferentRow: null, rows: [] };
  try {
    const rows = differingRows(await stored.digests(), digests);
    const [first = 0] = rows;
    const shown = await differentFields(run.engine, stored, reader, rows);
    const detail = `${order}; row ${first + 1} is the first that differs`;
    return { same: false, got, detail, firstDifferentRow: first, rows: shown };
  } finally {
    await stored.close();
  }
}

/** What of engine, versions and the person's code is not as it was when a step was recorded. */
export async function versionChanges(
  run: {
    readonly store: Pick<Store, 'projectRoot'>;
    readonly engine: Engine;
    readonly transforms: readonly Transform[];
    readonly holdoutVersion?: string;
    readonly runCode?: boolean | undefined;
  },
  { entry, derivation, realisation }: LineageStep,
): Promise<readonly VersionChange[]> {
  const now: Readonly<Record<string, string | undefined>> = {
    holdout: run.holdoutVersion,
    node: process.versions.node,
    duckdb: await run.engine.value<string>('SELECT version()'),
    unicode: process.versions['unicode'] ?? 'unknown',
  };
  const changes = Object.entries(realisation.engine).flatMap(([what, was]): VersionChange[] => {
    const is = now[what];
    return is === undefined || is === was ? [] : [{ what, was, is }];
  });
  // A fingerprint is what a command of the person's prints: it runs only where code may.
  if (derivation.code === undefined || run.runCode !== true) return changes;
  return [
    ...changes,
    ...jsonChanges('code', derivation.code, await codeNow(run.transforms, derivation, codeFolderOf(run.store, entry))),
  ];
}

/** Identity of the step's code as it is now; undefined where it cannot be had. */
async function codeNow(
  transforms: readonly Transform[],
  derivation: LineageStep['derivation'],
  projectRoot: string,
): Promise<Json | undefined> {
  try {
    const prepared = prepareAgain(transforms, derivation);
    return await prepared?.code?.({ projectRoot });
  } catch {
    // Code that is gone or unreadable: that is what is told.
    return undefined;
  }
}

/** What differs between two values of JSON, by the path of keys; of a list of files the file is named. */
export function jsonChanges(what: string, before: Json | undefined, after: Json | undefined): VersionChange[] {
  const [then, now] = [byPath(before), byPath(after)];
  if (isObject(then) && isObject(now)) {
    return [...new Set([...Object.keys(then), ...Object.keys(now)])].flatMap((key) =>
      jsonChanges(`${what}.${key}`, then[key], now[key]),
    );
  }
  const [a, b] = [textOf(then), textOf(now)];
  return a === b ? [] : [{ what, was: a, is: b }];
}

/** A list of files as an object, so that the file that changed is named. */
function byPath(json: Json | undefined): Json | undefined {
  if (!Array.isArray(json) || json.length === 0) return json;
  const files = json.flatMap((each): [string, Json][] =>
    isObject(each) && typeof each['path'] === 'string' ? [[each['path'], each['sha256'] ?? null]] : [],
  );
  return files.length < json.length ? json : Object.fromEntries(files);
}

function isObject(json: Json | undefined): json is { [key: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function textOf(json: Json | undefined): string {
  return json === undefined ? 'absent' : typeof json === 'string' ? json : JSON.stringify(json);
}

/** The recorded table, where it can still be read. */
async function storedTable(
  { store, engine }: { readonly store: Store; readonly engine: Engine },
  ref: TableRef,
): Promise<TableReader | null> {
  try {
    return await openTable(store, engine, ref);
  } catch (error) {
    if (isLost(error)) return null;
    throw error;
  }
}

/** The first positions at which two tables hold different rows. */
function differingRows(recorded: Uint8Array, got: Uint8Array): number[] {
  const rows: number[] = [];
  const end = Math.max(recorded.length, got.length);
  for (let at = 0; at < end && rows.length < rowsShownMax; at += DIGEST_BYTES) {
    const [a, b] = [recorded.subarray(at, at + DIGEST_BYTES), got.subarray(at, at + DIGEST_BYTES)];
    if (Buffer.compare(a, b) !== 0) rows.push(at / DIGEST_BYTES);
  }
  return rows;
}

async function differentFields(
  engine: Engine,
  recorded: TableReader,
  got: TableReader,
  rows: readonly number[],
): Promise<DifferentRow[]> {
  const names = [...new Set([...recorded.schema.columns, ...got.schema.columns].map(({ name }) => name))];
  const before = await fetchFields(engine, recorded, rows);
  const after = await fetchFields(engine, got, rows);
  return rows.map((row) => {
    const [a, b] = [before.get(row), after.get(row)];
    const columns = names
      .map((name) => ({ name, recorded: a?.get(name) ?? null, got: b?.get(name) ?? null }))
      .filter((column) => (column.recorded ?? 'null') !== (column.got ?? 'null'));
    return { row, columns };
  });
}
