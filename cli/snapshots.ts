/**
 * Opening the versions that commands name.
 * @module
 */
import { type SnapshotRecord, type TableRef, snapshotRecord } from '../schemas/records.ts';
import type { Engine } from '../src/engine/engine.ts';
import { HoldoutError } from '../src/errors.ts';
import type { TableAccess } from '../src/lineage/row-origins.ts';
import { type TableKey, type VersionEntry, tableKey } from '../src/store/journal-state.ts';
import type { Store } from '../src/store/store.ts';
import { type TableReader, openTable, tableDigests } from '../src/tables/table-reader.ts';
import type { CliContext } from './context.ts';
import { remark } from './output.ts';

type Surroundings = Pick<CliContext, 'now' | 'threads'>;

/** A version with its record and a reader of its rows. */
export interface OpenVersion {
  readonly entry: VersionEntry;
  readonly snapshot: SnapshotRecord;
  readonly reader: TableReader;
}

/** `name@3`. */
export function entryName(entry: Pick<VersionEntry, 'name' | 'version'>): string {
  return `${entry.name}@${entry.version}`;
}

/**
 * Opens the rows of a version; one that was dropped is rebuilt, and checked, first.
 * @throws HoldoutError STORE_CORRUPT with the way back when the store has lost something of it.
 */
export async function openVersion(
  context: Surroundings,
  store: Store,
  engine: Engine,
  entry: VersionEntry,
): Promise<OpenVersion> {
  const snapshot = await store.getRecord(entry.snapshot, snapshotRecord);
  try {
    return { entry, snapshot, reader: await openKept(context, store, engine, snapshot, entryName(entry), entry) };
  } catch (error) {
    if (!(error instanceof HoldoutError) || !['NOT_FOUND', 'STORE_CORRUPT'].includes(error.code)) throw error;
    throw new HoldoutError('STORE_CORRUPT', `${entryName(entry)} cannot be read: ${error.message}`, {
      ...error.place,
      hint: `\`holdout reproduce ${entryName(entry)} --restore\` rebuilds what can be rebuilt`,
      cause: error,
    });
  }
}

/**
 * Opens the tables of a lineage, that of `of` where it is one's; those that were dropped are rebuilt, which is said once.
 * @param before called once, before the first of them is rebuilt; it may refuse
 */
export function tableAccess(
  context: Surroundings,
  store: Store,
  engine: Engine,
  of?: VersionEntry,
  before?: (dropped: ReadonlySet<TableKey>) => void,
): TableAccess {
  let told = false;
  let asked = false;
  const onRebuild = (): void => {
    if (!told) remark('rows on the way were dropped: making them again');
    told = true;
  };
  const keep = async (ref: TableRef): Promise<void> => {
    const { dropped } = await store.journal();
    if (!dropped.has(tableKey(ref))) return;
    if (!asked) before?.(dropped);
    asked = true;
    await rebuild(context, store, engine, ref, onRebuild, of);
  };
  return {
    store,
    open: async (ref) => {
      await keep(ref);
      return openTable(store, engine, ref);
    },
    digests: async (ref) => {
      await keep(ref);
      return tableDigests(store, ref);
    },
  };
}

/** Rebuilds a table that was dropped, with a word on standard error; `entry` is the version that is meant, or made of it. */
export async function keepTable(
  context: Surroundings,
  store: Store,
  engine: Engine,
  ref: TableRef,
  name: string,
  entry?: VersionEntry,
): Promise<void> {
  if (!(await store.journal()).dropped.has(tableKey(ref))) return;
  await rebuild(context, store, engine, ref, () => remark(`${name} was dropped: making its rows again`), entry);
}

async function rebuild(
  context: Surroundings,
  store: Store,
  engine: Engine,
  ref: TableRef,
  onRebuild: () => void,
  entry?: VersionEntry,
): Promise<void> {
  const { rebuildDropped } = await import('../src/lineage/rebuild.ts');
  const { builtInTransforms } = await import('../transforms/index.ts');
  await rebuildDropped(
    { store, engine, transforms: builtInTransforms, threads: context.threads, now: context.now(), onRebuild },
    ref,
    entry,
  );
}

async function openKept(
  context: Surroundings,
  store: Store,
  engine: Engine,
  ref: TableRef,
  name: string,
  entry?: VersionEntry,
): Promise<TableReader> {
  await keepTable(context, store, engine, ref, name, entry);
  return openTable(store, engine, ref);
}
