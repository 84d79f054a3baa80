/**
 * Lines of a raw file whose bytes are kept: where they begin, how long they are, and their text.
 * @module
 */
import type { BlobRecord } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { rawBytes } from '../snapshots/raw-files.ts';
import type { Store } from '../store/store.ts';
import { linePlaces } from '../tables/line-places.ts';

/** A line of a file. */
export interface RawLine {
  /** From 1. */
  readonly line: number;
  /** Of its first byte, from the beginning of the file; a byte order mark is not part of the line. */
  readonly offset: number;
  /** Without its end. */
  readonly bytes: number;
  /** At most `rawTextBytesMax` bytes of it. */
  readonly text: string;
  readonly cut: boolean;
}

/** Bytes of a row that are held as its text. */
export const rawTextBytesMax = 1 << 20;
const newline = 10;
const carriageReturn = 13;
const byteOrderMark = 3;

/**
 * These lines (from 1), by number; the file is read up to the last of them.
 * @throws HoldoutError as the store does
 */
export async function rawLines(
  place: { readonly store: Store; readonly engine: Engine },
  blob: BlobRecord,
  wanted: readonly number[],
): Promise<ReadonlyMap<number, RawLine>> {
  const known = await plainLines(place, blob, wanted);
  if (known !== null) return known;
  const found = new Map<number, RawLine>();
  const lines = new Set(wanted);
  const last = wanted.reduce((max, line) => Math.max(max, line), 0);
  let [line, start, offset] = [1, 0, 0];
  let held: Buffer[] = [];
  const end = (): void => {
    if (!lines.has(line)) return;
    let bytes = Buffer.concat(held);
    let at = start;
    if (line === 1 && bytes.subarray(0, byteOrderMark).toString('hex') === 'efbbbf') {
      bytes = bytes.subarray(byteOrderMark);
      at += byteOrderMark;
    }
    if (bytes.at(-1) === carriageReturn) bytes = bytes.subarray(0, -1);
    found.set(line, rawLine(line, at, bytes));
  };
  for await (const chunk of rawBytes(place.store, place.engine, blob)) {
    const block = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let at = 0; at < block.length;) {
      const stop = block.indexOf(newline, at);
      const until = stop < 0 ? block.length : stop;
      if (lines.has(line)) held.push(Buffer.from(block.subarray(at, until)));
      if (stop < 0) break;
      end();
      held = [];
      line += 1;
      start = offset + stop + 1;
      at = stop + 1;
      if (line > last) return found;
    }
    offset += block.length;
  }
  if (held.length > 0) end();
  return found;
}

function rawLine(line: number, offset: number, bytes: Buffer): RawLine {
  const text = bytes.subarray(0, rawTextBytesMax).toString();
  return { line, offset, bytes: bytes.length, text, cut: bytes.length > rawTextBytesMax };
}

/** The same of a file all of whose lines are rows and end with LF: what stands before them need not be read. Else null. */
async function plainLines(
  place: { readonly store: Store; readonly engine: Engine },
  { content }: BlobRecord,
  wanted: readonly number[],
): Promise<ReadonlyMap<number, RawLine> | null> {
  if (content.kind !== 'lines' || content.fixups.ends !== 'lf' || content.fixups.blanks.length > 0) return null;
  const rows = [...new Set(wanted)].map((line) => line - 1).sort((a, b) => a - b);
  const places = await linePlaces(place, content, content.firstRow, rows);
  if (places === null) return null;
  const before = content.fixups.bom ? byteOrderMark : 0;
  return new Map(
    places.map(({ offset, line }, at) => [rows[at]! + 1, rawLine(rows[at]! + 1, before + offset, Buffer.from(line))]),
  );
}
