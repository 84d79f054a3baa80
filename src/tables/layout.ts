/**
 * A layout says which stored row stands at which position of a table. Its rows are *addresses*: the row numbers of its
 * parts laid end to end, so that one number names part and row. Pieces follow the order of the table. A part is a stored
 * one, or columns of several that lie row by row beside each other (a *stack*): a step that changes one column stores
 * that column, in the order of the part that it stands beside. No id depends on a layout; it can be replaced by another
 * that yields the same rows.
 * @module
 */
import { type Sha256Id } from '../../schemas/ids.ts';

/** Some rows of something stored. */
export interface PartRows {
  readonly rows: number;
}

/** A stored part, all of its columns under their own names. */
export interface WholePart extends PartRows {
  readonly id: Sha256Id;
}

/** Columns out of one stored file: what each is called in the table, and in the file. */
export interface ColumnSource {
  /** Of a part's record or a columns record. */
  readonly id: Sha256Id;
  readonly columns: readonly (readonly [column: string, stored: string])[];
}

/** Row i is made of row i of each source. A column that no source has is null. */
export interface StackedPart extends PartRows {
  readonly sources: readonly ColumnSource[];
}

/** What a layout draws rows from. */
export type LayoutPart = WholePart | StackedPart;

/** Consecutive rows of the table; each kind gives their addresses in its own way. */
export type Piece =
  /** `from`, `from + 1`, … */
  | { readonly kind: 'range'; readonly rows: number; readonly from: number }
  /** Ascending: bit i (least significant first) says whether `from + i` is there. */
  | { readonly kind: 'bitmap'; readonly rows: number; readonly from: number; readonly bits: Uint8Array }
  /** Short runs, as varints: signed distance from the end of the previous run (at first: from `from`), then length. */
  | { readonly kind: 'runs'; readonly rows: number; readonly from: number; readonly bytes: Uint8Array }
  /** Any order: `from` plus a number of `width` bits each, least significant bit first. */
  | {
      readonly kind: 'packed';
      readonly rows: number;
      readonly from: number;
      readonly width: number;
      readonly bytes: Uint8Array;
    };

/** Rows of parts in the order of a table. */
export interface RowMap<Part extends PartRows = PartRows> {
  readonly rows: number;
  readonly parts: readonly Part[];
  readonly pieces: readonly Piece[];
}

/** Where a table's rows stand. */
export interface Layout extends RowMap<LayoutPart> {
  /**
   * Where their digests stand: parts are records with a sidecar. Absent where those of `parts` give them, which then are
   * stored parts all; a stack has none.
   */
  readonly digests?: RowMap<WholePart>;
}

/** Whether rows of this part are the stored rows of one part as they stand. */
export function isWhole(part: LayoutPart): part is WholePart {
  return !('sources' in part);
}

/**
 * Where the digests of a layout's rows stand.
 * @throws TypeError for a layout over stacks that does not say
 */
export function digestsOf({ rows, parts, pieces, digests }: Layout): RowMap<WholePart> {
  if (digests !== undefined) return digests;
  if (!parts.every(isWhole)) throw new TypeError('a layout over stacked parts must say where the digests stand');
  return { rows, parts, pieces };
}

/** The ids of all records that a layout names, each once. */
export function recordsOfLayout({ parts, digests }: Layout): readonly Sha256Id[] {
  const ids = new Set<Sha256Id>();
  for (const part of parts) {
    if (isWhole(part)) ids.add(part.id);
    else for (const { id } of part.sources) ids.add(id);
  }
  for (const { id } of digests?.parts ?? []) ids.add(id);
  return [...ids];
}

/** Addresses are kept in 32 bits: over four thousand million rows in the parts of one table. */
export const layoutAddressesMax = 2 ** 32 - 1;

/** First address of each part, and one past the last. */
export function partStarts(parts: readonly PartRows[]): readonly number[] {
  const starts = [0];
  let start = 0;
  for (const part of parts) starts.push((start += part.rows));
  if (start > layoutAddressesMax) {
    throw new RangeError(`a layout holds at most ${layoutAddressesMax} addresses, got ${start}`);
  }
  return starts;
}

/** Index of the part that holds `address`, given `partStarts`. */
export function partOfAddress(starts: readonly number[], address: number): number {
  let low = 0;
  let high = starts.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (starts[middle]! <= address) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A layout that is nothing but these parts, one after the other. */
export function wholeParts<Part extends PartRows>(parts: readonly Part[]): RowMap<Part> {
  const rows = partStarts(parts).at(-1)!;
  return { rows, parts, pieces: rows === 0 ? [] : [{ kind: 'range', rows, from: 0 }] };
}

/** Calls `visit` with every run of consecutive addresses, in table order; no run crosses a piece. */
export function forEachRun(layout: Pick<RowMap, 'pieces'>, visit: (from: number, rows: number) => void): void {
  for (const piece of layout.pieces) pieceRuns(piece, visit);
}

function pieceRuns(piece: Piece, visit: (from: number, rows: number) => void): void {
  switch (piece.kind) {
    case 'range':
      visit(piece.from, piece.rows);
      return;
    case 'bitmap':
      bitmapRuns(piece.bits, piece.from, visit);
      return;
    case 'runs':
      varintRuns(piece.bytes, piece.from, visit);
      return;
    case 'packed':
      packedRuns(piece.bytes, piece.width, piece.from, piece.rows, visit);
  }
}

function bitmapRuns(bits: Uint8Array, from: number, visit: (from: number, rows: number) => void): void {
  let start = -1;
  for (let byte = 0; byte < bits.length; byte++) {
    const value = bits[byte]!;
    if (value === 0xff && start >= 0) continue;
    if (value === 0 && start < 0) continue;
    for (let bit = 0; bit < 8; bit++) {
      const set = (value >>> bit) & 1;
      if (set === 1 && start < 0) start = byte * 8 + bit;
      else if (set === 0 && start >= 0) {
        visit(from + start, byte * 8 + bit - start);
        start = -1;
      }
    }
  }
  if (start >= 0) visit(from + start, bits.length * 8 - start);
}

function varintRuns(bytes: Uint8Array, from: number, visit: (from: number, rows: number) => void): void {
  let at = 0;
  let end = from;
  const next = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('a layout piece ends inside a number');
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const distance = next();
    const rows = next();
    end += distance % 2 === 0 ? distance / 2 : -(distance + 1) / 2;
    visit(end, rows);
    end += rows;
  }
}

function packedRuns(
  bytes: Uint8Array,
  width: number,
  from: number,
  rows: number,
  visit: (from: number, rows: number) => void,
): void {
  let start = -1;
  let length = 0;
  for (let row = 0; row < rows; row++) {
    const address = from + readBits(bytes, row * width, width);
    if (address === start + length && length > 0) {
      length++;
      continue;
    }
    if (length > 0) visit(start, length);
    start = address;
    length = 1;
  }
  if (length > 0) visit(start, length);
}

/** `width` (0 … 32) bits at bit `offset`, least significant first. Bytes past the end count as 0. */
function readBits(bytes: Uint8Array, offset: number, width: number): number {
  const byte = Math.floor(offset / 8);
  const bit = offset % 8;
  const word = bytes[byte]! | (bytes[byte + 1]! << 8) | (bytes[byte + 2]! << 16) | (bytes[byte + 3]! << 24);
  const value = bit + width > 32 ? (word >>> bit) | (bytes[byte + 4]! << (32 - bit)) : word >>> bit;
  return width === 32 ? value >>> 0 : (value & ((1 << width) - 1)) >>> 0;
}

/** The address of every row of the table, in order: 4 bytes a row. */
export function addressesOf(layout: RowMap): Uint32Array {
  const addresses = new Uint32Array(layout.rows);
  let at = 0;
  forEachRun(layout, (from, rows) => {
    for (let i = 0; i < rows; i++) addresses[at++] = from + i;
  });
  return addresses;
}

/** For one part: row numbers in it and the positions in the table where they stand, in table order. */
export interface RowsOfPart<Part extends PartRows> {
  readonly part: Part;
  readonly rows: Uint32Array;
  readonly positions: Uint32Array;
}

/** For each part of the layout, its rows and their positions in the table (8 bytes a row in all). */
export function rowsOfPart<Part extends PartRows>(layout: RowMap<Part>): readonly RowsOfPart<Part>[] {
  const [only] = layout.parts;
  if (only !== undefined && layout.parts.length === 1) {
    const rows = addressesOf(layout);
    return [{ part: only, rows, positions: rows.map((_, position) => position) }];
  }
  const starts = partStarts(layout.parts);
  const counts = layout.parts.map(() => 0);
  forEachPartRun(layout, starts, (part, _from, rows) => {
    counts[part]! += rows;
  });
  const result = layout.parts.map((part, index) => ({
    part,
    rows: new Uint32Array(counts[index]!),
    positions: new Uint32Array(counts[index]!),
  }));
  const filled = layout.parts.map(() => 0);
  forEachPartRun(layout, starts, (part, from, rows, position) => {
    const { rows: rowNumbers, positions } = result[part]!;
    let at = filled[part]!;
    for (let i = 0; i < rows; i++) {
      rowNumbers[at] = from + i;
      positions[at++] = position + i;
    }
    filled[part] = at;
  });
  return result;
}

/** Like `forEachRun`, with runs cut at part boundaries and numbered within their part. */
export function forEachPartRun(
  layout: RowMap,
  starts: readonly number[],
  visit: (part: number, from: number, rows: number, position: number) => void,
): void {
  let position = 0;
  forEachRun(layout, (from, rows) => {
    let part = partOfAddress(starts, from);
    let at = from;
    let left = rows;
    while (left > 0) {
      const take = Math.min(left, starts[part + 1]! - at);
      visit(part, at - starts[part]!, take, position);
      position += take;
      left -= take;
      at += take;
      part++;
    }
  });
}
