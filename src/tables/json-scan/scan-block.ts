/**
 * One block of whole lines through the kernel: row digests, line facts, or the first line that is refused.
 * @module
 */
import { hash } from 'node:crypto';
import type { Kernel } from './kernel.ts';

/** What a block held. */
export interface BlockResult {
  /** 32 bytes a row, in order. */
  readonly digests: Uint8Array<ArrayBuffer>;
  /** Offset in the file of each row's line; null where it was not asked for. */
  readonly offsets: Float64Array<ArrayBuffer> | null;
  /** Line feeds in the block. */
  readonly newlines: number;
  /** Lines of the block (from 0) that end in CRLF: all, none, or these. */
  readonly crlf: 'all' | 'none' | Uint32Array<ArrayBuffer>;
  /** Blank lines of the block (from 0) and their text; null past `BLANKS_MAX`. */
  readonly blanks: readonly (readonly [line: number, text: string])[] | null;
  readonly longestLine: number;
  readonly refusal: Refusal | null;
}

/** The first line of a block that is refused. */
export interface Refusal {
  readonly code: number;
  /** Line within the block, from 0, and its offset in the file. */
  readonly line: number;
  readonly lineAt: number;
  /** Bytes of the line before the refused byte. */
  readonly byte: number;
  /** Characters before it. */
  readonly character: number;
  /** What stands there: a few characters, '' at the line's end. */
  readonly near: string;
}

/** Most blank lines of a file whose places are kept. */
export const BLANKS_MAX = 1_000_000;

/** Code of a refusal that is not the kernel's: the memory cannot grow far enough for the block's one long line. */
const NO_MEMORY = 19;

/** Scans a block that begins at `offset` in the file. */
export function scanBlock(kernel: Kernel, block: Uint8Array, offset: number, wantOffsets: boolean): BlockResult {
  const { wasm } = kernel;
  const input = wasm.reserve(block.length) >>> 0;
  if (input === 0) return withoutMemory(offset);
  const memory = kernel.bytes();
  memory.set(block, input);
  wasm.open(block.length, offset);

  let digests = Buffer.alloc(Math.max(64, block.length >> 8) * 32);
  let rows = 0;
  const offsets: number[] = [];
  let blanks: [number, string][] | null = [];
  let refused = false;
  for (let more = true; more;) {
    const status = wasm.run();
    more = status === 1;
    refused = status === 2;
    const count = wasm.rowCount();
    if ((rows + count) * 32 > digests.length) {
      const larger = Buffer.alloc(Math.max(digests.length * 2, (rows + count) * 32));
      digests.copy(larger);
      digests = larger;
    }
    for (let i = 0, entry = wasm.rowsAt() >>> 0; i < count; i++, entry += 12) {
      const preimage = memory.subarray(memory.readUInt32LE(entry), memory.readUInt32LE(entry + 4));
      // As a string of 32 one-byte characters: that takes half the time of a Buffer.
      digests.write(hash('sha256', preimage, 'binary'), (rows + i) * 32, 32, 'latin1');
      if (wantOffsets) offsets.push(offset + memory.readUInt32LE(entry + 8));
    }
    rows += count;
    const blankCount = wasm.blankCount();
    for (let i = 0, entry = wasm.blanksAt() >>> 0; i < blankCount && blanks !== null; i++, entry += 12) {
      const at = input + memory.readUInt32LE(entry + 4);
      blanks.push([memory.readUInt32LE(entry), memory.toString('latin1', at, at + memory.readUInt32LE(entry + 8))]);
      if (blanks.length > BLANKS_MAX) blanks = null;
    }
  }
  const newlines = wasm.newlineCount();
  const crlfs = wasm.crlfCount();
  return {
    digests: digests.subarray(0, rows * 32),
    offsets: wantOffsets ? Float64Array.from(offsets) : null,
    newlines,
    crlf: crlfs === 0 ? 'none' : crlfs === newlines ? 'all' : crlfLines(block, crlfs),
    blanks,
    longestLine: wasm.longestLine() >>> 0,
    refusal: refused ? refusalIn(block, offset, wasm.refusalCode(), wasm.refusalAt() >>> 0, newlines) : null,
  };
}

function withoutMemory(offset: number): BlockResult {
  const refusal = { code: NO_MEMORY, line: 0, lineAt: offset, byte: 0, character: 0, near: '' };
  const nothing = { digests: new Uint8Array(0), offsets: null, newlines: 0, blanks: [], longestLine: 0 };
  return { ...nothing, crlf: 'none', refusal };
}

function crlfLines(block: Uint8Array, count: number): Uint32Array<ArrayBuffer> {
  const lines = new Uint32Array(count);
  let found = 0;
  let line = 0;
  for (let at = block.indexOf(10); at !== -1 && found < count; at = block.indexOf(10, at + 1), line++) {
    if (block[at - 1] === 13) lines[found++] = line;
  }
  return lines;
}

function refusalIn(block: Uint8Array, offset: number, code: number, at: number, line: number): Refusal {
  const start = at === 0 ? 0 : block.lastIndexOf(10, at - 1) + 1;
  let end = block.indexOf(10, at);
  if (end === -1) end = block.length;
  let character = 0;
  for (let i = start; i < at; i++) if (((block[i] ?? 0) & 0xc0) !== 0x80) character++;
  const near = new TextDecoder().decode(block.subarray(at, Math.min(end, at + 24))).replace(/\r$/, '');
  return {
    code,
    line,
    lineAt: offset + start,
    byte: at - start,
    character,
    near: Array.from(near).slice(0, 12).join(''),
  };
}
