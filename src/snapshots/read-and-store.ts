/**
 * Reads files and stores their rows, their bytes where that is asked for, and the records of the read step.
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { BlobBytes, RealisationRecord } from '../../schemas/records.ts';
import { snapshotRecord } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { schemaId } from '../identity/ids.ts';
import { tableKey } from '../store/journal-state.ts';
import type { JournalState } from '../store/journal-state.ts';
import type { SourceCache, SourceLook } from '../store/source-cache.ts';
import type { Store } from '../store/store.ts';
import { findInputFiles } from '../tables/read/input-files.ts';
import { readTable } from '../tables/read/read-table.ts';
import type { ReadTable, SourceFile } from '../tables/read/read-table-types.ts';
import { compareLines } from '../tables/reuse-verify.ts';
import { openLayout } from '../tables/table-reader.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { LayoutBuilder } from '../tables/layout-builder.ts';
import { forEachRun, recordsOfLayout } from '../tables/layout.ts';
import type { Layout } from '../tables/layout.ts';
import { exactSources, storeTable } from '../tables/write-table.ts';
import type { AddContext, AddOptions } from './add.ts';
import { openStoreEngine } from './store-engine.ts';

/** A table in the store, and the read step that made it. */
export interface StoredRead {
  readonly table: RealisationRecord['output'];
  readonly layout: Sha256Id;
  readonly derivation: Sha256Id;
  readonly realisation: Sha256Id;
  readonly sources: readonly { readonly path: string; readonly blob: Sha256Id }[];
  readonly logicalBytes: number;
  readonly newBytes: number;
  readonly notes: readonly string[];
  /** Whether the files were read for it. */
  readonly read: boolean;
}

/** Versions of the same name whose parts are looked at first, and layouts of others. */
const ownLayoutsMax = 8;
const otherLayoutsMax = 256;

/**
 * Reads and stores. Nothing refers to what it stored until the caller's journal entry does.
 * @throws HoldoutError as reading and storing do
 */
export async function readAndStore(
  store: Store,
  state: JournalState,
  name: string,
  args: readonly string[],
  options: AddOptions & { readonly previousSchema: Sha256Id | undefined },
  context: AddContext,
): Promise<StoredRead> {
  const cache = await store.sourceCache();
  const looks = new Map<string, SourceLook | null>();
  const inputs = (await findInputFiles(args)).flatMap(({ path }) => (path === '-' ? [] : [path]));
  if (!args.includes('-')) for (const path of inputs) looks.set(path, await cache.look(path));
  const reading = readTable(args, {
    ...context,
    workDirectory: await store.tempDirectory(),
    schema: options.schema,
    infer: options.infer,
    format: options.format,
    previousSchema: await previousSchema(store, options.previousSchema),
    tellsMixed: true,
  });
  // The engine starts while the files are read; what reading spools lies in the store's temporary folder.
  const opening = openStoreEngine(store, { ...context, readPaths: inputs.map((path) => resolve(path)) });
  const [table, engine] = await bothDone(reading, opening).catch(async (cause: unknown) => {
    await reading.then((read) => read.dispose()).catch(() => undefined);
    await opening.then((opened) => opened.close()).catch(() => undefined);
    throw cause;
  });
  try {
    const stored = await storeContent(store, engine, state, name, table, options.raw ?? false, context);
    await refuseChangedFiles(cache, looks);
    for (const { path, sha256 } of table.sources) {
      const look = looks.get(path);
      if (look !== undefined && look !== null) await cache.remember(look, sha256);
    }
    await cache.save();
    return stored;
  } finally {
    await engine.close();
    await table.dispose();
  }
}

/** Both results; a failure is thrown only when neither works any more. */
async function bothDone<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

async function previousSchema(store: Store, id: Sha256Id | undefined): Promise<TableSchema | undefined> {
  return id === undefined ? undefined : store.getRecord(id, tableSchema);
}

async function storeContent(
  store: Store,
  engine: Engine,
  state: JournalState,
  name: string,
  table: ReadTable,
  raw: boolean,
  context: AddContext,
): Promise<StoredRead> {
  const schema = await store.putRecord(table.schema);
  const known = state.layouts.get(tableKey({ table: table.table, schema }));
  // The engine's threads write while this one computes.
  const [{ layout, newBytes }, setRoot] = await bothDone(
    known === undefined
      ? candidateLayouts(store, state, name).then((candidates) => storeTable(store, engine, table, candidates))
      : Promise.resolve({ layout: known, newBytes: 0 }),
    table.setRoot(),
  );
  const exact = await exactFiles(store, engine, table, layout, known !== undefined);
  let bytes = newBytes;
  const blobs: Sha256Id[] = [];
  for (const source of table.sources) {
    const { content, newBytes: chunkBytes } = await blobContent(store, table, source, schema, exact.has(source), raw);
    bytes += chunkBytes;
    const { sha256, bytes: size, name: file, format, compression, rows } = source;
    blobs.push(
      await store.putRecord({
        type: 'holdout/blob@1',
        sha256,
        bytes: size,
        name: file,
        format,
        compression,
        rows,
        content,
      }),
    );
  }
  const output = { table: table.table, schema: schemaId(table.schema), setRoot, rows: table.rows };
  const derivation = await store.putRecord({
    type: 'holdout/derivation@1',
    transform: { name: 'holdout/read', version: 1 },
    params: JSON.parse(JSON.stringify(table.readParams)),
    seed: null,
    inputs: table.sources.map(({ sha256, bytes: size }) => ({ kind: 'file' as const, sha256, bytes: size })),
  });
  const realisation = await store.putRecord({
    type: 'holdout/realisation@1',
    derivation,
    output,
    blobs,
    engine: {
      holdout: context.holdoutVersion,
      node: process.versions.node,
      duckdb: await engine.value<string>('SELECT version()'),
      unicode: process.versions['unicode'] ?? 'unknown',
    },
    counts: { files: table.sources.length, rows: table.rows },
  });
  await store.rememberRealisation({ derivation, realisation, layout });
  return {
    table: output,
    layout,
    derivation,
    realisation,
    sources: table.sources.map(({ path }, index) => ({ path, blob: blobs[index]! })),
    logicalBytes: table.bytes,
    newBytes: bytes,
    notes: table.notes,
    read: true,
  };
}

/**
 * Layouts whose parts may hold rows of the new version: its own name's first. Of a version whose layout was replaced
 * the current one; of one that was dropped its last, as long as quarantine has it.
 */
async function candidateLayouts(store: Store, state: JournalState, name: string): Promise<readonly Sha256Id[]> {
  const own = (state.names.get(name) ?? []).toReversed().slice(0, ownLayoutsMax);
  const others = state.entries.toReversed().filter((entry) => entry.op === 'version');
  const current = new Set(state.layouts.values());
  const candidates = new Set<Sha256Id>();
  for (const { layout, snapshot } of [...own, ...others.slice(0, otherLayoutsMax)]) {
    if (layout !== undefined && current.has(layout)) candidates.add(layout);
    else {
      const now = state.layouts.get(tableKey(await store.getRecord(snapshot, snapshotRecord)));
      if (now !== undefined) candidates.add(now);
      else if (layout !== undefined && (await hasRows(store, layout))) candidates.add(layout);
    }
  }
  return [...candidates];
}

/** Whether a layout that no version is read by, and the files that it draws from, are still there. */
async function hasRows(store: Store, layout: Sha256Id): Promise<boolean> {
  if (!(await store.has('layout', layout))) return false;
  for (const id of recordsOfLayout(await readLayout(store, layout))) {
    const record = await store.readRecord(id);
    if ('parquet' in record && !(await store.has('part', record.parquet.sha256))) return false;
    if ('digests' in record && !(await store.has('digests', record.digests.sha256))) return false;
  }
  return true;
}

/** The JSON Lines files whose bytes the stored rows give back. */
async function exactFiles(
  store: Store,
  engine: Engine,
  table: ReadTable,
  layoutId: Sha256Id,
  compare: boolean,
): Promise<ReadonlySet<SourceFile>> {
  const claims = exactSources(table);
  // What was stored just now was stored for these very lines.
  if (!compare || claims.length === 0) return new Set(claims.map(({ source }) => source));
  const exact = new Set<SourceFile>();
  const layout = await readLayout(store, layoutId);
  for (const { source, linesPath } of claims) {
    const reader = await openLayout(store, engine, table.schema, slice(layout, source.firstRow, source.rows));
    let same = reader.keepsLines;
    if (same && source.rows > 0) {
      await compareLines(linesPath, [[0, source.rows]], reader.jsonLines(), () => {
        same = false;
      });
    }
    await reader.close();
    if (same) exact.add(source);
  }
  return exact;
}

function slice(layout: Layout, first: number, rows: number): Layout {
  const builder = new LayoutBuilder(layout.parts);
  let position = 0;
  forEachRun(layout, (from, count) => {
    const start = Math.max(first, position);
    const end = Math.min(first + rows, position + count);
    if (start < end) builder.push(from + start - position, end - start);
    position += count;
  });
  return builder.finish();
}

/** How the file's bytes are kept. JSON Lines always are: by their rows, or as they stand where rows do not suffice. */
async function blobContent(
  store: Store,
  table: ReadTable,
  source: SourceFile,
  schema: Sha256Id,
  exact: boolean,
  raw: boolean,
): Promise<{ content: BlobBytes; newBytes: number }> {
  const { firstRow, rows, fixups } = source;
  if (exact && fixups !== null) {
    return { content: { kind: 'lines', table: table.table, schema, firstRow, rows, fixups }, newBytes: 0 };
  }
  const lines = source.format === 'jsonl' && source.compression === 'none';
  if (!raw && !lines) return { content: { kind: 'digest' }, newBytes: 0 };
  const path = source.path === '-' ? spoolOf(table, source) : source.path;
  if (path === null) return { content: { kind: 'digest' }, newBytes: 0 };
  const hash = createHash('sha256');
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(path!, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const { chunks, newBytes } = await store.putChunks(bytes());
  if (`sha256:${hash.digest('hex')}` !== source.sha256) throw changed(source.path);
  return { content: { kind: 'chunks', chunks: chunks.map(([id, size]) => [id, size]) }, newBytes };
}

/** Where the bytes of standard input lie, when they were not unpacked. */
function spoolOf(table: ReadTable, source: SourceFile): string | null {
  if (source.compression !== 'none') return null;
  return table.bodies.find(({ firstRow, kind }) => kind === 'lines' && firstRow === source.firstRow)?.path ?? null;
}

/** Rows and digests come from several looks at a file, which must have stayed what it was. */
async function refuseChangedFiles(cache: SourceCache, looks: ReadonlyMap<string, SourceLook | null>): Promise<void> {
  for (const [path, before] of looks) if (factsOf(before) !== factsOf(await cache.look(path))) throw changed(path);
}

function factsOf(look: SourceLook | null): string {
  return look === null ? '' : `${look.size} ${look.mtimeNs} ${look.ctimeNs} ${look.ino}`;
}

function changed(path: string): HoldoutError {
  return new HoldoutError('INPUT_INVALID', `${path} changed while it was being read`, {
    file: path,
    hint: 'Add it again when nothing writes to it.',
  });
}
