/**
 * What the store takes on disk.
 * @module
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, ioError } from './io-error.ts';
import { journalFolder, kindFolder } from './store-paths.ts';

/** Bytes of the files of each kind, and of all of them; caches and temporary files are not counted. */
export interface StoredBytes {
  readonly records: number;
  readonly parts: number;
  readonly digests: number;
  readonly layouts: number;
  readonly origins: number;
  readonly packs: number;
  readonly journal: number;
  readonly total: number;
}

/** @throws HoldoutError `IO` */
export async function storedBytes(root: string): Promise<StoredBytes> {
  const sizes = {
    records: await bytesUnder(kindFolder(root, 'record')),
    parts: await bytesUnder(kindFolder(root, 'part')),
    digests: await bytesUnder(kindFolder(root, 'digests')),
    layouts: await bytesUnder(kindFolder(root, 'layout')),
    origins: await bytesUnder(kindFolder(root, 'origins')),
    packs: await bytesUnder(kindFolder(root, 'pack')),
    journal: await bytesUnder(journalFolder(root)),
  };
  return { ...sizes, total: Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0) };
}

async function bytesUnder(folder: string): Promise<number> {
  let sum = 0;
  try {
    for (const item of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, item.name);
      sum += item.isDirectory() ? await bytesUnder(path) : (await stat(path)).size;
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw ioError('read', folder, error);
  }
  return sum;
}
