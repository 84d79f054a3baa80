import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { addressesOf, isWhole, rowsOfPart, wholeParts } from '../../dist/src/tables/layout.js';
import { composeLayout, LayoutBuilder, withoutUnusedParts } from '../../dist/src/tables/layout-builder.js';
import { decodeLayout, encodeLayout } from '../../dist/src/tables/layout-file.js';
import type { Layout, LayoutPart, PartRows, RowMap, WholePart } from '../../dist/src/tables/layout.js';
import type { Sha256Id } from '../../dist/schemas/ids.js';

const part = (name: string, rows: number): WholePart => ({
  id: `sha256:${createHash('sha256').update(name).digest('hex')}` as Sha256Id,
  rows,
});

function layoutOf<Part extends PartRows>(parts: readonly Part[], addresses: Iterable<number>): RowMap<Part> {
  const builder = new LayoutBuilder(parts);
  for (const address of addresses) builder.push(address, 1);
  return builder.finish();
}

/** Runs of every kind: long and short, ascending, jumping back, repeated. */
const anyAddresses = (rows: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.tuple(fc.nat(rows - 1), fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: rows }))), {
      maxLength: 60,
    })
    .map((runs) =>
      runs.flatMap(([from, length]) => Array.from({ length: Math.min(length, rows - from) }, (_, i) => from + i)),
    );

/** A small generator of its own (xorshift), so that the sizes below do not vary from run to run. */
function randomOf(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

describe('a layout', () => {
  const parts = [part('a', 700), part('b', 1), part('c', 5000)];

  it('yields the addresses that went in, before and after its file', () => {
    fc.assert(
      fc.property(anyAddresses(5701), (addresses) => {
        const layout = layoutOf(parts, addresses);
        expect([...addressesOf(layout)]).toEqual(addresses);
        const back = decodeLayout(encodeLayout(layout));
        expect(back.parts).toEqual(parts);
        expect([...addressesOf(back)]).toEqual(addresses);
      }),
      { numRuns: 150 },
    );
  });

  it('yields addresses as far apart as there may be, whatever number of bits one takes', () => {
    for (let width = 12; width <= 32; width++) {
      const random = randomOf(width);
      const most = 2 ** width - 2;
      const addresses = [most, 0, ...Array.from({ length: 70 }, () => Math.floor(random() * most)), most, 0];
      const layout = layoutOf([part('far', 2 ** 32 - 1)], addresses);
      expect(layout.pieces.map(({ kind }) => kind)).toEqual(['packed']);
      expect([...addressesOf(decodeLayout(encodeLayout(layout)))]).toEqual(addresses);
    }
  });

  it('gives for each part the rows and the positions where they stand', () => {
    fc.assert(
      fc.property(anyAddresses(5701), (addresses) => {
        const rows: [string, number][] = [];
        const names = parts.map(({ id }) => id);
        for (const { part, rows: numbers, positions } of rowsOfPart(layoutOf(parts, addresses))) {
          positions.forEach((position, i) => (rows[position] = [isWhole(part) ? part.id : '', numbers[i]!]));
        }
        const expected = addresses.map((address) =>
          address < 700 ? [names[0], address] : address < 701 ? [names[1], 0] : [names[2], address - 701],
        );
        expect(rows).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('composed with a selection is the selection of its rows', () => {
    fc.assert(
      fc.property(anyAddresses(5701), fc.array(fc.nat(), { maxLength: 300 }), (addresses, picks) => {
        const layout = layoutOf(parts, addresses);
        const keep = Uint32Array.from(addresses.length === 0 ? [] : picks.map((pick) => pick % addresses.length));
        const composed = composeLayout(layout, keep);
        expect(rowNames(composed)).toEqual([...keep].map((position) => rowNames(layout)[position]));

        const bitmap = new Uint8Array(Math.ceil(addresses.length / 8));
        for (const position of keep) bitmap[position >>> 3]! |= 1 << (position & 7);
        expect(rowNames(composeLayout(layout, { bitmap }))).toEqual(
          rowNames(layout).filter((_, position) => keep.includes(position)),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('names only the parts that it uses', () => {
    const layout = withoutUnusedParts(layoutOf(parts, [701, 702, 705, 0]));
    expect(layout.parts.map(({ rows }) => rows)).toEqual([700, 5000]);
    expect([...addressesOf(layout)]).toEqual([700, 701, 704, 0]);
  });
});

describe('the file of a layout over a million rows takes', () => {
  const million = 1_000_000;
  const parts = [part('big', million)];
  const bytesOf = (addresses: Iterable<number>): number => encodeLayout(layoutOf(parts, addresses)).length;

  it('a few bytes for the whole table', () => {
    expect(encodeLayout(wholeParts(parts)).length).toBeLessThan(64);
  });

  it('at most a bit and a little for each row that a filter looks at', () => {
    for (const share of [0.5, 0.1, 0.99]) {
      const random = randomOf(7);
      const kept = Array.from({ length: million }, (_, i) => i).filter(() => random() < share);
      expect(kept.length).toBeGreaterThan(million * share * 0.98);
      expect(bytesOf(kept)).toBeLessThan(million / 8 + 2000);
    }
  });

  it('under three bytes a row for a shuffle', () => {
    const random = randomOf(9);
    const order = Array.from({ length: million }, (_, i) => i);
    for (let i = million - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    expect(bytesOf(order)).toBeLessThan(million * 2.6);
  });
});

describe('a damaged layout file over stacked columns is refused', () => {
  const [one, two, digests] = [part('a', 700), part('b', 700), part('d', 900)];
  const stack = {
    rows: 700,
    sources: [
      { id: one.id, columns: [['x', 'x'] as const, ['y', 'old y'] as const] },
      { id: two.id, columns: [['ż', 'c0'] as const] },
    ],
  };
  const layout: Layout = {
    ...layoutOf<LayoutPart>([stack, one], [5, 3, 700, 5]),
    digests: layoutOf([digests], [0, 1, 2, 899]),
  };
  const bytes = encodeLayout(layout);

  it('cut at any byte, and gives back what went in when it is whole', () => {
    expect(decodeLayout(bytes)).toMatchObject({ parts: layout.parts, digests: { parts: [digests] } });
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decodeLayout(bytes.subarray(0, end))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    }
  });

  it('or yields only rows that its parts and digests have, whatever byte is changed', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (const bits of [0x01, 0x41, 0xff]) {
        const changed = Uint8Array.from(bytes);
        changed[at]! ^= bits;
        try {
          const { digests: found, ...map } = decodeLayout(changed);
          for (const each of found === undefined ? [map] : [map, found]) {
            const rows = each.parts.reduce((sum, { rows: count }) => sum + count, 0);
            expect(addressesOf(each).every((address) => address < rows)).toBe(true);
          }
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORE_CORRUPT' });
        }
      }
    }
  });

  it('and one that names the same row four thousand million times is refused at once', () => {
    // Packed pieces of width 0 take no bytes for their rows.
    const piece = { kind: 'packed' as const, rows: 1 << 24, from: 701, width: 0, bytes: new Uint8Array() };
    const hostile = encodeLayout({ ...layout, rows: 0, pieces: Array.from({ length: 255 }, () => piece) });
    expect(() => decodeLayout(hostile)).toThrow('another number of digests than of rows');
  });
});

describe('a damaged layout file is refused', () => {
  const parts = [part('a', 700), part('c', 5000)];
  const random = randomOf(3);
  const mixed = [
    ...Array.from({ length: 4500 }, (_, i) => i),
    ...Array.from({ length: 900 }, () => Math.floor(random() * 5700)),
  ];
  const bytes = encodeLayout(layoutOf(parts, mixed));

  it('cut at any byte, or with bytes behind its end', () => {
    for (let end = 0; end < bytes.length; end++) {
      expect(() => decodeLayout(bytes.subarray(0, end))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    }
    expect(() => decodeLayout(Buffer.concat([bytes, Buffer.from([0])]))).toThrow('not a layout file');
  });

  it('or yields only rows that its parts have, whatever byte is changed', () => {
    let refused = 0;
    for (let at = 0; at < bytes.length; at++) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= 0x41;
      try {
        const layout = decodeLayout(changed);
        const rows = layout.parts.reduce((sum, { rows }) => sum + rows, 0);
        expect(addressesOf(layout).every((address) => address < rows)).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: 'STORE_CORRUPT' });
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(8);
  });
});

function rowNames(layout: Layout): string[] {
  const names: string[] = [];
  for (const { part, rows, positions } of rowsOfPart(layout)) {
    positions.forEach((position, i) => (names[position] = `${isWhole(part) ? part.id.slice(7, 11) : '?'} ${rows[i]}`));
  }
  return names;
}
