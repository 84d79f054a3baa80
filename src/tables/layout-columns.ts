/**
 * Layouts of tables whose columns change or whose rows are put end to end. Nothing is copied: a kept column stays where
 * it is stored, under the name that it has there.
 * @module
 */
import { LayoutBuilder } from './layout-builder.ts';
import { digestsOf, forEachPartRun, isWhole, partStarts } from './layout.ts';
import type { ColumnSource, Layout, LayoutPart, PartRows, RowMap, WholePart } from './layout.ts';

/** What becomes of a table's columns. */
export interface ColumnReplacement {
  /** For each column that stays: its name in the new table, and in the old one. */
  readonly kept: ReadonlyMap<string, string>;
  /** For each part of the old layout, where its new columns stand, row by row beside it; null where there are none. */
  readonly added: readonly (ColumnSource | null)[];
  /** Where the digests of the new table's rows stand. */
  readonly digests: RowMap<WholePart>;
}

/**
 * The layout of the same rows with other columns.
 * @throws RangeError when `added` or `digests` are not as many as there are parts or rows
 */
export function replaceColumns(layout: Layout, { kept, added, digests }: ColumnReplacement): Layout {
  if (added.length !== layout.parts.length) {
    throw new RangeError(`"added" expected ${layout.parts.length} entries, got ${added.length}`);
  }
  if (digests.rows !== layout.rows) throw new RangeError(`"digests" expected ${layout.rows} rows, got ${digests.rows}`);
  const parts = layout.parts.map((part, index): LayoutPart => {
    const more = added[index];
    const sources = keptSources(part, kept);
    return { rows: part.rows, sources: more === null || more === undefined ? sources : [...sources, more] };
  });
  // Told apart by identity later on, so that one selection serves both where they lie alike.
  const alike = isOneRange(layout) && isOneRange(digests) && layout.pieces[0]?.from === digests.pieces[0]?.from;
  const { rows, pieces } = layout;
  return { rows, parts, pieces, digests: alike ? { ...digests, pieces } : digests };
}

function isOneRange({ pieces }: RowMap): boolean {
  return pieces.length === 1 && pieces[0]?.kind === 'range';
}

function keptSources(part: LayoutPart, kept: ReadonlyMap<string, string>): ColumnSource[] {
  if (isWhole(part)) return kept.size === 0 ? [] : [{ id: part.id, columns: [...kept] }];
  return part.sources.flatMap(({ id, columns }) => {
    const stored = new Map(columns);
    const stay = [...kept].flatMap(([name, before]): [string, string][] => {
      const found = stored.get(before);
      return found === undefined ? [] : [[name, found]];
    });
    return stay.length === 0 ? [] : [{ id, columns: stay }];
  });
}

/**
 * The layout of the rows of these tables, one table after the other. A column that a table lacks is null in its rows;
 * one that is stored under another type than the new table gives it must be rewritten first, see
 * `columnsStoredOtherwise`.
 */
export function concatLayouts(layouts: readonly Layout[]): Layout {
  const rows = concatMaps(layouts, (part) => JSON.stringify(part));
  if (layouts.every(({ digests }) => digests === undefined)) return rows;
  return { ...rows, digests: concatMaps(layouts.map(digestsOf), ({ id }) => id) };
}

function concatMaps<Part extends PartRows>(maps: readonly RowMap<Part>[], keyOf: (part: Part) => string): RowMap<Part> {
  const numbers = new Map<string, number>();
  const parts: Part[] = [];
  const numberOf = (part: Part): number => {
    const key = keyOf(part);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    numbers.set(key, parts.length);
    return parts.push(part) - 1;
  };
  const numbered = maps.map((map) => map.parts.map(numberOf));
  const starts = partStarts(parts);
  const builder = new LayoutBuilder(parts);
  for (const [index, map] of maps.entries()) {
    const own = numbered[index]!;
    forEachPartRun(map, partStarts(map.parts), (part, from, rows) => builder.push(starts[own[part]!]! + from, rows));
  }
  return builder.finish();
}
