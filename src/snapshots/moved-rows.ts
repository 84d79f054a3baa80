/**
 * Rows on their way from old parts to new ones: which stored row of an old part is which row of the new parts.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { LayoutBuilder, withoutUnusedParts } from '../tables/layout-builder.ts';
import { addressesOf, forEachPartRun, isWhole, partStarts } from '../tables/layout.ts';
import type { Layout, LayoutPart, RowMap, WholePart } from '../tables/layout.ts';

/** An old part as a table sees it: columns beside each other are copied under the types of that table. */
export type OldPart = string;

/** What has moved so far; 4 bytes for each row of the old parts. */
export class MovedRows {
  /** New parts, in the order in which they came. */
  readonly parts: WholePart[] = [];
  readonly #starts = new Map<Sha256Id, number>();
  /** For each row: 0, or 1 + its address in `parts` laid end to end; `claimed` while it is being written. */
  readonly #rows = new Map<OldPart, Uint32Array>();
  #end = 0;

  /**
   * Positions (in the table's order) of rows that have not moved, each stored row once. They are claimed: `note` must
   * say next where they went.
   */
  claim(layout: RowMap, keyOf: (part: number) => OldPart | null): Uint32Array {
    const positions = new Uint32Array(layout.rows);
    let count = 0;
    const starts = partStarts(layout.parts);
    const keys = layout.parts.map((_part, index) => keyOf(index));
    forEachPartRun(layout, starts, (part, from, rows, position) => {
      const key = keys[part]!;
      if (key === null) return;
      const moved = this.#of(key, layout.parts[part]!.rows);
      for (let i = 0; i < rows; i++) {
        if (moved[from + i] !== 0) continue;
        moved[from + i] = claimed;
        positions[count++] = position + i;
      }
    });
    return positions.subarray(0, count);
  }

  /** Says that the rows at these positions of a table now stand as `written` says. */
  note(
    layout: RowMap,
    keyOf: (part: number) => OldPart | null,
    positions: Uint32Array,
    written: RowMap<WholePart>,
  ): void {
    const addresses = this.#addressesOf(written);
    const starts = partStarts(layout.parts);
    let next = 0;
    forEachPartRun(layout, starts, (part, from, rows, position) => {
      for (; next < positions.length && positions[next]! < position + rows; next++) {
        const key = keyOf(part)!;
        this.#of(key, layout.parts[part]!.rows)[from + positions[next]! - position] = addresses[next]! + 1;
      }
    });
  }

  /** The same rows where they stand now; null where one has not moved. Says nothing of digests. */
  apply(layout: RowMap<LayoutPart>, keyOf: (part: number) => OldPart | null): Layout | null {
    const builder = new LayoutBuilder<LayoutPart>([...layout.parts, ...this.parts]);
    const starts = partStarts(layout.parts);
    const base = starts.at(-1)!;
    let whole = true;
    forEachPartRun(layout, starts, (part, from, rows) => {
      const key = keyOf(part);
      if (key === null) {
        builder.push(starts[part]! + from, rows);
        return;
      }
      const moved = this.#of(key, layout.parts[part]!.rows);
      for (let row = from; whole && row < from + rows; row++) {
        if (moved[row] === 0) whole = false;
        else builder.push(base + moved[row]! - 1, 1);
      }
    });
    return whole ? withoutUnusedParts(builder.finish()) : null;
  }

  #of(key: OldPart, rows: number): Uint32Array {
    const known = this.#rows.get(key) ?? new Uint32Array(rows);
    this.#rows.set(key, known);
    return known;
  }

  /** Addresses of the written rows in `parts`, which it adds to. */
  #addressesOf(written: RowMap<WholePart>): Uint32Array {
    const ownStarts = partStarts(written.parts);
    const shift = written.parts.map((part, index) => this.#startOf(part) - ownStarts[index]!);
    const addresses = addressesOf(written);
    let position = 0;
    forEachPartRun(written, ownStarts, (part, _from, rows) => {
      for (let i = 0; i < rows; i++) addresses[position++]! += shift[part]!;
    });
    return addresses;
  }

  #startOf(part: WholePart): number {
    const known = this.#starts.get(part.id);
    if (known !== undefined) return known;
    const start = this.#end;
    this.#starts.set(part.id, start);
    this.parts.push(part);
    this.#end += part.rows;
    return start;
  }
}

const claimed = 0xffffffff;

/** The key of a part that is left, or null for one that stays. */
export function oldPart(part: LayoutPart, schema: Sha256Id): OldPart {
  return isWhole(part) ? part.id : JSON.stringify([part, schema]);
}
