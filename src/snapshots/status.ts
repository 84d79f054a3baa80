/**
 * `status`: which source files have changed since the newest version of their name. Unchanged files are known by how
 * they look and are not read again.
 * @module
 */
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import { blobRecord } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { fileDigest } from '../store/file-digest.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import type { SourceCache } from '../store/source-cache.ts';
import type { Store } from '../store/store.ts';
import { findInputFiles } from '../tables/read/input-files.ts';
import { writtenPath } from './source-paths.ts';

/** A source file of the newest version of a name, or one that has come since. */
export interface SourceStatus {
  readonly name: string;
  readonly version: number;
  /** As recorded: relative to the store's parent folder where the file lay in it; `-` for standard input. */
  readonly path: string;
  /** `new`: a folder or pattern that was added names it now; `gone`: it was standard input. */
  readonly state: 'unchanged' | 'changed' | 'missing' | 'new' | 'gone';
  /** Of a missing file: one beside it or new that has its content. Of a new file: the missing one. Else null. */
  readonly sameAs: string | null;
}

/** In a folder with more files than this, one that was renamed is not sought. */
const siblingsMax = 10_000;

/**
 * The state of all source files, by name. A version that was derived has no files; the one it came from does.
 * @throws HoldoutError `STORE_CORRUPT`, `IO`
 */
export async function statusOf(store: Store, names?: readonly string[]): Promise<readonly SourceStatus[]> {
  const state = await store.journal();
  const cache = await store.sourceCache();
  const found: SourceStatus[] = [];
  for (const name of names ?? [...state.names.keys()].sort()) {
    const versions = state.names.get(name);
    if (versions === undefined) throw new HoldoutError('NOT_FOUND', `no dataset "${name}" in the store`);
    const entry = versions.findLast(({ sources }) => sources.length > 0);
    if (entry !== undefined) found.push(...(await entryStatus(store, cache, entry)));
  }
  await cache.save();
  return found;
}

async function entryStatus(store: Store, cache: SourceCache, entry: VersionEntry): Promise<SourceStatus[]> {
  const base = { name: entry.name, version: entry.version };
  const found: SourceStatus[] = [];
  const missing: MissingFile[] = [];
  const known = new Set(entry.sources.map(({ path }) => resolve(store.projectRoot, path)));
  const added = await newFiles(store, entry, known);
  for (const { path, blob } of entry.sources) {
    const { sha256, bytes } = await store.getRecord(blob, blobRecord);
    const full = resolve(store.projectRoot, path);
    const state = path === '-' ? 'gone' : await fileState(cache, full, sha256, bytes);
    if (state === 'missing') missing.push({ path: full, sha256, bytes });
    found.push({ ...base, path, state, sameAs: null });
  }
  const renamed = await findRenamed(cache, missing, known, added);
  const place = (path: string): string => writtenPath(store, path);
  const newNameOf = new Map([...renamed].map(([from, to]) => [place(from), place(to)]));
  const oldNameOf = new Map([...newNameOf].map(([from, to]) => [to, from]));
  return [
    ...found.map((source) => ({ ...source, sameAs: newNameOf.get(source.path) ?? null })),
    ...added.map(place).map((path) => {
      return { ...base, path, state: 'new' as const, sameAs: oldNameOf.get(path) ?? null };
    }),
  ];
}

/** Files that the folders and patterns of a version name now and did not then. */
async function newFiles(store: Store, entry: VersionEntry, known: ReadonlySet<string>): Promise<string[]> {
  const found = new Set<string>();
  for (const given of entry.given ?? []) {
    const files = await findInputFiles([resolve(store.projectRoot, given)]).catch((error: unknown) => {
      // A folder that is gone or cannot be added as it is now has its files missing; that is told of each.
      if (error instanceof HoldoutError && ['NOT_FOUND', 'INPUT_INVALID'].includes(error.code)) return [];
      throw error;
    });
    for (const { path } of files) if (!known.has(resolve(path))) found.add(resolve(path));
  }
  return [...found];
}

interface MissingFile {
  readonly path: string;
  readonly sha256: Sha256Id;
  readonly bytes: number;
}

/** Missing file → the file that has its content now, among the new ones and those beside it. */
async function findRenamed(
  cache: SourceCache,
  missing: readonly MissingFile[],
  known: ReadonlySet<string>,
  added: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const candidates = new Set(added);
  for (const folder of new Set(missing.map(({ path }) => dirname(path)))) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    if (entries.length > siblingsMax) continue;
    for (const entry of entries) if (entry.isFile()) candidates.add(join(folder, entry.name));
  }
  const renamed = new Map<string, string>();
  for (const candidate of [...candidates].sort()) {
    if (known.has(candidate)) continue;
    for (const { path, sha256, bytes } of missing) {
      if (renamed.has(path) || bytes === 0) continue;
      if ((await fileState(cache, candidate, sha256, bytes)) !== 'unchanged') continue;
      renamed.set(path, candidate);
      break;
    }
  }
  return renamed;
}

async function fileState(
  cache: SourceCache,
  path: string,
  expected: Sha256Id,
  bytes: number,
): Promise<'unchanged' | 'changed' | 'missing'> {
  const look = await cache.look(path);
  if (look === null) return 'missing';
  const known = await cache.known(path);
  if (known !== null) return known === expected ? 'unchanged' : 'changed';
  if (look.size !== String(bytes)) return 'changed';
  const digest = await hashFile(path);
  await cache.remember(look, digest);
  return digest === expected ? 'unchanged' : 'changed';
}

async function hashFile(path: string): Promise<Sha256Id> {
  try {
    return await fileDigest(path);
  } catch (cause) {
    throw new HoldoutError('IO', `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      file: path,
      cause,
    });
  }
}
