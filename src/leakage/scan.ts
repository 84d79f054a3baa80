/**
 * Runs the kernel over a whole training set and hands its hits out in batches of rows, with a way to the lines of the
 * rows that have any.
 * @module
 */
import { open } from 'node:fs/promises';
import { HoldoutError } from '../errors.ts';
import { WorkerPool } from '../worker-pool.ts';
import { foldTable } from './fold-table.ts';
import type { RunTable } from './kernel.ts';
import type { LinePlace } from './line-reader.ts';
import type { ScanDone, ScanSettings, ScanTask } from './scan-worker.ts';
import type { NamedTable, RawLines } from './types.ts';

/** Hits of a stretch of rows. */
export interface HitBatch {
  readonly firstRow: number;
  /** Pairs of row, counted from `firstRow`, and run; each run once a row. */
  readonly hits: Uint32Array;
  /** The lines of the rows that have hits, by row counted from `firstRow`. */
  readonly lines: ReadonlyMap<number, LinePlace>;
}

/** What a scan saw. */
export interface ScanTotals {
  readonly rows: number;
  /** Rows without a string that has a token. */
  readonly textless: number;
}

/** Threads that hold the table of runs and scan with it. */
export type ScanPool = WorkerPool<ScanTask, ScanDone>;

/** Threads for a table of runs. */
export function scanPool(table: RunTable, threads: number): ScanPool {
  const module = new URL('./scan-worker.js', import.meta.url);
  const settings: ScanSettings = { table, fold: foldTable() };
  return new WorkerPool({ module, settings, threads, does: 'looks for eval items' });
}

/** Bytes of a task, hits of a batch and bytes of kept lines, above which a batch is handed out. */
const rangeBytes = 8 << 20;
const batchHits = 2_000_000;
const batchLineBytes = 64 << 20;

interface Planned {
  readonly task: ScanTask;
  readonly raw: RawLines | null;
  readonly lastOfFile: boolean;
}

/**
 * Scans a training set; `onBatch` is awaited for each batch of hits, in row order.
 * @throws HoldoutError INPUT_INVALID when a file no longer holds the rows that it held.
 */
export async function scanTable(
  train: NamedTable,
  pool: ScanPool,
  onBatch: (batch: HitBatch) => Promise<void>,
  onBytes: (bytes: number) => void,
): Promise<ScanTotals> {
  let rows = 0;
  let textless = 0;
  let fileRows = 0;
  let batch = newBatch(0);
  const tasks = train.rawLines === undefined ? blocks(train) : ranges(train.rawLines);
  for await (const { from, done } of pool.runAll(tasks, ({ task }) => scan(pool, task))) {
    addTo(batch, rows, from, done);
    rows += done.rows;
    fileRows += done.rows;
    textless += done.textless;
    onBytes(done.bytes);
    if (from.raw !== null && from.lastOfFile) {
      if (fileRows !== from.raw.rows) throw changed(from.raw, fileRows);
      fileRows = 0;
    }
    if (batch.hitCount >= batchHits || batch.lineBytes >= batchLineBytes) {
      await onBatch(finished(batch));
      batch = newBatch(rows);
    }
  }
  if (rows !== train.reader.rows) {
    throw new HoldoutError('INPUT_INVALID', `${train.name}: expected ${train.reader.rows} rows, found ${rows}`, {
      hint: 'Did it change while it was read?',
    });
  }
  if (batch.hitCount > 0) await onBatch(finished(batch));
  return { rows, textless };
}

function scan(pool: ScanPool, task: ScanTask): Promise<ScanDone> {
  if (task.kind === 'range') return pool.run(task);
  // A copy of its own: the block belongs to the reader, which may use its memory again.
  const bytes = new Uint8Array(task.bytes);
  return pool.run({ kind: 'lines', bytes }, [bytes.buffer]);
}

interface Draft {
  readonly firstRow: number;
  readonly hits: Uint32Array[];
  readonly lines: Map<number, LinePlace>;
  hitCount: number;
  lineBytes: number;
}

function newBatch(firstRow: number): Draft {
  return { firstRow, hits: [], lines: new Map(), hitCount: 0, lineBytes: 0 };
}

function addTo(batch: Draft, row: number, from: Planned, done: ScanDone): void {
  const shift = row - batch.firstRow;
  for (let i = 0; i < done.hits.length; i += 2) done.hits[i] = (done.hits[i] ?? 0) + shift;
  if (done.hits.length > 0) batch.hits.push(done.hits);
  batch.hitCount += done.hits.length / 2;
  for (let i = 0; i < done.hitRows.length; i += 3) {
    const offset = done.hitRows[i + 1] ?? 0;
    const length = done.hitRows[i + 2] ?? 0;
    if (from.task.kind === 'range') {
      const place = { kind: 'file', path: from.task.path, offset: done.start + offset, length } as const;
      batch.lines.set((done.hitRows[i] ?? 0) + shift, place);
    } else {
      const bytes = new Uint8Array(from.task.bytes.subarray(offset, offset + length));
      batch.lines.set((done.hitRows[i] ?? 0) + shift, { kind: 'bytes', bytes });
      batch.lineBytes += length;
    }
  }
}

function finished(batch: Draft): HitBatch {
  const hits = new Uint32Array(batch.hitCount * 2);
  let at = 0;
  for (const part of batch.hits) {
    hits.set(part, at);
    at += part.length;
  }
  return { firstRow: batch.firstRow, hits, lines: batch.lines };
}

async function* ranges(files: readonly RawLines[]): AsyncGenerator<Planned> {
  for (const raw of files) {
    const handle = await open(raw.path, 'r');
    const { size } = await handle.stat().finally(() => handle.close());
    for (let start = 0; start < size || start === 0; start += rangeBytes) {
      const end = Math.min(size, start + rangeBytes);
      yield { task: { kind: 'range', path: raw.path, start, end }, raw, lastOfFile: end === size };
    }
  }
}

async function* blocks(train: NamedTable): AsyncGenerator<Planned> {
  for await (const { bytes } of train.reader.jsonLines()) {
    yield { task: { kind: 'lines', bytes }, raw: null, lastOfFile: false };
  }
}

function changed(raw: RawLines, rows: number): HoldoutError {
  return new HoldoutError('INPUT_INVALID', `${raw.path}: expected ${raw.rows} rows, found ${rows}`, {
    file: raw.path,
    hint: 'Did the file change while it was read?',
  });
}
