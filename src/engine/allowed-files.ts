/**
 * Which files the engine reaches, and the names under which SQL sees them. A reader takes every name as a glob pattern,
 * and once the engine is locked it refuses what it was not given; so a file with a name that is a pattern is reached by
 * a symbolic link of a safe name, and a file that comes later by a hard link (or a copy) inside the engine's own folder.
 * @module
 */
import { copyFileSync, constants, linkSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { quoteString } from '../identity/sql-text.ts';
import type { EngineOptions } from './options.ts';

/** The folder of links, and what was allowed when the engine was locked. */
export interface AllowedFiles {
  readonly linkDirectory: string;
  readonly paths: ReadonlySet<string>;
  readonly directories: readonly string[];
  /** Links made so far, by the path they stand for. */
  readonly links: Map<string, string>;
}

/** Resolves the paths of the options; those that do not exist are left to `fileSql`. */
export function allowFiles(options: EngineOptions, ownDirectory: string): AllowedFiles {
  const linkDirectory = join(ownDirectory, 'links');
  mkdirSync(linkDirectory, { recursive: true, mode: 0o700 });
  const paths = new Set<string>();
  for (const path of options.readPaths ?? []) {
    const real = realPath(resolve(path));
    if (real !== null) paths.add(real);
  }
  const directories = [...(options.readDirectories ?? []), ...(options.writeDirectories ?? []), ownDirectory].map(
    (path) => realPath(resolve(path)) ?? resolve(path),
  );
  return { linkDirectory, paths, directories: [...new Set(directories)], links: new Map() };
}

/** The two settings that allow these files, as SQL. */
export function allowStatements(allowed: AllowedFiles): string[] {
  return [
    ...(allowed.paths.size === 0 ? [] : [`SET allowed_paths = ${listSql(allowed.paths)}`]),
    `SET allowed_directories = ${listSql(allowed.directories)}`,
  ];
}

/** A quoted name without glob characters under which SQL may read the file. */
export function fileNameSql(allowed: AllowedFiles, path: string): string {
  const full = resolve(path);
  const known = allowed.links.get(full);
  if (known !== undefined) return quoteString(known);
  const real = realPath(full) ?? full;
  const permitted = allowed.paths.has(real) || isWithin(allowed, real);
  if (permitted && !/[*?[\]\\{}]/.test(real) && !/^[a-z0-9]+:/i.test(real)) return quoteString(real);
  const link = join(allowed.linkDirectory, String(allowed.links.size));
  if (permitted && trySync(() => symlinkSync(real, link))) {
    allowed.links.set(full, link);
  } else {
    if (!trySync(() => linkSync(real, link))) copyFileSync(real, link, constants.COPYFILE_FICLONE);
    allowed.links.set(full, link);
  }
  return quoteString(link);
}

/**
 * A quoted name under which SQL may write.
 * @throws RangeError when the path lies in no folder that the engine may write to.
 */
export function outputNameSql(allowed: AllowedFiles, path: string): string {
  const folder = dirname(resolve(path));
  const real = join(realPath(folder) ?? folder, resolve(path).slice(folder.length));
  if (!isWithin(allowed, real)) throw new RangeError('the engine was not opened to write there');
  return quoteString(real);
}

function listSql(paths: Iterable<string>): string {
  return `[${Array.from(paths, quoteString).join(', ')}]`;
}

function isWithin(allowed: AllowedFiles, path: string): boolean {
  return allowed.directories.some((folder) => path.startsWith(folder.endsWith(sep) ? folder : folder + sep));
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    // It does not exist (yet): whoever reads it gets the error of that moment.
    return null;
  }
}

function trySync(act: () => void): boolean {
  try {
    act();
    return true;
  } catch {
    // Not permitted, or another file system: the caller has a next way.
    return false;
  }
}
