/**
 * Reads a file that may be absent.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { errnoOf, ioError } from './io-error.ts';

/** All bytes of a file; null when it is not there. @throws HoldoutError `IO` */
export async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw ioError('read', path, error);
  }
}
