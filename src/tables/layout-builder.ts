/**
 * Builds layouts: runs of addresses go in, pieces of the smallest kind come out. Long runs become ranges; what lies
 * between is cut into blocks, each kept as bitmap, varint runs or packed row numbers, whichever is least. A random
 * filter of a million rows costs about a bit a row, a shuffle about 20 bits a row, an untouched table a few bytes.
 * @module
 */
import { addressesOf, forEachPartRun, forEachRun, layoutAddressesMax, partStarts } from './layout.ts';
import type { Layout, LayoutPart, PartRows, Piece, RowMap } from './layout.ts';

/** A run at least this long is a range of its own. */
const rangeRowsMin = 4096;
/** Rows of a block between ranges. */
const blockRowsMax = 65_536;

/** Collects runs of addresses in table order. */
export class LayoutBuilder<Part extends PartRows = LayoutPart> {
  readonly #parts: readonly Part[];
  readonly #addresses: number;
  readonly #pieces: Piece[] = [];
  #rows = 0;
  #from = 0;
  #length = 0;
  /** [from, rows] of the runs of the block at hand, one after the other: a run is of a row at least. */
  readonly #runs = new Uint32Array(2 * (blockRowsMax + rangeRowsMin));
  #runNumbers = 0;
  #runRows = 0;

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.#addresses = partStarts(parts).at(-1)!;
  }

  /** Adds the addresses `from` … `from + rows - 1`. */
  push(from: number, rows: number): void {
    if (rows === 0) return;
    if (from < 0 || from + rows > this.#addresses) {
      throw new RangeError(`rows ${from} … ${from + rows - 1} lie outside the ${this.#addresses} rows of the parts`);
    }
    this.#rows += rows;
    if (this.#length > 0 && from === this.#from + this.#length) {
      this.#length += rows;
      return;
    }
    this.#endRun();
    this.#from = from;
    this.#length = rows;
  }

  /** The rows that went in. */
  finish(): RowMap<Part> {
    this.#endRun();
    this.#endBlock();
    if (this.#rows > layoutAddressesMax) throw new RangeError(`a table holds at most ${layoutAddressesMax} rows`);
    return { rows: this.#rows, parts: this.#parts, pieces: this.#pieces };
  }

  #endRun(): void {
    const rows = this.#length;
    if (rows === 0) return;
    this.#length = 0;
    if (rows >= rangeRowsMin) {
      this.#endBlock();
      this.#pieces.push({ kind: 'range', rows, from: this.#from });
      return;
    }
    this.#runs[this.#runNumbers++] = this.#from;
    this.#runs[this.#runNumbers++] = rows;
    this.#runRows += rows;
    if (this.#runRows >= blockRowsMax) this.#endBlock();
  }

  #endBlock(): void {
    if (this.#runRows === 0) return;
    this.#pieces.push(smallestPiece(this.#runs.subarray(0, this.#runNumbers), this.#runRows));
    this.#runNumbers = 0;
    this.#runRows = 0;
  }
}

/** The least of the four kinds for these runs ([from, rows] one after the other). */
function smallestPiece(runs: Uint32Array, rows: number): Piece {
  const first = runs[0]!;
  if (runs.length === 2) return { kind: 'range', rows, from: first };
  let least = first;
  let last = 0;
  let ascending = true;
  let varints = 0;
  let end = first;
  for (let i = 0; i < runs.length; i += 2) {
    const from = runs[i]!;
    const length = runs[i + 1]!;
    if (from < end) ascending = false;
    varints += varintBytes(zigzag(from - end)) + varintBytes(length);
    end = from + length;
    least = Math.min(least, from);
    last = Math.max(last, end - 1);
  }
  const width = 32 - Math.clz32(last - least);
  const packed = Math.ceil((rows * width) / 8);
  const bitmap = ascending ? Math.ceil((last - least + 1) / 8) : Infinity;
  if (bitmap <= varints && bitmap <= packed) return { kind: 'bitmap', rows, from: least, bits: bitsOf(runs, bitmap) };
  if (varints <= packed) return { kind: 'runs', rows, from: first, bytes: varintsOf(runs, varints) };
  return { kind: 'packed', rows, from: least, width, bytes: packedOf(runs, least, width, packed) };
}

function zigzag(distance: number): number {
  return distance >= 0 ? distance * 2 : -distance * 2 - 1;
}

/** Bytes that a varint takes. */
export function varintBytes(value: number): number {
  // Without a division for the numbers of tables of up to 268 million rows.
  if (value < 2 ** 7) return 1;
  if (value < 2 ** 14) return 2;
  if (value < 2 ** 21) return 3;
  return value < 2 ** 28 ? 4 : 4 + varintBytes(Math.floor(value / 2 ** 28));
}

/** Writes a varint (7 bits a byte, least first) and returns the offset behind it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let offset = at;
  while (rest >= 128) {
    bytes[offset++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[offset++] = rest;
  return offset;
}

function bitsOf(runs: Uint32Array, size: number): Uint8Array {
  const bits = new Uint8Array(size);
  const first = runs[0]!;
  for (let i = 0; i < runs.length; i += 2) {
    const from = runs[i]! - first;
    const end = from + runs[i + 1]!;
    for (let bit = from; bit < end; bit++) bits[bit >>> 3]! |= 1 << (bit & 7);
  }
  return bits;
}

function varintsOf(runs: Uint32Array, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  let end = runs[0]!;
  for (let i = 0; i < runs.length; i += 2) {
    at = writeVarint(bytes, at, zigzag(runs[i]! - end));
    at = writeVarint(bytes, at, runs[i + 1]!);
    end = runs[i]! + runs[i + 1]!;
  }
  return bytes;
}

function packedOf(runs: Uint32Array, least: number, width: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  let held = 0;
  let heldBits = 0;
  // At most 24 bits at once: with the up to 7 that are held they fit a word.
  const put = (value: number, bits: number): void => {
    held |= value << heldBits;
    heldBits += bits;
    for (; heldBits >= 8; heldBits -= 8) {
      bytes[at++] = held;
      held >>>= 8;
    }
  };
  for (let i = 0; i < runs.length; i += 2) {
    const first = runs[i]! - least;
    for (let k = 0; k < runs[i + 1]!; k++) {
      put((first + k) & 0xffff, Math.min(width, 16));
      if (width > 16) put((first + k) >>> 16, width - 16);
    }
  }
  if (heldBits > 0) bytes[at] = held;
  return bytes;
}

/** The same layout over those of its parts that it uses. */
export function withoutUnusedParts(layout: Layout): Layout {
  const used = usedParts(layout);
  if (layout.digests === undefined) return used;
  return { ...used, digests: usedParts(layout.digests) };
}

function usedParts<Part extends PartRows>({ rows, parts, pieces }: RowMap<Part>): RowMap<Part> {
  const map = { rows, parts, pieces };
  if (parts.length === 1 && rows > 0) return map;
  const starts = partStarts(parts);
  const used = new Set<number>();
  forEachPartRun(map, starts, (part) => used.add(part));
  if (used.size === parts.length) return map;
  const startOf: number[] = [];
  let start = 0;
  for (const [index, part] of parts.entries()) {
    startOf.push(start);
    if (used.has(index)) start += part.rows;
  }
  const builder = new LayoutBuilder(parts.filter((_part, index) => used.has(index)));
  forEachPartRun(map, starts, (part, from, rows) => builder.push(startOf[part]! + from, rows));
  return builder.finish();
}

/**
 * The layout of a selection: `keep` lists positions in the table in the order of the new one, or is a bitmap (bit i of
 * byte i >> 3, least significant first) of the positions that stay.
 * @throws RangeError for a position that the table does not have
 */
export function composeLayout(layout: Layout, keep: Uint32Array | { readonly bitmap: Uint8Array }): Layout {
  const rows = composeMap(layout, keep);
  if (layout.digests === undefined) return withoutUnusedParts(rows);
  // Where both lie alike, one selection serves both.
  const alike = layout.digests.pieces === layout.pieces;
  const { parts } = layout.digests;
  return withoutUnusedParts({ ...rows, digests: alike ? { ...rows, parts } : composeMap(layout.digests, keep) });
}

function composeMap<Part extends PartRows>(
  map: RowMap<Part>,
  keep: Uint32Array | { readonly bitmap: Uint8Array },
): RowMap<Part> {
  const builder = new LayoutBuilder(map.parts);
  if (keep instanceof Uint32Array) {
    const addresses = addressesOf(map);
    for (const position of keep) {
      if (position >= map.rows) throw new RangeError(`row ${position} of a table of ${map.rows} rows`);
      builder.push(addresses[position]!, 1);
    }
    return builder.finish();
  }
  const { bitmap } = keep;
  if (bitmap.length !== Math.ceil(map.rows / 8)) {
    throw new RangeError(`a bitmap of ${bitmap.length} bytes does not fit a table of ${map.rows} rows`);
  }
  let position = 0;
  forEachRun(map, (from, rows) => {
    for (let i = 0; i < rows; i++, position++) {
      if (((bitmap[position >>> 3]! >>> (position & 7)) & 1) === 1) builder.push(from + i, 1);
    }
  });
  return builder.finish();
}
