/**
 * A store in a folder of its own, removed after the test.
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Sha256Id } from '../../dist/schemas/ids.js';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import type { JournalDraft, JournalState } from '../../dist/src/store/journal-state.js';
import { Store } from '../../dist/src/store/store.js';
import { putVersionOf } from './version-content.mjs';

export { putBytes } from './version-content.mjs';

export const noon = new Date('2026-11-20T12:00:00Z');

/** A new empty folder, removed when the test is over. */
export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdout-store-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A new store in a scratch folder. */
export async function scratchStore(): Promise<Store> {
  return Store.init(join(await scratchFolder(), '.holdout'), { holdoutVersion: '0.0.0-test', now: noon });
}

/** A schema record with one column of this name. */
export function schemaOf(column: string): TableSchema {
  return { type: 'holdout/schema@1', columns: [{ name: column, type: 'VARCHAR' }] };
}

/** Stores all that a version needs, with one part, and gives the version's draft. The layout is the part record's id. */
export function putVersion(store: Store, content: string): Promise<(state: JournalState) => JournalDraft> {
  return putVersionOf(store, {
    word: content,
    parquet: `rows of ${content}`,
    digests: `digests of ${content}`,
    raw: `raw bytes of ${content}`,
  });
}

/** Reads the layouts that `putVersion` writes. */
export function partsOf(layout: Uint8Array): readonly Sha256Id[] {
  return [Buffer.from(layout).toString() as Sha256Id];
}

/** Bytes as a stream of pieces of this size. */
export async function* streamOf(bytes: Uint8Array, pieceBytes = 65536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes)
    yield await Promise.resolve(bytes.subarray(at, at + pieceBytes));
}

/** All that an async iterable gives. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}
