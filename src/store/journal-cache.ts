/**
 * The fold of the journal as a cache file, so that a store with thousands of entries opens at once. It counts only
 * when the journal still holds the entry that it ends with.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { JournalEntry } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { readCache, writeCache } from './cache-file.ts';
import { readEntry } from './journal-entry.ts';
import { emptyState, foldEntries } from './journal-state.ts';
import type { JournalState, TableKey } from './journal-state.ts';
import type { TempFolder } from './temp-folder.ts';

/** What the file holds; written by this module only, and guarded by its digest. */
interface CachedJournal {
  readonly format: 2;
  readonly head: Sha256Id;
  readonly entries: readonly JournalEntry[];
  readonly layouts: readonly (readonly [TableKey, Sha256Id])[];
  readonly dropped: readonly TableKey[];
}

/** @throws HoldoutError `IO` */
export async function readJournalCache(root: string): Promise<JournalState | null> {
  const cached = (await readCache(root, 'journal')) as CachedJournal | null;
  if (cached?.format !== 2) return null;
  if ((await idOfEntry(root, cached.entries.length)) !== cached.head) return null;
  const chained = cached.entries.map((entry) => ({ entry, id: cached.head, table: null }));
  return { ...foldEntries(emptyState, chained), layouts: new Map(cached.layouts), dropped: new Set(cached.dropped) };
}

/** @throws HoldoutError `IO` */
export async function writeJournalCache(root: string, temp: TempFolder, state: JournalState): Promise<void> {
  if (state.head === null) return;
  const cached: CachedJournal = {
    format: 2,
    head: state.head,
    entries: state.entries,
    layouts: [...state.layouts],
    dropped: [...state.dropped],
  };
  await writeCache(root, temp, 'journal', cached);
}

async function idOfEntry(root: string, seq: number): Promise<Sha256Id | null> {
  try {
    return (await readEntry(root, seq))?.id ?? null;
  } catch (error) {
    // The reader of the whole journal will meet the same entry, and say what is wrong with it.
    if (error instanceof HoldoutError && error.code === 'STORE_CORRUPT') return null;
    throw error;
  }
}
