/**
 * Files that survive power loss once their name is seen: written whole under a temporary name, read back, synced,
 * linked to their name without ever replacing another file, and the folder synced (docs/STORE.md, "Durable writes").
 * @module
 */
import { link, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, ioError } from './io-error.ts';

/** Errors by which a file system says that it has no hard links. */
const withoutHardLinks: ReadonlySet<string | undefined> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
]);
/** Errors by which a system says that folders cannot be synced (Windows, some network file systems). */
const withoutFolderSync: ReadonlySet<string | undefined> = new Set(['EPERM', 'EINVAL', 'EISDIR', 'EACCES', 'ENOTSUP']);

/**
 * Makes the names in a folder durable.
 * @throws HoldoutError `IO`
 */
async function syncFolder(path: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (process.platform === 'win32' && withoutFolderSync.has(errnoOf(error))) return;
    throw ioError('open', path, error);
  }
  try {
    await handle.sync();
  } catch (error) {
    if (!withoutFolderSync.has(errnoOf(error))) throw ioError('sync', path, error);
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder and those above it, each synced into its parent.
 * @throws HoldoutError `IO`
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      const facts = await stat(path).catch((cause: unknown) => Promise.reject(ioError('read', path, cause)));
      if (!facts.isDirectory()) throw ioError('make folder', path, error);
      return;
    }
    if (errnoOf(error) !== 'ENOENT' || dirname(path) === path) throw ioError('make folder', path, error);
    await makeFolder(dirname(path));
    await makeFolder(path);
    return;
  }
  await syncFolder(dirname(path));
}

/**
 * Writes a new file whole, reads it back, makes it read-only and syncs it. The name must be free. After a failed
 * sync the file is abandoned: what the kernel then holds of it is unknown.
 * @throws HoldoutError `IO`
 */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'wx+', 0o600);
  } catch (error) {
    throw ioError('create', path, error);
  }
  try {
    await writeAll(handle, bytes);
    await assertHolds(handle, bytes);
    await handle.chmod(0o444);
    await handle.sync();
  } catch (error) {
    throw ioError('write', path, error);
  } finally {
    await handle.close();
  }
}

/** Writes all bytes at the handle's end; the system may take fewer than offered. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, null);
    if (bytesWritten === 0) throw new Error('the system took no bytes');
    done += bytesWritten;
  }
}

async function assertHolds(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  const back = new Uint8Array(bytes.length + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(back, length, back.length - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  if (length !== bytes.length || Buffer.compare(back.subarray(0, length), bytes) !== 0) {
    throw new Error('the file does not hold what was written');
  }
}

/**
 * Gives a synced temporary file its name, unless the name is taken: then the temporary file stays and the answer is
 * `taken`. The folder is synced either way, so that a file that another process has just placed is durable too.
 *
 * Where the file system has no hard links, the name is looked up and the file renamed; between the two another
 * process could place its own. For files named by their digest that is harmless; a journal on such a file system
 * must have one writer at a time.
 * @throws HoldoutError `IO`
 */
export async function placeFile(temporary: string, target: string): Promise<'placed' | 'taken'> {
  await makeFolder(dirname(target));
  const outcome = await linkOrRename(temporary, target);
  await syncFolder(dirname(target));
  return outcome;
}

async function linkOrRename(temporary: string, target: string): Promise<'placed' | 'taken'> {
  try {
    await link(temporary, target);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST') return 'taken';
    if (!withoutHardLinks.has(code)) throw ioError('place', target, error);
    return renameUnlessTaken(temporary, target);
  }
  await unlink(temporary).catch((error: unknown) => Promise.reject(ioError('remove', temporary, error)));
  return 'placed';
}

async function renameUnlessTaken(temporary: string, target: string): Promise<'placed' | 'taken'> {
  try {
    await stat(target);
    return 'taken';
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw ioError('read', target, error);
  }
  await rename(temporary, target).catch((error: unknown) => Promise.reject(ioError('place', target, error)));
  return 'placed';
}

/**
 * Puts a synced temporary file in the place of another: for caches, and for a stored file found damaged.
 * @throws HoldoutError `IO`
 */
export async function replaceFile(temporary: string, target: string): Promise<void> {
  await makeFolder(dirname(target));
  await rename(temporary, target).catch((error: unknown) => Promise.reject(ioError('replace', target, error)));
  await syncFolder(dirname(target));
}
