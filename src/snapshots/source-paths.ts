/**
 * How the paths of source files are written in the journal.
 * @module
 */
import { extname, isAbsolute, relative, resolve } from 'node:path';
import type { Store } from '../store/store.ts';

/** Relative to the store's parent folder where the file lies in it, so that a project can be moved. */
export function writtenPath(store: Pick<Store, 'projectRoot'>, path: string): string {
  if (path === '-') return path;
  const full = resolve(path);
  const inside = relative(store.projectRoot, full);
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? full : inside;
}

/** Where paths of a version's steps begin, as its entry says it; nothing where that is the store's parent folder. */
export function writtenFolder(
  store: Pick<Store, 'projectRoot'>,
  folder: string | undefined,
): { readonly folder?: string } {
  return folder === undefined || folder === store.projectRoot ? {} : { folder: writtenPath(store, folder) };
}

/** Where the files of a version are, as its entry says it, and the folders and patterns that they were named by. */
export function writtenFiles(
  store: Pick<Store, 'projectRoot'>,
  args: readonly string[],
  files: readonly string[],
): { readonly sources: readonly { readonly path: string }[]; readonly given?: string[] } {
  const given = foldersAndPatterns(args, files).map((argument) => writtenPath(store, argument));
  return {
    sources: files.map((path) => ({ path: writtenPath(store, path) })),
    ...(given.length === 0 ? {} : { given }),
  };
}

/** Whether two names of files say the same of how they are read. */
export function sameEnding(one: string, other: string): boolean {
  return endingOf(one) === endingOf(other);
}

function endingOf(path: string): string {
  return extname(path.toLowerCase().replace(/\.(?:gz|gzip|zst|zstd)$/, ''));
}

/** The arguments that are no file of their own: folders and patterns. */
function foldersAndPatterns(args: readonly string[], files: readonly string[]): string[] {
  const named = new Set(files.map((path) => (path === '-' ? path : resolve(path))));
  return args.filter((argument) => argument !== '-' && !named.has(resolve(argument)));
}
