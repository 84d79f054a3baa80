/**
 * `status`: which source files have changed since the newest version of their name. Unchanged files are known by how
 * they look and are not read again.
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import { blobRecord } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import type { SourceCache } from '../store/source-cache.ts';
import type { Store } from '../store/store.ts';

/** A source file of the newest version of a name. */
export interface SourceStatus {
  readonly name: string;
  readonly version: number;
  /** As recorded: relative to the store's parent folder where the file lay in it; `-` for standard input. */
  readonly path: string;
  /** `gone`: it was standard input. */
  readonly state: 'unchanged' | 'changed' | 'missing' | 'gone';
}

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
    if (entry === undefined) continue;
    for (const { path, blob } of entry.sources) {
      const { sha256, bytes } = await store.getRecord(blob, blobRecord);
      const state = path === '-' ? 'gone' : await fileState(cache, resolve(store.projectRoot, path), sha256, bytes);
      found.push({ name, version: entry.version, path, state });
    }
  }
  await cache.save();
  return found;
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
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>)
      hash.update(chunk);
  } catch (cause) {
    throw new HoldoutError('IO', `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      file: path,
      cause,
    });
  }
  return `sha256:${hash.digest('hex')}` as Sha256Id;
}
