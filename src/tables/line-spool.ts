/**
 * Lines of a table whose rows are strewn over its parts, in the order of the table: each part is read once, from front to
 * end; every line goes to a spool file, to the bucket of its position; then one bucket after the other is read and put in
 * order. The spool takes as much of the disk as the lines have bytes; memory is two buckets, the buffers in front of the
 * file, and 8 bytes a row.
 * @module
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { HoldoutError } from '../errors.ts';
import { bytesPerRow, lineOffsets, queryLines, readBytesMax, rowsPerCell, wrongRows } from './file-lines.ts';
import type { LineSource, Piece } from './file-lines.ts';
import { forEachRun, partStarts } from './layout.ts';
import type { RowMap } from './layout.ts';

/** Bytes of a bucket, about, and of all buffers in front of the spool file. */
const bucketBytesDefault = 32 << 20;
const buffersBytesMax = 64 << 20;
const bufferBytesMax = 1 << 20;
const bufferBytesMin = 16 << 10;
/** Before each line: its position in the bucket and its length, 32 bits each. */
const headBytes = 8;

export interface SpoolOptions {
  /** Where the spool may be written; it is removed at the end. */
  readonly path: string;
  /** Bytes of the pieces that are handed out. */
  readonly bytesMax: number;
  readonly rowsMax?: number | undefined;
  /** Bytes that are put in order at once, about; 32 MiB by default. */
  readonly bucketBytesMax?: number | undefined;
}

/**
 * The table's rows in order.
 * @throws HoldoutError `STORE_CORRUPT`, `IO`
 */
export async function* spooledLines(
  source: LineSource,
  layout: RowMap,
  { path, bytesMax, rowsMax = Infinity, bucketBytesMax = bucketBytesDefault }: SpoolOptions,
): AsyncGenerator<Piece> {
  const bytes = source.files.reduce((sum, { logicalBytes }) => sum + logicalBytes, 0);
  const stored = source.files.reduce((sum, { rows }) => sum + rows, 0);
  const rowBytes = Math.max(1, bytes / Math.max(1, stored)) + headBytes;
  const bucketRows = Math.max(1, Math.floor(bucketBytesMax / rowBytes));
  const spool = new Spool(path, Math.ceil(layout.rows / bucketRows));
  try {
    const places = placesOf(layout);
    for (const [file, first] of partStarts(layout.parts).slice(0, -1).entries()) {
      for (const [from, to] of windows(source, file, places.heads.subarray(first))) {
        let row = from;
        for (const piece of await queryLines(source, file, from, to)) {
          const offsets = lineOffsets(piece.bytes, piece.rows);
          for (let i = 0; i < piece.rows; i++, row++) {
            for (let place = places.heads[first + row]!; place !== 0; place = places.nexts[place - 1]!) {
              const bucket = Math.floor((place - 1) / bucketRows);
              spool.add(bucket, (place - 1) % bucketRows, piece.bytes, offsets[i]!, offsets[i + 1]!);
            }
          }
        }
      }
    }
    spool.flush();
    for (let bucket = 0; bucket * bucketRows < layout.rows; bucket++) {
      const rows = Math.min(bucketRows, layout.rows - bucket * bucketRows);
      yield* inOrder(spool.read(bucket), rows, bytesMax, rowsMax);
    }
  } finally {
    spool.close();
  }
}

/** For each address the first position at which its row stands, and for each position the next one; from 1, 0 for none. */
function placesOf(layout: RowMap): { readonly heads: Uint32Array; readonly nexts: Uint32Array } {
  const heads = new Uint32Array(partStarts(layout.parts).at(-1)!);
  const nexts = new Uint32Array(layout.rows);
  let position = 0;
  forEachRun(layout, (from, rows) => {
    for (let address = from; address < from + rows; address++, position++) {
      nexts[position] = heads[address]!;
      heads[address] = position + 1;
    }
  });
  return { heads, nexts };
}

/** What to read of a file at once: row groups in which the table has a row. A cell of lines lies in one window. */
function* windows(source: LineSource, file: number, heads: Uint32Array): Generator<readonly [number, number]> {
  const starts = source.groups[file]!;
  const rowBytes = bytesPerRow(source.files[file]!);
  let from = -1;
  for (let group = 0; group + 1 < starts.length; group++) {
    const [start, end] = [starts[group]!, starts[group + 1]!];
    let used = false;
    for (let row = start; row < end && !used; row++) used = heads[row] !== 0;
    if (from >= 0 && (!used || start % rowsPerCell !== 0 || (end - from) * rowBytes > readBytesMax)) {
      yield [from, start];
      from = -1;
    }
    if (used && from < 0) from = start;
  }
  if (from >= 0) yield [from, starts.at(-1)!];
}

/** A bucket's lines, by their positions in it. */
function* inOrder(bucket: Buffer, rows: number, bytesMax: number, rowsMax: number): Generator<Piece> {
  const offsets = new Float64Array(rows).fill(-1);
  let found = 0;
  for (let at = 0; at < bucket.length; found++) {
    offsets[bucket.readUInt32LE(at)] = at + headBytes;
    at += headBytes + bucket.readUInt32LE(at + 4);
  }
  if (found !== rows || offsets.includes(-1)) throw wrongRows();
  const lengthOf = (row: number): number => bucket.readUInt32LE(offsets[row]! - 4);
  for (let first = 0; first < rows;) {
    let end = first;
    let size = 0;
    do size += lengthOf(end++);
    while (end < rows && end - first < rowsMax && size + lengthOf(end) <= bytesMax);
    const bytes = Buffer.allocUnsafe(size);
    for (let row = first, at = 0; row < end; row++) {
      at += bucket.copy(bytes, at, offsets[row], offsets[row]! + lengthOf(row));
    }
    yield { rows: end - first, bytes };
    first = end;
  }
}

/** A file of buckets, each written in segments. */
class Spool {
  readonly #path: string;
  readonly #file: number;
  readonly #bufferBytes: number;
  readonly #buffers: Buffer[] = [];
  readonly #filled: number[] = [];
  /** For each bucket, start and length of its segments in turn. */
  readonly #segments: number[][] = [];
  #end = 0;

  constructor(path: string, buckets: number) {
    this.#path = path;
    const share = Math.floor(buffersBytesMax / Math.max(1, buckets));
    this.#bufferBytes = Math.min(bufferBytesMax, Math.max(bufferBytesMin, share));
    for (let i = 0; i < buckets; i++) {
      this.#buffers.push(Buffer.allocUnsafeSlow(this.#bufferBytes));
      this.#filled.push(0);
      this.#segments.push([]);
    }
    this.#file = this.#io(() => openSync(path, 'wx+', 0o600));
  }

  /** Adds a line: bytes `start` … `end - 1`. */
  add(bucket: number, position: number, bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.#filled[bucket]! + headBytes + length > this.#bufferBytes) this.#flush(bucket);
    const whole = headBytes + length > this.#bufferBytes;
    const buffer = whole ? Buffer.allocUnsafe(headBytes + length) : this.#buffers[bucket]!;
    const at = whole ? 0 : this.#filled[bucket]!;
    buffer.writeUInt32LE(position, at);
    buffer.writeUInt32LE(length, at + 4);
    buffer.set(bytes.subarray(start, end), at + headBytes);
    if (whole) this.#write(bucket, buffer);
    else this.#filled[bucket] = at + headBytes + length;
  }

  /** Writes what is buffered, and gives the buffers up. */
  flush(): void {
    for (const bucket of this.#segments.keys()) this.#flush(bucket);
    this.#buffers.length = 0;
  }

  read(bucket: number): Buffer {
    const segments = this.#segments[bucket]!;
    let size = 0;
    for (let i = 1; i < segments.length; i += 2) size += segments[i]!;
    const buffer = Buffer.allocUnsafe(size);
    let at = 0;
    for (let i = 0; i < segments.length; i += 2) {
      for (let done = 0; done < segments[i + 1]!;) {
        const read = this.#io(() => readSync(this.#file, buffer, at, segments[i + 1]! - done, segments[i]! + done));
        if (read === 0) throw new HoldoutError('IO', `${this.#path} was cut while it was in use`);
        done += read;
        at += read;
      }
    }
    return buffer;
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }

  #flush(bucket: number): void {
    if (this.#filled[bucket] === 0) return;
    this.#write(bucket, this.#buffers[bucket]!.subarray(0, this.#filled[bucket]));
    this.#filled[bucket] = 0;
  }

  #write(bucket: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      done += this.#io(() => writeSync(this.#file, bytes, done, bytes.length - done, this.#end + done));
    }
    this.#segments[bucket]!.push(this.#end, bytes.length);
    this.#end += bytes.length;
  }

  #io<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw new HoldoutError('IO', `cannot put rows in order in ${this.#path}: ${(cause as Error).message}`, {
        hint: 'Putting a shuffled table in order takes as much of the disk as its lines have bytes.',
        cause,
      });
    }
  }
}
