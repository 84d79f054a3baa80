/**
 * Rows of part files as JSON lines, in the order of a layout, with bounded memory: a block of the table is put together
 * from the stretches of the files that hold its rows.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { ascend, ascendingLines } from './ascending-lines.ts';
import type { FileRun } from './ascending-lines.ts';
import { bytesPerRow, lineOffsets, queryLines, readBytesMax, rowsPerCell } from './file-lines.ts';
import type { LineSource, Piece } from './file-lines.ts';
import type { RowMap } from './layout.ts';
import { partOfAddress } from './layout.ts';
import { spooledLines } from './line-spool.ts';
import { rowGroupStarts } from './row-file.ts';
import type { RowFile } from './row-file.ts';
import { runsOfLayout } from './row-select.ts';
import { isScattered } from './scattered.ts';

/** Consecutive rows of a table as lines, each ended by LF. */
export interface LineBlock {
  readonly firstRow: number;
  readonly rows: number;
  readonly bytes: Uint8Array;
}

export interface LineOptions {
  /** Lines parts in their stored spelling, or (false) every row in canonical JSON. */
  readonly verbatim: boolean;
  readonly bytesMax: number;
  /** Bytes that are read at once, or put in order at once; 32 MiB by default. */
  readonly readBytesMax?: number | undefined;
}

/** Rows of one file that a block needs, as an interval to be read at once. */
interface Stretch {
  readonly file: number;
  readonly from: number;
  readonly to: number;
}

/** Stretches that lie closer than this are read as one. */
const gapRowsMax = 512;
/** Rows of a file among which single ones are picked at once. */
const sparseRowsMax = 1 << 22;

/** The table's rows in order. `files` are those of the layout's parts. */
export async function* lineBlocks(
  engine: Engine,
  files: readonly RowFile[],
  schema: TableSchema,
  layout: RowMap,
  options: LineOptions,
): AsyncGenerator<LineBlock> {
  const groups: (readonly number[])[] = [];
  for (const file of files) groups.push(await rowGroupStarts(engine, file));
  const source: CachedSource = { engine, files, groups, schema, verbatim: options.verbatim, cache: new Map() };
  const readBytes = options.readBytesMax ?? readBytesMax;
  const pieces = isScattered(layout, files, groups, { bytesMax: readBytes })
    ? spooledLines(source, layout, { ...options, path: engine.scratchPath(), bucketBytesMax: readBytes })
    : inPlace(source, layout, { ...options, readBytesMax: Math.max(options.bytesMax, readBytes) });
  let firstRow = 0;
  for await (const { rows, bytes } of pieces) {
    yield { firstRow, rows, bytes };
    firstRow += rows;
  }
}

async function* inPlace(
  source: CachedSource,
  layout: RowMap,
  { bytesMax, readBytesMax }: LineOptions & { readonly readBytesMax: number },
): AsyncGenerator<Piece> {
  for (const runs of cutRuns(layout, source.files, source.groups, readBytesMax)) {
    yield* joinPieces(await blockPieces(source, runs), bytesMax);
  }
}

/** The same lines in pieces of at most `bytesMax`, as far as the given ones allow. */
function* joinPieces(pieces: readonly Piece[], bytesMax: number): Generator<Piece> {
  for (let first = 0; first < pieces.length;) {
    let end = first;
    let rows = 0;
    let size = 0;
    do {
      rows += pieces[end]!.rows;
      size += pieces[end]!.bytes.length;
      end++;
    } while (end < pieces.length && size + pieces[end]!.bytes.length <= bytesMax);
    yield { rows, bytes: Buffer.concat(pieces.slice(first, end).map(({ bytes }) => bytes)) };
    first = end;
  }
}

/**
 * Cuts the layout into blocks of at most about `bytesMax`. A block ends with a row group where it can: a row group that two
 * blocks need is unpacked twice.
 */
function* cutRuns(
  layout: RowMap,
  files: readonly RowFile[],
  groups: readonly (readonly number[])[],
  bytesMax: number,
): Generator<readonly FileRun[]> {
  let block: FileRun[] = [];
  let size = 0;
  const lastGroup = new Map<number, number>();
  for (const { file, from, rows } of runsOfLayout(layout)) {
    const rowBytes = bytesPerRow(files[file]!);
    for (let done = 0; done < rows;) {
      const group = partOfAddress(groups[file]!, from + done);
      if (group !== (lastGroup.get(file) ?? group) && size >= bytesMax / 2) {
        yield block;
        block = [];
        size = 0;
      }
      lastGroup.set(file, group);
      const inGroup = groups[file]![group + 1]! - from - done;
      const take = Math.min(rows - done, inGroup, Math.max(1, Math.ceil((bytesMax - size) / rowBytes)));
      block.push({ file, from: from + done, rows: take });
      size += take * rowBytes;
      done += take;
      if (size >= bytesMax) {
        yield block;
        block = [];
        size = 0;
      }
    }
  }
  if (block.length > 0) yield block;
}

/** The intervals to read for a block, by file and row. */
function stretchesOf(runs: readonly FileRun[]): Stretch[] {
  const sorted = runs.toSorted((a, b) => a.file - b.file || a.from - b.from);
  const stretches: Stretch[] = [];
  let last: { file: number; from: number; to: number } | undefined;
  for (const { file, from, rows } of sorted) {
    if (last !== undefined && last.file === file && from <= last.to + gapRowsMax) {
      last.to = Math.max(last.to, from + rows);
    } else {
      last = { file, from, to: from + rows };
      stretches.push(last);
    }
  }
  return stretches;
}

interface CachedSource extends LineSource {
  /** Row groups read whole, by file and number. */
  readonly cache: Map<string, GroupLines>;
}

async function blockPieces(source: CachedSource, runs: readonly FileRun[]): Promise<readonly Piece[]> {
  const stretches = stretchesOf(runs);
  const [only] = stretches;
  if (stretches.length === 1 && isWhole(runs, only)) return readStretch(source, only);
  if (ascend(runs)) return ascendingLines(source, runs);
  const order = Uint32Array.from(runs, (_run, index) => index).sort(
    (a, b) => runs[a]!.file - runs[b]!.file || runs[a]!.from - runs[b]!.from || a - b,
  );
  const pieces = runs.map(({ rows }): Piece => ({ rows, bytes: noBytes }));
  for (let next = 0; next < order.length;) {
    const window = windowFrom(source, runs, order, next);
    const bytes = concatenated(await window.read());
    const offsets = lineOffsets(bytes, window.rows);
    for (; next < window.end; next++) {
      const { from, rows } = runs[order[next]!]!;
      const at = window.placeOf(from);
      // A copy: what lies around the rows goes.
      pieces[order[next]!] = { rows, bytes: new Uint8Array(bytes.subarray(offsets[at], offsets[at + rows])) };
    }
  }
  return pieces;
}

const noBytes = new Uint8Array(0);

/** Rows of a file that are read at once for a block. */
interface Window {
  /** One past the last of the block's runs that it serves. */
  readonly end: number;
  /** Lines that `read` gives. */
  readonly rows: number;
  readonly read: () => Promise<readonly Piece[]>;
  /** Number of the row's line among them. */
  readonly placeOf: (row: number) => number;
}

/** A window for the runs `order[next]` …: whole stretches of about `readBytesMax`, or single rows that lie all over. */
function windowFrom(source: CachedSource, runs: readonly FileRun[], order: Uint32Array, next: number): Window {
  const { file, from } = runs[order[next]!]!;
  const rowsMax = Math.ceil(readBytesMax / bytesPerRow(source.files[file]!));
  const gather = (gapMax: number, spanMax: number): { end: number; to: number; wanted: number } => {
    let [end, to, wanted] = [next, from, 0];
    for (; end < order.length; end++) {
      const run = runs[order[end]!]!;
      const far = run.from > to + gapMax || run.from - from >= spanMax;
      if (end > next && (run.file !== file || far || wanted >= rowsMax)) break;
      to = Math.max(to, run.from + run.rows);
      wanted += run.rows;
    }
    return { end, to, wanted };
  };
  const { end, to, wanted } = gather(gapRowsMax, rowsMax);
  if ((to - from) * 2 < rowsMax || wanted * 4 > to - from) {
    const read = (): Promise<Piece[]> => readStretch(source, { file, from, to });
    return { end, rows: to - from, read, placeOf: (row) => row - from };
  }
  const sparse = gather(gapRowsMax, sparseRowsMax);
  const used = new Uint8Array(sparse.to - from);
  for (let i = next; i < sparse.end; i++) {
    const run = runs[order[i]!]!;
    used.fill(1, run.from - from, run.from - from + run.rows);
  }
  const places = new Uint32Array(used.length);
  let rows = 0;
  for (let row = 0; row < used.length; row++) places[row] = used[row] === 1 ? rows++ : rows;
  const read = (): Promise<Piece[]> => queryLines(source, file, from, sparse.to, used);
  return { end: sparse.end, rows, read, placeOf: (row) => places[row - from]! };
}

function concatenated(pieces: readonly Piece[]): Uint8Array {
  return Buffer.concat(pieces.map(({ bytes }) => bytes));
}

/** Whether the runs follow one another and are all that is read. */
function isWhole(runs: readonly FileRun[], only: Stretch | undefined): only is Stretch {
  let next = only?.from ?? -1;
  for (const { from, rows } of runs) {
    if (from !== next) return false;
    next += rows;
  }
  return next === only?.to;
}

/** The lines of an interval. Of row groups that give only a few rows at a time, all rows are kept for the next block. */
async function readStretch(source: CachedSource, { file, from, to }: Stretch): Promise<Piece[]> {
  const starts = source.groups[file]!;
  const rowBytes = bytesPerRow(source.files[file]!);
  const pieces: Piece[] = [];
  /** Rows from here on up to the current row group wait to be queried together. */
  let waiting = from;
  const query = async (end: number): Promise<void> => {
    if (end > waiting) pieces.push(...(await queryLines(source, file, waiting, end)));
    waiting = end;
  };
  const last = partOfAddress(starts, to - 1);
  for (let group = partOfAddress(starts, from); group <= last; group++) {
    const [start, next] = [starts[group]!, starts[group + 1]!];
    const first = Math.max(from, start);
    const end = Math.min(to, next);
    // A cell of lines must not lie in two row groups.
    if (start % rowsPerCell !== 0 || (end - waiting) * rowBytes > readBytesMax) await query(first);
    if ((end - first) * 4 >= next - start) continue;
    await query(first);
    const { bytes, offsets } = await wholeGroup(source, file, group);
    pieces.push({ rows: end - first, bytes: bytes.subarray(offsets[first - start], offsets[end - start]) });
    waiting = end;
  }
  await query(to);
  return pieces;
}

/** A row group's lines. */
interface GroupLines {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
}

const cachedBytesMax = 128 << 20;

async function wholeGroup(source: CachedSource, file: number, group: number): Promise<GroupLines> {
  const { cache, groups } = source;
  const key = `${file} ${group}`;
  let lines = cache.get(key);
  // Taken out and put back: a map keeps the order of insertion, so that the first is what was not used the longest.
  cache.delete(key);
  if (lines === undefined) {
    const [first, end] = [groups[file]![group]!, groups[file]![group + 1]!];
    const bytes = concatenated(await queryLines(source, file, first, end));
    lines = { bytes, offsets: lineOffsets(bytes, end - first) };
    let kept = bytes.length;
    for (const each of cache.values()) kept += each.bytes.length;
    for (const [oldest, each] of cache) {
      if (kept <= cachedBytesMax) break;
      kept -= each.bytes.length;
      cache.delete(oldest);
    }
  }
  cache.set(key, lines);
  return lines;
}
