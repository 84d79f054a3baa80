/**
 * How the paths of source files are written in the journal.
 * @module
 */
import { isAbsolute, relative, resolve } from 'node:path';
import type { Store } from '../store/store.ts';

/** Relative to the store's parent folder where the file lies in it, so that a project can be moved. */
export function writtenPath(store: Pick<Store, 'projectRoot'>, path: string): string {
  if (path === '-') return path;
  const full = resolve(path);
  const inside = relative(store.projectRoot, full);
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? full : inside;
}

/** The arguments that are no file of their own: folders and patterns. */
export function foldersAndPatterns(args: readonly string[], files: readonly string[]): string[] {
  const named = new Set(files.map((path) => (path === '-' ? path : resolve(path))));
  return args.filter((argument) => argument !== '-' && !named.has(resolve(argument)));
}
