import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gatherDigests, identifyDigests, isPermutation } from '../../dist/src/lineage/select-rows.js';
import { matchedPositions, selectedPositions } from '../../dist/src/lineage/row-origins.js';

const digest = (value: number): Buffer => createHash('sha256').update(String(value)).digest();
const digestsOf = (values: readonly number[]): Buffer => Buffer.concat(values.map(digest));
const bitmapOf = (keep: readonly boolean[]): Uint8Array => {
  const bits = new Uint8Array(Math.ceil(keep.length / 8));
  for (const [row, kept] of keep.entries()) if (kept) bits[row >>> 3]! |= 1 << (row & 7);
  return bits;
};
const selection = fc.array(fc.tuple(fc.nat(5), fc.boolean()), { maxLength: 200 });

describe('a selection', () => {
  it('has the ids of a table of just those rows', () => {
    fc.assert(
      fc.property(selection, (rows) => {
        const all = digestsOf(rows.map(([value]) => value));
        const kept = rows.filter(([, keep]) => keep).map(([value]) => value);
        const bitmap = bitmapOf(rows.map(([, keep]) => keep));
        const positions = Uint32Array.from(rows.flatMap(([, keep], row) => (keep ? [row] : [])));
        const expected = identifyDigests(digestsOf(kept));
        expect(identifyDigests(gatherDigests(all, { bitmap }))).toEqual(expected);
        expect(identifyDigests(gatherDigests(all, positions))).toEqual(expected);
        expect(expected.rows).toBe(kept.length);
      }),
    );
  });

  it('traces back to rows that are equal', () => {
    fc.assert(
      fc.property(selection, (rows) => {
        const values = rows.map(([value]) => value);
        const kept = rows.filter(([, keep]) => keep).map(([value]) => value);
        const positions = selectedPositions(digestsOf(values), digestsOf(kept));
        expect([...(positions ?? [])].map((position) => values[position])).toEqual(kept);
      }),
    );
  });

  it('traces back in whatever order, of equal rows the first to the first', () => {
    fc.assert(
      fc.property(selection, fc.infiniteStream(fc.nat(1000)), (rows, chance) => {
        const values = rows.map(([value]) => value);
        const kept = rows.filter(([, keep]) => keep).map(([value]) => ({ value, order: chance.next().value }));
        const after = kept.toSorted((a, b) => a.order - b.order).map(({ value }) => value);
        const positions = [...(matchedPositions(digestsOf(values), digestsOf(after)) ?? [])];
        const left = values.map((value): number | null => value);
        const firsts = after.map((value) => {
          const position = left.indexOf(value);
          left[position] = null;
          return position;
        });
        expect(positions).toEqual(firsts);
      }),
    );
    expect(matchedPositions(digestsOf([1, 2]), digestsOf([2, 2]))).toBeNull();
    expect(matchedPositions(digestsOf([1, 2]), digestsOf([3]))).toBeNull();
  });

  it('of rows that are not there is none', () => {
    expect(selectedPositions(digestsOf([1, 2]), digestsOf([2, 1]))).toBeNull();
    expect(() => gatherDigests(digestsOf([1, 2]), Uint32Array.of(2))).toThrow(RangeError);
    expect(() => gatherDigests(digestsOf([1, 2]), { bitmap: new Uint8Array(2) })).toThrow(RangeError);
  });
});

it('takes a permutation only for one: a row that is missing, or there twice, is seen', () => {
  expect(isPermutation(Uint32Array.of(2, 0, 1), 3)).toBe(true);
  expect(isPermutation(Uint32Array.of(), 0)).toBe(true);
  expect(isPermutation(Uint32Array.of(2, 0, 0), 3)).toBe(false);
  expect(isPermutation(Uint32Array.of(0, 1), 3)).toBe(false);
  expect(isPermutation({ bitmap: Uint8Array.of(7) }, 3)).toBe(false);
});
