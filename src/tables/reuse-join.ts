/**
 * Finds the rows of a new table in the parts of a store by their whole digests. Works through the table in windows, so
 * that memory does not grow with it.
 * @module
 */
import { readDigests } from './digest-file.ts';
import type { DigestFile } from './digest-file.ts';

const windowRowsMax = 2_000_000;

/** For each row of the table: 0, or 1 + the address of an equal row in the parts laid end to end. */
export async function findRows(table: DigestFile, parts: readonly DigestFile[]): Promise<Uint32Array> {
  const found = new Uint32Array(table.rows);
  if (parts.length === 0) return found;
  for (let first = 0; first < table.rows; first += windowRowsMax) {
    const rows = Math.min(windowRowsMax, table.rows - first);
    const window = new Uint8Array(rows * 32);
    await readDigests(table, first, rows, (digests, offset) => window.set(digests, offset * 32));
    const index = indexOf(window);
    let start = 0;
    for (const part of parts) {
      await readDigests(part, 0, part.rows, (digests, offset) => {
        markRows(index, digests, start + offset, found, first);
      });
      start += part.rows;
    }
    shareDuplicates(index, found, first);
  }
  return found;
}

interface WindowIndex {
  readonly digests: Buffer;
  /** Open addressing: 0, or 1 + the first row of that digest. */
  readonly slots: Int32Array;
  /** The next row of the same digest, or −1. */
  readonly next: Int32Array;
  /** The first row of the same digest. */
  readonly head: Int32Array;
  /** Of a head: the row that the next equal row of a part is for, or −1 when all have one. */
  readonly waiting: Int32Array;
}

function indexOf(window: Uint8Array): WindowIndex {
  const digests = Buffer.from(window.buffer);
  const rows = digests.length / 32;
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(2, rows * 2))));
  const next = new Int32Array(rows).fill(-1);
  const head = new Int32Array(rows);
  const tail = new Int32Array(rows);
  const waiting = new Int32Array(rows);
  const mask = slots.length - 1;
  for (let row = 0; row < rows; row++) {
    let slot = digests.readUInt32LE(row * 32) & mask;
    for (;;) {
      const first = slots[slot]! - 1;
      if (first < 0) {
        slots[slot] = row + 1;
        head[row] = tail[row] = waiting[row] = row;
        break;
      }
      if (equalDigests(digests, first * 32, digests, row * 32)) {
        next[tail[first]!] = row;
        tail[first] = row;
        head[row] = first;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  return { digests, slots, next, head, waiting };
}

/** Gives each row of a part to the next row of the table that equals it and has none yet. */
function markRows(index: WindowIndex, part: Buffer, start: number, found: Uint32Array, first: number): void {
  const { digests, slots, next, waiting } = index;
  const mask = slots.length - 1;
  for (let at = 0; at < part.length; at += 32) {
    let slot = part.readUInt32LE(at) & mask;
    for (;;) {
      const head = slots[slot]! - 1;
      if (head < 0) break;
      if (equalDigests(digests, head * 32, part, at)) {
        const row = waiting[head]!;
        if (row >= 0) {
          found[first + row] = start + at / 32 + 1;
          waiting[head] = next[row]!;
        }
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
}

/** Rows that stand more often in the table than in the parts share the row of their first. */
function shareDuplicates(index: WindowIndex, found: Uint32Array, first: number): void {
  for (const [row, head] of index.head.entries()) {
    if (found[first + row] === 0 && head !== row) found[first + row] = found[first + head]!;
  }
}

function equalDigests(a: Buffer, atA: number, b: Buffer, atB: number): boolean {
  for (let i = 0; i < 32; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}
