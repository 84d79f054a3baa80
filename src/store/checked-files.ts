/**
 * Which stored files were re-hashed, and how they looked then. A file is hashed again when its size, mtime, ctime or
 * inode changed since; until then it is trusted. `verify` does not ask here.
 * @module
 */
import { stat } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import { HoldoutError } from '../errors.ts';
import { readCache, writeCache } from './cache-file.ts';
import { errnoOf, ioError } from './io-error.ts';
import { takeBack } from './quarantine.ts';
import { filePath } from './store-paths.ts';
import type { StoredKind } from './store-paths.ts';
import { checkFile } from './stored-files.ts';
import type { TempFolder } from './temp-folder.ts';

interface CheckedCache {
  readonly format: 1;
  /** `<kind> <id>` → how the file looked when it was last hashed. */
  readonly looks: Readonly<Record<string, string>>;
}

/** The store's memory of what was checked. */
export class CheckedFiles {
  private readonly root: string;
  private readonly temp: TempFolder;
  private readonly fresh = new Map<string, string>();
  private cached: Promise<ReadonlyMap<string, string>> | null = null;

  constructor(root: string, temp: TempFolder) {
    this.root = root;
    this.temp = temp;
  }

  /**
   * Makes sure that a stored file is there and matches its id.
   * @throws HoldoutError `STORE_CORRUPT` (missing, too: who asks has read that the store has it), `IO`
   */
  async ensureIntact(kind: StoredKind, id: Sha256Id): Promise<void> {
    const path = filePath(this.root, kind, id);
    const key = `${kind} ${id}`;
    let before = await lookAt(path);
    if (before === null && (await takeBack(this.root, kind, id))) before = await lookAt(path);
    if (before === null) {
      throw new HoldoutError('STORE_CORRUPT', `the ${kind} ${id} is missing from the store`, { file: path, hint });
    }
    if (before === (this.fresh.get(key) ?? (await this.looks()).get(key))) return;
    if ((await checkFile(this.root, kind, id)) !== 'ok') {
      throw new HoldoutError('STORE_CORRUPT', `the ${kind} ${id} does not match its id`, { file: path, hint });
    }
    if ((await lookAt(path)) === before) this.fresh.set(key, before);
  }

  /** Notes a file that this process has just hashed and placed. */
  async note(kind: StoredKind, id: Sha256Id): Promise<void> {
    const look = await lookAt(filePath(this.root, kind, id));
    if (look !== null) this.fresh.set(`${kind} ${id}`, look);
  }

  /** Writes what this process has learned. */
  async save(): Promise<void> {
    if (this.fresh.size === 0) return;
    const looks = new Map([...(await readLooks(this.root)), ...this.fresh]);
    this.fresh.clear();
    this.cached = Promise.resolve(looks);
    const cache: CheckedCache = { format: 1, looks: Object.fromEntries(looks) };
    await writeCache(this.root, this.temp, 'checked', cache);
  }

  private looks(): Promise<ReadonlyMap<string, string>> {
    this.cached ??= readLooks(this.root);
    return this.cached;
  }
}

const hint =
  'Restore this file from a copy of the store, or add the source files again. ' +
  '"holdout verify --read-data" names the snapshots that need it.';

async function readLooks(root: string): Promise<ReadonlyMap<string, string>> {
  const cached = (await readCache(root, 'checked')) as CheckedCache | null;
  return new Map(cached?.format === 1 ? Object.entries(cached.looks) : []);
}

/** Size, mtime, ctime and inode; null when the file is not there. */
async function lookAt(path: string): Promise<string | null> {
  try {
    const { size, mtimeNs, ctimeNs, ino } = await stat(path, { bigint: true });
    return `${size} ${mtimeNs} ${ctimeNs} ${ino}`;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw ioError('read', path, error);
  }
}
