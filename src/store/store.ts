/**
 * The store: one folder of records, files and a journal. The only owner of the file system inside that folder.
 * @module
 */
import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { z } from 'zod';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { JournalEntry } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { makeFolder, placeFile, writeNewFile } from './durable-files.ts';
import { Journal, beginJournal } from './journal.ts';
import type { JournalDraft, JournalState } from './journal-state.ts';
import * as records from './records.ts';
import { assertUsable, configText, hasConfig } from './store-config.ts';
import { configPath, filePath, kindFolder, storeFolderName, storedKinds } from './store-paths.ts';
import type { FileKind, StoredKind } from './store-paths.ts';
import { storedBytes } from './store-size.ts';
import type { StoredBytes } from './store-size.ts';
import * as files from './stored-files.ts';
import type { StoredRecord } from './stored-record.ts';
import { TempFolder, sweepTemporary } from './temp-folder.ts';

/** An open store. `close` removes its temporary files; what is stored needs no closing. */
export class Store {
  /** The store's own folder. */
  readonly root: string;
  /** The folder that the store stands in. */
  readonly projectRoot: string;
  private readonly temp: TempFolder;
  private readonly log: Journal;

  private constructor(root: string) {
    this.root = root;
    this.projectRoot = dirname(root);
    this.temp = new TempFolder(root);
    this.log = new Journal(root, this.temp);
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
   * @throws HoldoutError `NOT_FOUND`, `STORE_CORRUPT`, `IO`
   */
  getRecord<T>(id: Sha256Id, schema: z.ZodType<T>): Promise<T> {
    return records.getRecord(this.root, id, schema);
  }

  /**
   * A record of whatever type, re-hashed and checked as the type that it names.
   * @throws HoldoutError `NOT_FOUND`, `STORE_CORRUPT`, `IO`
   */
  readRecord(id: Sha256Id): Promise<StoredRecord> {
    return records.readRecord(this.root, id);
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
  putFile(kind: FileKind, tempPath: string): Promise<{ id: Sha256Id; bytes: number }> {
    return files.putFile(this.root, this.temp, kind, tempPath);
  }

  /** Where a stored thing lies. @throws TypeError for what is no id */
  filePath(kind: StoredKind, id: Sha256Id): string {
    return filePath(this.root, kind, id);
  }

  /** Re-hashes a stored file. @throws HoldoutError `IO` */
  checkFile(kind: StoredKind, id: Sha256Id): Promise<'ok' | 'missing' | 'damaged'> {
    return files.checkFile(this.root, kind, id);
  }

  /** The state that all journal entries make. @throws HoldoutError `STORE_CORRUPT`, `IO` */
  journal(): Promise<JournalState> {
    return this.log.state();
  }

  /**
   * Appends the entry that `build` makes of the current state, and makes it durable. `build` runs again when another
   * process was quicker; null appends nothing.
   * @throws RangeError when the draft does not fit the state
   * @throws HoldoutError `NOT_FOUND` when the draft names something not stored; `STORE_CORRUPT`, `IO`
   */
  commit(build: (state: JournalState) => JournalDraft | null, now: Date): Promise<JournalEntry | null> {
    return this.log.commit(build, now);
  }

  /** Bytes on disk, by kind. @throws HoldoutError `IO` */
  stats(): Promise<StoredBytes> {
    return storedBytes(this.root);
  }

  /** Removes this process's temporary files. The store may be used again. */
  async close(): Promise<void> {
    await this.temp.remove();
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
