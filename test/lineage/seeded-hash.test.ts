import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareDigests,
  murmur3,
  orderByNumbers,
  seededNumbers,
  seededRowNumbers,
} from '../../dist/src/lineage/seeded-hash.js';

const words = (text: string): Uint32Array => new Uint32Array(Uint8Array.from(Buffer.from(text)).buffer);
const digests = (count: number): Uint8Array =>
  Buffer.concat(Array.from({ length: count }, (_, i) => createHash('sha256').update(String(i)).digest()));

const of = (purpose: string, seed: number): Float64Array => seededNumbers({ purpose, seed }, digests(10_000));

describe('murmur3', () => {
  // Published vectors of MurmurHash3_x86_32.
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['\0\0\0\0', 0, 0x2362f9de],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['abcd', 0x9747b28c, 0xf0478627],
  ] as const)('of %j with seed %d is its published value', (text, seed, hash) => {
    expect(murmur3(words(text), seed)).toBe(hash);
  });
});

describe('the numbers of rows', () => {
  it('lie evenly between 0 and 1, whatever the seed', () => {
    for (const seed of [0, 1, -7, 2 ** 40]) {
      const numbers = seededNumbers({ purpose: 'test', seed }, digests(10_000));
      const tenths = Array.from({ length: 10 }, () => 0);
      for (const number of numbers) tenths[Math.floor(number * 10)]! += 1;
      // Five standard deviations around a thousand each.
      for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
    }
  });

  it('of one seed or purpose say nothing about those of another', () => {
    const pairs = [
      [of('a', 1), of('a', 2)],
      [of('a', 1), of('b', 1)],
    ] as const;
    for (const [x, y] of pairs) {
      let both = 0;
      for (let i = 0; i < x.length; i++) if (x[i]! < 0.1 && y[i]! < 0.1) both++;
      // A hundredth of ten thousand, give or take five standard deviations.
      expect(Math.abs(both - 100)).toBeLessThan(50);
    }
  });

  it('put rows in one order: by number, then by digest, then by position', () => {
    const of = digests(100);
    const least = 2 ** -48;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(0, least, 0.5, 0.5 + least, 1 - least), fc.nat({ max: 3 })), {
          maxLength: 100,
        }),
        fc.boolean(),
        (drawn, even) => {
          const numbers = even
            ? seededNumbers({ purpose: 'test', seed: drawn.length }, of.subarray(0, drawn.length * 32))
            : Float64Array.from(drawn, ([number]) => number);
          const own = Buffer.concat([...drawn.map(([, row]) => of.subarray(row * 32, row * 32 + 32)), Buffer.alloc(0)]);
          const order = [...numbers.keys()].sort(
            (a, b) => numbers[a]! - numbers[b]! || compareDigests(own, a, b) || a - b,
          );
          expect([...orderByNumbers(numbers, own)]).toEqual(order);
        },
      ),
    );
  });

  it('stay when rows are added, and equal rows have numbers of their own', () => {
    const few = seededRowNumbers({ purpose: 'test', seed: 3 }, digests(100));
    const twice = seededRowNumbers({ purpose: 'test', seed: 3 }, Buffer.concat([digests(100), digests(100)]));
    expect(twice.slice(0, 100)).toEqual(few);
    expect(new Set(twice).size).toBe(200);
  });
});
