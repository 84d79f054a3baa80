/**
 * Which rows of stored files any table uses. A row that no layout leads to is dead: its file could do without it.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { digestsOf, forEachPartRun, isWhole, partStarts } from './layout.ts';
import type { Layout, LayoutPart, PartRows, RowMap } from './layout.ts';

/** Of one stored file (by its record), a bit for each row that is used. */
interface RowBits {
  readonly rows: number;
  readonly bits: Uint8Array;
}

/** Collects the rows that layouts use: an eighth of a byte for each row of their files. */
export class UsedRows {
  readonly #files = new Map<Sha256Id, RowBits>();

  /** Counts the rows of a layout, and their digests. */
  add(layout: Layout): void {
    this.#addMap(layout, recordsOfPart);
    if (layout.digests !== undefined) this.#addMap(digestsOf(layout), ({ id }) => [id]);
  }

  /** Ids of the records of all files that a layout draws from. */
  get records(): readonly Sha256Id[] {
    return [...this.#files.keys()];
  }

  /** Rows of a file, and how many of them are used. @throws RangeError for a file that no layout draws from */
  of(id: Sha256Id): { readonly rows: number; readonly live: number } {
    const file = this.#files.get(id);
    if (file === undefined) throw new RangeError(`no layout draws from ${id}`);
    return { rows: file.rows, live: bitsSet(file.bits) };
  }

  #addMap<Part extends PartRows>(map: RowMap<Part>, recordsOf: (part: Part) => readonly Sha256Id[]): void {
    const files = map.parts.map((part) => recordsOf(part).map((id) => this.#file(id, part.rows)));
    forEachPartRun(map, partStarts(map.parts), (part, from, rows) => {
      for (const { bits } of files[part]!) setBits(bits, from, rows);
    });
  }

  #file(id: Sha256Id, rows: number): RowBits {
    const known = this.#files.get(id);
    if (known !== undefined) return known;
    const file = { rows, bits: new Uint8Array(Math.ceil(rows / 8)) };
    this.#files.set(id, file);
    return file;
  }
}

/** Records of the files that a part of a layout draws from. */
export function recordsOfPart(part: LayoutPart): readonly Sha256Id[] {
  return isWhole(part) ? [part.id] : part.sources.map(({ id }) => id);
}

function setBits(bits: Uint8Array, from: number, rows: number): void {
  const end = from + rows;
  for (let row = from; row < end;) {
    if (row % 8 === 0 && end - row >= 8) {
      const bytes = (end - row) >>> 3;
      bits.fill(0xff, row >>> 3, (row >>> 3) + bytes);
      row += bytes * 8;
    } else {
      bits[row >>> 3]! |= 1 << (row & 7);
      row++;
    }
  }
}

function bitsSet(bits: Uint8Array): number {
  let count = 0;
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}
