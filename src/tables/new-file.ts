/**
 * A file for the user, written under a temporary name beside its place and given its name when it is whole. What is
 * there is never overwritten unless that is asked for.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HoldoutError } from '../errors.ts';

/**
 * Lets `write` fill a temporary file, syncs it, and gives it the name `path`.
 * @throws HoldoutError `NOT_FOUND` when there is no such folder, `CONFLICT` when the file exists and `force` is not given, `IO`
 */
export async function writeNewFile(
  path: string,
  options: { readonly force: boolean },
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  await refuseMissingFolder(path);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await write(temporary);
    const handle = await open(temporary, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(temporary, path, options.force);
  } catch (cause) {
    if (cause instanceof HoldoutError) throw cause;
    // Node says the path again at the end.
    const says = (cause instanceof Error ? cause.message : String(cause))
      .replace(/, \w+ '[^]*$/, '')
      .replaceAll(temporary, path);
    throw new HoldoutError('IO', `cannot write ${path}: ${says}`, { file: path, cause });
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Refuses a file whose folder is not there. @throws HoldoutError `NOT_FOUND` */
export async function refuseMissingFolder(path: string): Promise<void> {
  const folder = await stat(dirname(path)).catch((cause: NodeJS.ErrnoException) => cause.code);
  // What else may be wrong with it, writing says.
  if (folder !== 'ENOENT' && folder !== 'ENOTDIR' && (typeof folder !== 'object' || folder.isDirectory())) return;
  throw new HoldoutError('NOT_FOUND', `cannot write ${path}: no such folder`, { hint: 'Make the folder first.' });
}

async function place(temporary: string, path: string, force: boolean): Promise<void> {
  if (force) {
    await rename(temporary, path);
    return;
  }
  try {
    await link(temporary, path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EEXIST') throw fileExists(path);
    // No hard links here: look first, which leaves a small gap.
    const there = await open(path, 'r').catch(() => null);
    await there?.close();
    if (there !== null) throw fileExists(path);
    await rename(temporary, path);
  }
}

/** The error for a file that would be overwritten. */
export function fileExists(path: string): HoldoutError {
  return new HoldoutError('CONFLICT', `${path} exists`, { file: path, hint: 'Name another file, or give --force.' });
}
