/**
 * A store in a folder of its own, removed after the test.
 * @module
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Sha256Id } from '../../dist/schemas/ids.js';
import type { SnapshotRecord } from '../../dist/schemas/records.js';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import type { JournalDraft, JournalState } from '../../dist/src/store/journal-state.js';
import { Store } from '../../dist/src/store/store.js';

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

/** Stores bytes as a file of this kind. */
export async function putBytes(
  store: Store,
  kind: 'part' | 'digests' | 'layout' | 'pack',
  bytes: Uint8Array | string,
): Promise<{ id: Sha256Id; bytes: number }> {
  const path = await store.tempPath();
  await writeFile(path, bytes);
  return store.putFile(kind, path);
}

const hex = (n: number): string => n.toString(16).padStart(64, '0');

/** Stores all that a version needs, with one part, and gives the version's draft. The layout is the part record's id. */
export async function putVersion(store: Store, content: string): Promise<(state: JournalState) => JournalDraft> {
  const schema = await store.putRecord(schemaOf(content));
  const parquet = await putBytes(store, 'part', `rows of ${content}`);
  const digests = await putBytes(store, 'digests', `digests of ${content}`);
  const part = await store.putRecord({
    type: 'holdout/part@1',
    kind: 'lines',
    rows: 1,
    logicalBytes: 1,
    parquet: { sha256: parquet.id, bytes: parquet.bytes },
    digests: { sha256: digests.id, bytes: digests.bytes },
    schema,
  });
  const layout = await putBytes(store, 'layout', part);
  const table = `holdout-table-v1:${schema.slice(7)}` as SnapshotRecord['table'];
  const setRoot = `holdout-set-v1:${hex(1)}` as SnapshotRecord['setRoot'];
  const snapshot = await store.putRecord({
    type: 'holdout/snapshot@1',
    table,
    schema,
    setRoot,
    rows: 1,
    role: 'train',
    fields: {},
    itemsRoot: null,
  });
  const derivation = await store.putRecord({
    type: 'holdout/derivation@1',
    transform: { name: 'read', version: 1 },
    params: {},
    seed: null,
    inputs: [],
  });
  const raw = await store.putChunks(streamOf(Buffer.from(`raw bytes of ${content}`)));
  const blob = await store.putRecord({
    type: 'holdout/blob@1',
    sha256: `sha256:${hex(2)}` as Sha256Id,
    bytes: 1,
    name: 'rows.jsonl',
    format: 'jsonl',
    compression: 'none',
    rows: 1,
    content: { kind: 'chunks', chunks: raw.chunks },
  });
  const realisation = await store.putRecord({
    type: 'holdout/realisation@1',
    derivation,
    output: { table, schema, setRoot, rows: 1 },
    blobs: [blob],
    engine: { holdout: '0', node: '0', duckdb: '0', unicode: '0' },
    counts: {},
  });
  return (state) => ({
    op: 'version',
    name: 'rows',
    version: (state.names.get('rows')?.length ?? 0) + 1,
    snapshot,
    derivation,
    realisation,
    layout: layout.id,
    sources: [{ path: 'rows.jsonl', blob }],
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
