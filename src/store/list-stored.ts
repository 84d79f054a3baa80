/**
 * The files of a kind as they lie in their folders.
 * @module
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import { errnoOf, ioError } from './io-error.ts';
import { idOfFileName, kindFolder } from './store-paths.ts';
import type { StoredKind } from './store-paths.ts';

/** A file in the store; `id` is null where its name is none that the store gives. */
export interface ListedFile {
  readonly id: Sha256Id | null;
  readonly path: string;
}

/**
 * All files of a kind, sorted by name. Names that begin with a dot are a file manager's, and left out.
 * @throws HoldoutError `IO`
 */
export async function listStored(root: string, kind: StoredKind): Promise<readonly ListedFile[]> {
  const folder = kindFolder(root, kind);
  const files: ListedFile[] = [];
  for (const bucket of await namesIn(folder)) {
    for (const name of await namesIn(join(folder, bucket))) {
      files.push({ id: idOfFileName(kind, bucket, name), path: join(folder, bucket, name) });
    }
  }
  return files;
}

/** Names in a folder, sorted; none when it is not there. @throws HoldoutError `IO` */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw ioError('read', folder, error);
  }
}
