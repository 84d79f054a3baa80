/**
 * The rows' lines of a JSON Lines file, read in order and cleaned of what is no row: byte order mark, line ends, blank
 * lines. What is taken away is what the file's fix-ups put back.
 * @module
 */
import { open } from 'node:fs/promises';
import { HoldoutError } from '../errors.ts';

const lf = 10;
const cr = 13;
const readBytesMax = 8 << 20;
const readBytesMin = 1 << 12;

/** Consecutive rows of a file as lines, each ended by LF. */
export interface RawLines {
  readonly firstRow: number;
  readonly rows: number;
  readonly bytes: Uint8Array;
  /** Where each line begins in `bytes`, and at last where they end. */
  readonly offsets: Uint32Array;
}

/**
 * Reads the file to its end.
 * @throws HoldoutError `IO`
 */
export async function* rawLines(path: string): AsyncGenerator<RawLines> {
  const handle = await open(path, 'r').catch((cause: unknown) => Promise.reject(unreadable(path, cause)));
  try {
    const { size } = await handle.stat();
    let rest: Buffer = Buffer.alloc(0);
    let position = 0;
    let firstRow = 0;
    for (;;) {
      // Its end is met with little room, too.
      const room = Math.max(readBytesMin, Math.min(readBytesMax, size - position));
      const buffer = Buffer.allocUnsafe(rest.length + room);
      rest.copy(buffer);
      const { bytesRead } = await handle.read(buffer, rest.length, room, position);
      const start = position === 0 && buffer.length >= 3 && buffer.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
      position += bytesRead;
      const filled = buffer.subarray(start, rest.length + bytesRead);
      const last = bytesRead === 0;
      const end = last ? filled.length : filled.lastIndexOf(lf) + 1;
      const cleaned = cleanLines(filled.subarray(0, end));
      if (cleaned.rows > 0) yield { firstRow, ...cleaned };
      firstRow += cleaned.rows;
      if (last) return;
      rest = filled.subarray(end);
    }
  } catch (cause) {
    throw cause instanceof HoldoutError ? cause : unreadable(path, cause);
  } finally {
    await handle.close();
  }
}

/** Whole lines in; those that are rows out. Text that needs no cleaning is not copied. */
function cleanLines(text: Buffer): Omit<RawLines, 'firstRow'> {
  const pieces: Uint8Array[] = [];
  const offsets: number[] = [0];
  let kept = 0;
  let length = 0;
  const keep = (end: number): void => {
    if (end > kept) pieces.push(text.subarray(kept, end));
  };
  for (let start = 0; start < text.length;) {
    const found = text.indexOf(lf, start);
    const ended = found >= 0;
    const next = ended ? found + 1 : text.length;
    let end = ended ? found : text.length;
    if (ended && end > start && text[end - 1] === cr) end--;
    if (isBlank(text, start, end)) {
      keep(start);
      kept = next;
    } else {
      if (next !== end + 1) {
        keep(end);
        pieces.push(newline);
        kept = next;
      }
      length += end - start + 1;
      offsets.push(length);
    }
    start = next;
  }
  keep(text.length);
  const [only] = pieces;
  const bytes = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  return { rows: offsets.length - 1, bytes, offsets: Uint32Array.from(offsets) };
}

const newline = Uint8Array.of(lf);

function isBlank(text: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const byte = text[i];
    if (byte !== 0x20 && byte !== 0x09 && byte !== cr) return false;
  }
  return true;
}

function unreadable(path: string, cause: unknown): HoldoutError {
  return new HoldoutError('IO', `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    file: path,
    cause,
  });
}
