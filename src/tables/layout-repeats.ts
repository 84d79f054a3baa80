/**
 * Layouts in which a stored row stands more than once: values that differ from one standing to the other cannot lie
 * beside that row, so further standings draw from the same part listed again.
 * @module
 */
import { LayoutBuilder } from './layout-builder.ts';
import { forEachPartRun, layoutAddressesMax, partStarts } from './layout.ts';
import type { Layout, LayoutPart } from './layout.ts';

/** Standings of one row that are kept apart. */
const standingsMax = 16;

/**
 * The same rows, each address used at most once; null where a row stands too often for that to pay, or the addresses do
 * not suffice. Takes a byte for each row of the parts.
 */
export function withoutRepeats(layout: Layout): Layout | null {
  const starts = partStarts(layout.parts);
  const seen = new Uint8Array(starts.at(-1)!);
  /** Parts as they stand, then their further listings in the order of first need. */
  const parts: LayoutPart[] = [...layout.parts];
  const listings = layout.parts.map((_part, index) => [index]);
  let tooOften = false;
  forEachPartRun(layout, starts, (part, from, rows) => {
    for (let address = starts[part]! + from; address < starts[part]! + from + rows; address++) {
      const standing = seen[address]!;
      if (standing >= standingsMax) {
        tooOften = true;
        return;
      }
      seen[address] = standing + 1;
      if (standing >= listings[part]!.length) listings[part]!.push(parts.push(layout.parts[part]!) - 1);
    }
  });
  if (tooOften || parts.reduce((sum, { rows }) => sum + rows, 0) > layoutAddressesMax) return null;
  if (parts.length === layout.parts.length) return layout;
  seen.fill(0);
  const newStarts = partStarts(parts);
  const builder = new LayoutBuilder(parts);
  forEachPartRun(layout, starts, (part, from, rows) => {
    for (let row = from; row < from + rows; row++) {
      const standing = seen[starts[part]! + row]!++;
      builder.push(newStarts[listings[part]![standing]!]! + row, 1);
    }
  });
  const map = builder.finish();
  return layout.digests === undefined ? map : { ...map, digests: layout.digests };
}
