/**
 * Files kept under their digest: parts, sidecars of row digests, layouts, packs.
 * @module
 */
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import { placeFile, replaceFile } from './durable-files.ts';
import { errnoOf, ioError } from './io-error.ts';
import { readBuffer } from './read-buffer.ts';
import { filePath } from './store-paths.ts';
import type { FileKind, StoredKind } from './store-paths.ts';
import type { TempFolder } from './temp-folder.ts';

/**
 * Takes a finished temporary file into the store: hashed as it lies on disk, made read-only, synced, placed. A file
 * of that digest and size that is there already is kept (and not hashed again: `fresh` is false), and the temporary one
 * removed.
 * @throws HoldoutError `IO`
 */
export async function putFile(
  root: string,
  temp: TempFolder,
  kind: FileKind,
  temporary: string,
): Promise<{ id: Sha256Id; bytes: number; fresh: boolean }> {
  const sealed = await sealFile(temporary);
  const target = filePath(root, kind, sealed.id);
  if ((await placeFile(temporary, target)) === 'placed') return { ...sealed, fresh: true };
  const found = await stat(target).catch((error: unknown) => Promise.reject(ioError('read', target, error)));
  if (found.size === sealed.bytes) {
    await temp.discard(temporary);
    return { ...sealed, fresh: false };
  }
  // A file of another size is damaged, and this one is what the id promises.
  await replaceFile(temporary, target);
  return { ...sealed, fresh: true };
}

/**
 * Whether a stored file is there and matches its digest; reads it whole.
 * @throws HoldoutError `IO`
 */
export async function checkFile(root: string, kind: StoredKind, id: Sha256Id): Promise<'ok' | 'missing' | 'damaged'> {
  const path = filePath(root, kind, id);
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'missing';
    throw ioError('open', path, error);
  }
  try {
    return (await hashHandle(handle)).id === id ? 'ok' : 'damaged';
  } catch (error) {
    // The disk itself says that these bytes are lost.
    if (errnoOf(error) === 'EIO') return 'damaged';
    throw ioError('read', path, error);
  } finally {
    await handle.close();
  }
}

async function sealFile(path: string): Promise<{ id: Sha256Id; bytes: number }> {
  try {
    const handle = await open(path, 'r+');
    try {
      const sealed = await hashHandle(handle);
      await handle.chmod(0o444);
      await handle.sync();
      return sealed;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw ioError('seal', path, error);
  }
}

async function hashHandle(handle: FileHandle): Promise<{ id: Sha256Id; bytes: number }> {
  const hash = createHash('sha256');
  const buffer = await readBuffer(handle, 1 << 20);
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    bytes += bytesRead;
  }
  return { id: `sha256:${hash.digest('hex')}` as Sha256Id, bytes };
}
