/**
 * The store: one folder of records, files and a journal. The only owner of the file system inside that folder.
 * @module
 */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { z } from 'zod';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { JournalEntry } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { CheckedFiles } from './checked-files.ts';
import { ChunkIndex } from './chunk-index.ts';
import { putChunks, readChunks } from './chunks.ts';
import type { ChunkList } from './chunks.ts';
import { makeFolder, placeFile, writeNewFile } from './durable-files.ts';
import { Journal, beginJournal } from './journal.ts';
import type { JournalDraft, JournalState, VersionEntry } from './journal-state.ts';
import { neededBy } from './needs.ts';
import type { LayoutParts, Need } from './needs.ts';
import * as records from './records.ts';
import { type Realised, knownRealisation, rememberRealisation } from './realised-cache.ts';
import { executeSweep, placesOf } from './quarantine.ts';
import type { SweepPlan } from './quarantine.ts';
import { SourceCache } from './source-cache.ts';
import { assertUsable, configText, hasConfig } from './store-config.ts';
import { configPath, filePath, kindFolder, storeFolderName, storedKinds } from './store-paths.ts';
import type { FileKind, StoredKind } from './store-paths.ts';
import { storedBytes } from './store-size.ts';
import type { StoredBytes } from './store-size.ts';
import * as files from './stored-files.ts';
import type { StoredRecord } from './stored-record.ts';
import { planStoreSweep } from './sweep-plan.ts';
import { TempFolder, otherOwners, sweepTemporary } from './temp-folder.ts';
import { readableVersions, verifyFiles, verifyStructure } from './verify.ts';
import type { Damage } from './verify.ts';

/** An open store. `close` removes its temporary files; what is stored needs no closing. */
export class Store {
  /** The store's own folder. */
  readonly root: string;
  /** The folders that its files lie in: its own, and of a scratch store that of its base. */
  readonly roots: readonly string[];
  /** The folder that the store stands in. */
  readonly projectRoot: string;
  private readonly temp: TempFolder;
  private readonly log: Journal;
  private readonly checked: CheckedFiles;
  private readonly chunks: ChunkIndex;
  /** Of a scratch store: the store that it is laid over. */
  private readonly base: Store | null;

  private constructor(root: string, base: Store | null = null) {
    this.root = root;
    this.roots = base === null ? [root] : [root, ...base.roots];
    this.base = base;
    this.projectRoot = base?.projectRoot ?? dirname(root);
    this.temp = base?.temp ?? new TempFolder(root);
    this.log = new Journal(root, this.temp);
    this.checked = new CheckedFiles(root, this.temp);
    this.chunks = new ChunkIndex(root);
  }

  /**
   * Makes a store in a folder that has none. One whose making was interrupted is completed.
   * @throws HoldoutError `CONFLICT` when there is a store; `IO`
   */
  static async init(root: string, facts: { holdoutVersion: string; now: Date }): Promise<Store> {
    const store = new Store(resolve(root));
    if (await hasConfig(store.root)) throw alreadyThere(store.root);
    for (const kind of storedKinds) await makeFolder(kindFolder(store.root, kind));
    await store.place(join(store.root, '.gitignore'), '*\n');
    await beginJournal(store.root, store.temp, facts.holdoutVersion, facts.now);
    // The config file makes the folder a store, so it comes last.
    if ((await store.place(configPath(store.root), configText)) === 'taken') throw alreadyThere(store.root);
    return store;
  }

  /**
   * Opens the store in this folder, and removes what dead processes left in its temporary folder.
   * @throws HoldoutError `STORE_UNUSABLE`, `IO`
   */
  static async open(root: string): Promise<Store> {
    const store = new Store(resolve(root));
    await assertUsable(store.root);
    await sweepTemporary(store.root, Date.now());
    return store;
  }

  /**
   * A store in the temporary folder of another one: it reads what that one has, keeps what is put for itself, commits
   * nothing, and goes when it is closed or its base is.
   * @throws HoldoutError `IO`
   */
  static async scratchOver(base: Store): Promise<Store> {
    const store = new Store(await base.tempDirectory(), base);
    for (const kind of storedKinds) await makeFolder(kindFolder(store.root, kind));
    return store;
  }

  /** The store of this folder or of the nearest one above it that has one, as Git finds its own; null for none. */
  static async find(from: string): Promise<string | null> {
    for (let folder = resolve(from); ; folder = dirname(folder)) {
      const root = join(folder, storeFolderName);
      if (await isFile(configPath(root))) return root;
      if (dirname(folder) === folder) return null;
    }
  }

  /**
   * Stores a record durably.
   * @throws TypeError when the record is not what its type says
   * @throws HoldoutError `IO`, `LIMIT`
   */
  putRecord(record: StoredRecord): Promise<Sha256Id> {
    return records.putRecord(this.root, this.temp, record);
  }

  /**
   * A record, re-hashed and checked against the schema.
   * @throws HoldoutError `STORE_CORRUPT` also when it is missing; `IO`
   */
  getRecord<T>(id: Sha256Id, schema: z.ZodType<T>): Promise<T> {
    return records.getRecord(this.rootOf('record', id), id, schema);
  }

  /**
   * A record of whatever type, re-hashed and checked as the type that it names.
   * @throws HoldoutError `STORE_CORRUPT` also when it is missing; `IO`
   */
  readRecord(id: Sha256Id): Promise<StoredRecord> {
    return records.readRecord(this.rootOf('record', id), id);
  }

  /** Ids of the records that begin with these hex digits, sorted. @throws HoldoutError `IO` */
  resolveRecordPrefix(prefix: string): Promise<Sha256Id[]> {
    return records.resolveRecordPrefix(this.root, prefix);
  }

  /** A free name in the store's temporary folder; whatever is made there goes when its owner does. */
  tempPath(suffix = ''): Promise<string> {
    return this.temp.path(suffix);
  }

  /** A new empty folder in the store's temporary folder. */
  tempDirectory(): Promise<string> {
    return this.temp.directory();
  }

  /** Takes a finished temporary file into the store, durably and read-only. @throws HoldoutError `IO` */
  async putFile(kind: FileKind, tempPath: string): Promise<{ id: Sha256Id; bytes: number }> {
    const { fresh, ...put } = await files.putFile(this.root, this.temp, kind, tempPath);
    if (fresh) await this.checked.note(kind, put.id);
    return put;
  }

  /** Where a stored thing lies. @throws TypeError for what is no id */
  filePath(kind: StoredKind, id: Sha256Id): string {
    return filePath(this.rootOf(kind, id), kind, id);
  }

  /** Whether a stored thing is there, be it in quarantine. @throws HoldoutError `IO` */
  async has(kind: StoredKind, id: Sha256Id): Promise<boolean> {
    return existsSync(this.filePath(kind, id)) || (await placesOf(this.root, kind, id)).length > 0;
  }

  /** Re-hashes a stored file. @throws HoldoutError `IO` */
  checkFile(kind: StoredKind, id: Sha256Id): Promise<'ok' | 'missing' | 'damaged'> {
    return files.checkFile(this.rootOf(kind, id), kind, id);
  }

  /**
   * Makes sure that a stored file matches its id, by hashing it unless it looks as it did when last hashed.
   * @throws HoldoutError `STORE_CORRUPT` when it does not or is missing, `IO`
   */
  ensureIntact(kind: StoredKind, id: Sha256Id): Promise<void> {
    return this.rootOf(kind, id) === this.root
      ? this.checked.ensureIntact(kind, id)
      : this.base!.ensureIntact(kind, id);
  }

  /**
   * Stores a raw file's bytes as chunks; `newBytes` is what that added on disk.
   * @throws HoldoutError `IO`
   */
  putChunks(source: AsyncIterable<Uint8Array>): Promise<{ chunks: ChunkList; newBytes: number }> {
    return putChunks(this.root, this.temp, this.chunks, source);
  }

  /** The bytes of a chunk list, each chunk re-hashed. @throws HoldoutError `STORE_CORRUPT`, `IO`, while it is read */
  readChunks(chunks: Iterable<readonly [Sha256Id, number]>): AsyncGenerator<Uint8Array, void, undefined> {
    return readChunks(this.root, this.chunks, chunks);
  }

  /** The digests of source files that were read before. @throws HoldoutError `IO` */
  sourceCache(): Promise<SourceCache> {
    return SourceCache.open(this.root, this.temp);
  }

  /** What a derivation came to that no journal entry names, or null. @throws HoldoutError `IO` */
  async knownRealisation(derivation: Sha256Id): Promise<Realised | null> {
    const known = await knownRealisation(this.root, derivation);
    return known === null && this.base !== null ? this.base.knownRealisation(derivation) : known;
  }

  /** Keeps what a derivation came to, until the cache is deleted. @throws HoldoutError `IO` */
  rememberRealisation(realised: Realised): Promise<void> {
    return rememberRealisation(this.root, this.temp, realised);
  }

  /** The state that all journal entries make. @throws HoldoutError `STORE_CORRUPT`, `IO` */
  journal(): Promise<JournalState> {
    return this.base === null ? this.log.state() : this.base.journal();
  }

  /**
   * Appends the entry that `build` makes of the current state, and makes it durable. `build` runs again when another
   * process was quicker; null appends nothing.
   * @throws RangeError when the draft does not fit the state
   * @throws HoldoutError `NOT_FOUND` when the draft names something not stored; `STORE_CORRUPT`, `IO`
   */
  commit(build: (state: JournalState) => JournalDraft | null, now: Date): Promise<JournalEntry | null> {
    if (this.base !== null) throw new TypeError('a scratch store commits nothing');
    return this.log.commit(build, now);
  }

  /** The versions whose entries can be read, also where the journal as a whole cannot. @throws HoldoutError `IO` */
  readableVersions(): Promise<readonly VersionEntry[]> {
    return readableVersions(this.root);
  }

  /** Bytes on disk, by kind. @throws HoldoutError `IO` */
  stats(): Promise<StoredBytes> {
    return storedBytes(this.root);
  }

  /**
   * Checks the journal's chain, and all records and files that it needs, by name and size.
   * @throws HoldoutError `IO`
   */
  verifyStructure(partsOf: LayoutParts): Promise<readonly Damage[]> {
    return verifyStructure(this.root, partsOf);
  }

  /** Hashes every stored file. @throws HoldoutError `IO` */
  verifyFiles(onProgress?: (bytes: number) => void): Promise<readonly Damage[]> {
    return verifyFiles(this.root, onProgress);
  }

  /**
   * What a sweep of unneeded rows would do, and who else has the store open. Nothing may be moved while somebody has:
   * a writer may count on a file that no entry names yet.
   * @throws HoldoutError `STORE_CORRUPT` also for a store that is damaged, as what it needs is not known; `IO`
   */
  async planSweep(
    partsOf: LayoutParts,
    times: { readonly now: number; readonly graceMs: number },
  ): Promise<{ readonly plan: SweepPlan; readonly others: readonly string[] }> {
    await this.chunks.refresh();
    const state = await this.journal();
    const plan = await planStoreSweep({ root: this.root, state, chunks: this.chunks, partsOf }, state.entries, times);
    return { plan, others: await otherOwners(this.root, times.now) };
  }

  /**
   * Sweeps, unless somebody else has the store open. Whoever opens it meanwhile waits until this is done.
   * @throws HoldoutError as planning does
   */
  sweep(
    partsOf: LayoutParts,
    times: { readonly now: number; readonly graceMs: number },
  ): Promise<{ readonly plan: SweepPlan; readonly others: readonly string[] }> {
    return this.temp.whileSweeping(async (others) => {
      const { plan } = await this.planSweep(partsOf, times);
      if (others.length === 0) await executeSweep(this.root, plan, times.now);
      return { plan, others };
    });
  }

  /** Carries out a plan that was made while nobody else had the store open. @throws HoldoutError `IO` */
  executeSweep(plan: SweepPlan, now: number): Promise<void> {
    return executeSweep(this.root, plan, now);
  }

  /** All that an entry needs, as `verifyStructure` follows it. @throws HoldoutError `STORE_CORRUPT`, `IO` */
  async neededBy(entry: JournalEntry, partsOf: LayoutParts): Promise<readonly Need[]> {
    await this.chunks.refresh();
    const state = await this.journal();
    return neededBy({ root: this.root, state, chunks: this.chunks, partsOf }, entry);
  }

  /** Removes this process's temporary files, and keeps what it learned of files that it hashed. */
  async close(): Promise<void> {
    if (this.base !== null) {
      await this.temp.discardFolder(this.root);
      return;
    }
    await this.checked.save();
    await this.temp.remove();
  }

  /** Removes this process's temporary files without waiting, for a process that is about to end. */
  removeTemporaries(): void {
    this.temp.removeNow();
  }

  /** Whose folder holds the thing: a scratch store's own where it is there, else its base's. */
  private rootOf(kind: StoredKind, id: Sha256Id): string {
    if (this.base === null || existsSync(filePath(this.root, kind, id))) return this.root;
    return this.base.rootOf(kind, id);
  }

  private async place(path: string, text: string): Promise<'placed' | 'taken'> {
    const temporary = await this.temp.path('.init');
    await writeNewFile(temporary, Buffer.from(text));
    const outcome = await placeFile(temporary, path);
    if (outcome === 'taken') await this.temp.discard(temporary);
    return outcome;
  }
}

function alreadyThere(root: string): HoldoutError {
  return new HoldoutError('CONFLICT', `there is a store at ${root} already`, { file: root });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
