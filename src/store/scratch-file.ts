/**
 * Files that are written whole and moved into the store, or read again, by whoever wrote them.
 * @module
 */
import { writeFile } from 'node:fs/promises';
import { ioError } from './io-error.ts';

/** Writes a file that must not exist yet. @throws HoldoutError `IO` with its path: a full disk names none itself */
export async function writeScratch(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw ioError('write', path, cause);
  }
}
