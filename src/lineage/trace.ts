/**
 * Traces rows of a version to the raw file and line that they came from.
 * @module
 */
import { type BlobRecord, type RealisationRecord, blobRecord } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { lineOfRow } from '../tables/json-scan/fixups.ts';
import { openTable } from '../tables/table-reader.ts';
import { type LineageStep, lineageOf } from './chain.ts';
import { firstOfEqual } from './digest-groups.ts';
import type { RowSource } from './row-source.ts';

/**
 * Where the rows of a version stood. The answer is null for a row whose file has no known lines (arrays, Parquet,
 * unpacked text).
 * @throws HoldoutError as the store does.
 */
export async function traceRows(
  store: Store,
  engine: Engine,
  entry: VersionEntry,
): Promise<(row: number) => RowSource | null> {
  const [read, ...selections] = await lineageOf(store, await store.journal(), entry);
  if (read === undefined) return () => null;
  const fromFile = await fileTrace(store, read);
  let positions: Uint32Array | null = null;
  let before = read.realisation.output;
  for (const { realisation } of selections) {
    const from = await digestsOf(store, engine, before);
    const to = await digestsOf(store, engine, realisation.output);
    const step = selectedPositions(from, to) ?? matchedPositions(from, to);
    if (step === null) return () => null;
    const earlier: Uint32Array | null = positions;
    positions = earlier === null ? step : step.map((position) => earlier[position] ?? position);
    before = realisation.output;
  }
  const found = positions;
  return (row) => fromFile(found === null ? row : (found[row] ?? row));
}

/**
 * Positions in `before` of the rows of `after`, where these are some of those in their order; otherwise null. Of equal
 * rows the first that fits is taken.
 */
export function selectedPositions(before: Uint8Array, after: Uint8Array): Uint32Array | null {
  const wanted = Buffer.from(after.buffer, after.byteOffset, after.length);
  const positions = new Uint32Array(after.length / DIGEST_BYTES);
  let at = 0;
  for (let row = 0; row < positions.length; row++) {
    const start = row * DIGEST_BYTES;
    while (at < before.length && wanted.compare(before, at, at + DIGEST_BYTES, start, start + DIGEST_BYTES) !== 0)
      at += DIGEST_BYTES;
    if (at >= before.length) return null;
    positions[row] = at / DIGEST_BYTES;
    at += DIGEST_BYTES;
  }
  return positions;
}

/**
 * Positions in `before` of the rows of `after` in whatever order, or null where a row was not there. Of equal rows the
 * first goes with the first.
 */
export function matchedPositions(before: Uint8Array, after: Uint8Array): Uint32Array | null {
  const rows = before.length / DIGEST_BYTES;
  const both = new Uint8Array(before.length + after.length);
  both.set(before);
  both.set(after, before.length);
  const first = firstOfEqual(both);
  // Equal rows of `before` as chains: `next` of a row is the next equal one, `rows` where there is none.
  const next = new Uint32Array(rows).fill(rows);
  const last = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const group = first[row]!;
    if (group !== row) next[last[group]!] = row;
    last[group] = row;
  }
  const cursor = Uint32Array.from({ length: rows }, (_, row) => row);
  const positions = new Uint32Array(after.length / DIGEST_BYTES);
  for (let row = 0; row < positions.length; row++) {
    const group = first[rows + row]!;
    const found = group < rows ? cursor[group]! : rows;
    if (found === rows) return null;
    positions[row] = found;
    cursor[group] = next[found]!;
  }
  return positions;
}

async function digestsOf(store: Store, engine: Engine, ref: RealisationRecord['output']): Promise<Uint8Array> {
  const reader = await openTable(store, engine, { table: ref.table, schema: ref.schema });
  try {
    return await reader.digests();
  } finally {
    await reader.close();
  }
}

/** Rows of a read step by file, in the order in which the files were read. */
async function fileTrace(
  store: Store,
  { entry, realisation }: LineageStep,
): Promise<(row: number) => RowSource | null> {
  const files: { readonly firstRow: number; readonly blob: BlobRecord; readonly path: string }[] = [];
  let firstRow = 0;
  for (const [index, id] of realisation.blobs.entries()) {
    const blob = await store.getRecord(id, blobRecord);
    const source = entry.sources[index]?.blob === id ? entry.sources[index] : entry.sources.find((s) => s.blob === id);
    files.push({ firstRow, blob, path: source?.path ?? blob.name });
    firstRow += blob.rows;
  }
  return (row) => {
    const file = files.findLast((each) => each.firstRow <= row && row < each.firstRow + each.blob.rows);
    if (file === undefined || file.blob.content.kind !== 'lines') return null;
    return { file: file.path, line: lineOfRow(file.blob.content.fixups, row - file.firstRow) };
  };
}
