/**
 * Files that may be deleted at any time: a digest on the first line, JSON on the second. What does not match its
 * digest is as good as absent; a store that this person may not write is read without them.
 * @module
 */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sha256IdOf } from '../identity/ids.ts';
import { errnoOf, ioError } from './io-error.ts';
import { readIfThere } from './read-if-there.ts';
import { cachePath } from './store-paths.ts';
import type { TempFolder } from './temp-folder.ts';

/** Names of the cache files. */
export type CacheName = Parameters<typeof cachePath>[1];

const notOursToWrite: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT']);

/**
 * The value last written, or null when there is none that can be trusted.
 * @throws HoldoutError `IO`
 */
export async function readCache(root: string, name: CacheName): Promise<unknown> {
  const bytes = await readIfThere(cachePath(root, name));
  if (bytes === null) return null;
  const end = bytes.indexOf(0x0a);
  if (end < 0 || bytes.toString('latin1', 0, end) !== sha256IdOf(bytes.subarray(end + 1))) return null;
  return JSON.parse(bytes.toString('utf8', end + 1)) as unknown;
}

/**
 * Replaces a cache file at once. It is not synced: after a power loss its digest tells whether it is whole. Where
 * there is no room or no permission, the store works without it.
 * @throws HoldoutError `IO`
 */
export async function writeCache(root: string, temp: TempFolder, name: CacheName, value: unknown): Promise<void> {
  const path = cachePath(root, name);
  const body = Buffer.from(JSON.stringify(value));
  try {
    const temporary = await temp.path('.cache');
    await writeFile(temporary, Buffer.concat([Buffer.from(`${sha256IdOf(body)}\n`), body]), { flag: 'wx' });
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    if (!notOursToWrite.has(errnoOf(cause))) throw ioError('write', path, error);
  }
}
