/**
 * Opening the versions that commands name.
 * @module
 */
import { type SnapshotRecord, snapshotRecord } from '../schemas/records.ts';
import type { Engine } from '../src/engine/engine.ts';
import { HoldoutError } from '../src/errors.ts';
import type { TableAccess } from '../src/lineage/row-origins.ts';
import type { VersionEntry } from '../src/store/journal-state.ts';
import type { Store } from '../src/store/store.ts';
import { type TableReader, openTable } from '../src/tables/table-reader.ts';

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
 * Opens the rows of a version.
 * @throws HoldoutError STORE_CORRUPT with the way back when the store has lost something of it.
 */
export async function openVersion(store: Store, engine: Engine, entry: VersionEntry): Promise<OpenVersion> {
  const snapshot = await store.getRecord(entry.snapshot, snapshotRecord);
  try {
    return { entry, snapshot, reader: await openTable(store, engine, snapshot) };
  } catch (error) {
    if (!(error instanceof HoldoutError) || !['NOT_FOUND', 'STORE_CORRUPT'].includes(error.code)) throw error;
    throw new HoldoutError('STORE_CORRUPT', `${entryName(entry)} cannot be read: ${error.message}`, {
      ...error.place,
      hint: `\`holdout reproduce ${entryName(entry)} --restore\` rebuilds what can be rebuilt`,
      cause: error,
    });
  }
}

/** Opens the tables of a lineage. */
export function tableAccess(store: Store, engine: Engine): TableAccess {
  return { store, open: (ref) => openTable(store, engine, ref) };
}
