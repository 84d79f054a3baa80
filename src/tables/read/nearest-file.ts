/**
 * The file that a mistyped path most likely means.
 * @module
 */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { nearestName } from '../../nearest-name.ts';

/** In a folder with more names than this nothing is sought. */
const namesMax = 10_000;

/** The path of the nearest name in the same folder, written as the path was, or null. */
export async function nearestFile(path: string): Promise<string | null> {
  const folder = dirname(path);
  // A name that cannot be had is no worse than a hint less.
  const names = await readdir(folder).catch(() => []);
  if (names.length > namesMax) return null;
  const visible = names.filter((name) => !name.startsWith('.'));
  const near = nearestName(basename(path), visible.sort());
  if (near === null) return null;
  return folder === '.' && !path.startsWith('.') ? near : join(folder, near);
}
