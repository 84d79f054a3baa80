/**
 * The journal: the store's only mutable thing. Entry n + 1 is created exclusively and names entry n by its id; the
 * entry is the ref move. Losing the race for a number means another process went ahead: build again and go on.
 * @module
 */
import { readdir } from 'node:fs/promises';
import { snapshotRecord, journalEntry } from '../../schemas/records.ts';
import type { JournalEntry, TableRef } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { errnoOf, ioError } from './io-error.ts';
import { assertFollows, missingEntry, readEntry, writeEntry } from './journal-entry.ts';
import { readJournalCache, writeJournalCache } from './journal-cache.ts';
import { emptyState, foldEntries } from './journal-state.ts';
import type { ChainedEntry, JournalDraft, JournalState } from './journal-state.ts';
import { getRecord } from './records.ts';
import { journalFolder } from './store-paths.ts';
import { assertStored } from './journal-references.ts';
import type { TempFolder } from './temp-folder.ts';

/** How many entries are read at once. */
const readsAtOnce = 64;
/** Entries read past the cached ones before the cache is written again. */
const uncachedMax = 256;

/** A store's journal, read as far as it went when last asked. */
export class Journal {
  private known: JournalState = emptyState;
  private cachedSeq: number | null = null;
  /** Whether the table of every version could be read; a state that lacks one is not cached. */
  private whole = true;
  private readonly root: string;
  private readonly temp: TempFolder;

  constructor(root: string, temp: TempFolder) {
    this.root = root;
    this.temp = temp;
  }

  /**
   * The fold of all entries that are there now.
   * @throws HoldoutError `STORE_CORRUPT`, `IO`
   */
  async state(): Promise<JournalState> {
    if (this.cachedSeq === null) {
      const cached = await readJournalCache(this.root);
      this.cachedSeq = cached?.seq ?? 0;
      this.advance(cached ?? emptyState);
    }
    const { state, whole } = await readOn(this.root, this.known);
    this.advance(state);
    this.whole &&= whole;
    if (this.whole && state.seq - this.cachedSeq > uncachedMax) {
      this.cachedSeq = state.seq;
      await writeJournalCache(this.root, this.temp, state);
    }
    return this.known;
  }

  /**
   * Appends the entry that `build` makes of the current state; null makes none. When another process was quicker,
   * `build` is called again with the newer state. Durable when it returns.
   * @throws RangeError when the draft does not fit the state
   * @throws HoldoutError `NOT_FOUND` when the draft names something not stored; `STORE_CORRUPT`, `IO`
   */
  async commit(build: (state: JournalState) => JournalDraft | null, now: Date): Promise<JournalEntry | null> {
    for (;;) {
      const state = await this.state();
      const draft = build(state);
      if (draft === null) return null;
      const entry = chain(state, draft, now);
      await assertStored(this.root, draft);
      if ((await writeEntry(this.root, this.temp, entry)) === 'placed') {
        await this.state();
        return entry;
      }
    }
  }

  private advance(state: JournalState): void {
    if (state.seq > this.known.seq) this.known = state;
  }
}

/**
 * Makes the first entry of a new store; one that an interrupted `init` left is kept.
 * @throws HoldoutError `IO`
 */
export async function beginJournal(root: string, temp: TempFolder, holdout: string, now: Date): Promise<void> {
  await writeEntry(root, temp, {
    type: 'holdout/journal@1',
    op: 'init',
    seq: 1,
    previous: null,
    time: now.toISOString(),
    holdout,
  });
}

async function readOn(root: string, from: JournalState): Promise<{ state: JournalState; whole: boolean }> {
  let { seq, head } = from;
  const more: ChainedEntry[] = [];
  // A store that is up to date costs one failing open; one that is far behind is read many entries at a time.
  for (let atOnce = 1; ; atOnce = Math.min(atOnce * 4, readsAtOnce)) {
    const first = seq + 1;
    const batch = await Promise.all(Array.from({ length: atOnce }, (_, i) => readEntry(root, first + i)));
    for (const read of batch) {
      if (read === null) break;
      assertFollows(root, read.entry, head);
      more.push({ ...read, table: await tableOf(root, read.entry) });
      seq = read.entry.seq;
      head = read.id;
    }
    if (seq < first + atOnce - 1) break;
  }
  if (from.seq === 0) await assertLast(root, seq);
  const whole = more.every(({ entry, table }) => entry.op !== 'version' || table !== null);
  return { state: foldEntries(from, more), whole };
}

async function assertLast(root: string, seq: number): Promise<void> {
  const folder = journalFolder(root);
  const names = await readdir(folder).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw ioError('read', folder, error);
  });
  const last = names.reduce((max, name) => Math.max(max, Number(/^([0-9]{12})\.jsonl$/.exec(name)?.[1] ?? 0)), 0);
  // Entries that came while this was reading follow without a gap.
  if (last > seq && (await readEntry(root, seq + 1)) === null) throw missingEntry(root, seq + 1);
  if (last === 0) throw missingEntry(root, 1);
}

/**
 * The table that a version's snapshot names. Null for other entries, and where the snapshot is damaged: that is told
 * by whoever opens it, and must not close the rest of the store.
 * @throws HoldoutError `IO`
 */
export async function tableOf(root: string, entry: JournalEntry): Promise<TableRef | null> {
  if (entry.op !== 'version') return null;
  try {
    return await getRecord(root, entry.snapshot, snapshotRecord);
  } catch (error) {
    if (error instanceof HoldoutError && error.code === 'STORE_CORRUPT') return null;
    throw error;
  }
}

function chain(state: JournalState, draft: JournalDraft, now: Date): JournalEntry {
  if (draft.op === 'version') {
    const next = (state.names.get(draft.name)?.length ?? 0) + 1;
    if (draft.version !== next)
      throw new RangeError(`"version" of ${draft.name} expected ${next}, got ${draft.version}`);
  }
  return journalEntry.parse({
    ...draft,
    type: 'holdout/journal@1',
    seq: state.seq + 1,
    previous: state.head,
    time: now.toISOString(),
  });
}
