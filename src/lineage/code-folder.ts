/**
 * Where the paths of a person's own steps begin: beside the pipeline file, or where the person stands; else in the store's
 * folder.
 * @module
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { VersionEntry } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import type { PreparedStep } from './transform.ts';

/**
 * The first of these folders in which every file that the steps name is found; where none has them all, the first, so that
 * the message of what is missing names the place that a person expects.
 * @param folders at least one, absolute
 */
export async function codeFolder(steps: readonly PreparedStep[], folders: readonly string[]): Promise<string> {
  const [first] = folders;
  if (first === undefined) throw new RangeError('"folders" expected at least one');
  const paths = [...new Set(steps.flatMap(({ files }) => files))];
  for (const folder of folders) if (await hasAll(folder, paths)) return folder;
  return first;
}

/** Where the paths of the steps of a version begin. */
export function codeFolderOf(
  { projectRoot }: Pick<Store, 'projectRoot'>,
  { folder }: Pick<VersionEntry, 'folder'>,
): string {
  return folder === undefined ? projectRoot : resolve(projectRoot, folder);
}

async function hasAll(folder: string, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) {
    const facts = await stat(resolve(folder, path)).catch(() => null);
    if (facts === null) return false;
  }
  return true;
}
