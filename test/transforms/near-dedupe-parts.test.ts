import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Banding, bandingFor, recallOf } from '../../dist/transforms/near-dedupe/banding.js';
import { BandFile } from '../../dist/transforms/near-dedupe/band-file.js';
import { findCrowds, headRowsMax, pairsOf, recentRowsMax } from '../../dist/transforms/near-dedupe/crowds.js';
import { areNear } from '../../dist/transforms/near-dedupe/keep-apart.js';
import { MinHasher } from '../../dist/transforms/near-dedupe/min-hash.js';
import { SetSpool } from '../../dist/transforms/near-dedupe/set-spool.js';
import { ShingleReader } from '../../dist/transforms/near-dedupe/shingles.js';
import { Workspace } from '../snapshots/workspace.js';
import { randomNumbers, runOn } from './run-on.js';
import { bandsOf, sentence } from './near-dedupe-data.js';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await Workspace.make();
});
afterAll(async () => workspace.remove());

let made = 0;
const scratchPath = (): string => workspace.path(`scratch-${(made += 1)}`);

describe('the default banding', () => {
  it('finds at least 95 % at any threshold with at most 128 values', () => {
    for (let threshold = 0.3; threshold <= 1; threshold += 0.01) {
      const banding = bandingFor(threshold);
      expect(recallOf(banding, threshold)).toBeGreaterThanOrEqual(0.95);
      expect(banding.bands * banding.rows).toBeLessThanOrEqual(128);
    }
    expect(bandingFor(0.8)).toEqual({ bands: 18, rows: 7 });
    expect(recallOf({ bands: 16, rows: 8 }, 0.8)).toBeCloseTo(0.947, 3);
  });
});

/** Two sets of `size` shingles that share so many that their Jaccard similarity is shared / (2 · size − shared). */
const pairOfSets = (random: () => number, size: number, shared: number): [Int32Array, Int32Array] => {
  const draw = (): number => Math.floor(random() * 2 ** 32) | 0;
  const both = Array.from({ length: shared }, draw);
  const own = (): Int32Array => Int32Array.from([...both, ...Array.from({ length: size - shared }, draw)]);
  return [own(), own()];
};

const shareABand = (hasher: MinHasher, { bands }: Banding, a: Int32Array, b: Int32Array): boolean => {
  const keys = new Uint32Array(bands * 2);
  hasher.keys(a, a.length, keys, 0);
  hasher.keys(b, b.length, keys, bands);
  return keys.subarray(0, bands).some((key, band) => key === keys[bands + band]);
};

const shinglesOf = (words: readonly string[]): Int32Array => {
  const reader = new ShingleReader(5);
  reader.read([words.join(' ')]);
  return reader.low.slice(0, reader.count);
};

describe('recall', () => {
  const size = 60;
  const pairs = 1500;

  it.each([
    [{ bands: 18, rows: 7 }, 0],
    [{ bands: 18, rows: 7 }, 11],
    [{ bands: 16, rows: 8 }, 0],
    [{ bands: 25, rows: 5 }, 3],
    [{ bands: 10, rows: 12 }, 0],
  ])('is 1 − (1 − s^r)^b for pairs of known similarity s: %j, seed %i', (banding, seed) => {
    const random = randomNumbers(banding.bands + seed);
    const hasher = new MinHasher(banding, seed);
    for (const shared of [20, 30, 40, 45, 50, 55, 60]) {
      let found = 0;
      for (let i = 0; i < pairs; i++) {
        const [a, b] = pairOfSets(random, size, shared);
        if (shareABand(hasher, banding, a, b)) found += 1;
      }
      const expected = recallOf(banding, shared / (2 * size - shared));
      // Four standard deviations of a draw of so many pairs, and half a pair for shares near 0 and 1.
      const bound = 4 * Math.sqrt((expected * (1 - expected)) / pairs) + 0.5 / pairs;
      expect({ shared, off: Math.abs(found / pairs - expected) <= bound }).toEqual({ shared, off: true });
    }
  });

  it('holds for texts as the step reads them', () => {
    const banding = bandingFor(0.8);
    const random = randomNumbers(7);
    const hasher = new MinHasher(banding, 0);
    let [found, expected] = [0, 0];
    const texts = 1200;
    for (let i = 0; i < texts; i++) {
      const words = Array.from({ length: 104 }, () => `w${Math.floor(random() * 5000)}`);
      const other = [...words];
      for (let k = 0; k < 3; k++) other[10 + 30 * k] = `other${i}x${k}`;
      // 100 runs, 15 of them changed: 85 of 115.
      if (shareABand(hasher, banding, shinglesOf(words), shinglesOf(other))) found += 1;
      expected += recallOf(banding, 85 / 115);
    }
    const share = expected / texts;
    expect(Math.abs(found - expected)).toBeLessThan(4 * Math.sqrt(texts * share * (1 - share)));
  });
});

const setOf = (texts: readonly (string | null)[], words = 5): Float64Array => {
  const reader = new ShingleReader(words);
  reader.read(texts);
  return reader.sortedSet();
};

describe('shingles', () => {
  it('are the distinct runs of words, of a short text all of it, and never cross a text', () => {
    expect(setOf([sentence(0, 10)]).length).toBe(6);
    expect(setOf([sentence(0, 5)]).length).toBe(1);
    expect(setOf([sentence(0, 3)])).toEqual(setOf([' Word0, WORD1 – word2!']));
    expect(setOf(['a a a a a a a a']).length).toBe(1);
    expect(setOf([sentence(0, 10), sentence(20, 30)]).length).toBe(12);
    expect(setOf([sentence(0, 10), sentence(0, 10), null, '', '…']).length).toBe(6);
    expect(setOf([null, '', '?!']).length).toBe(0);
  });

  it('of one word are all different: numbers to 300,000 and all words of three letters', () => {
    const words = Array.from({ length: 300_000 }, (_, i) => String(i));
    const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
    for (const a of letters) for (const b of letters) for (const c of letters) words.push(a + b + c);
    expect(setOf([words.join(' ')], 1).length).toBe(words.length);
  });

  it('are near from the threshold on, exactly', () => {
    const [a, b] = [Float64Array.of(1, 2, 3, 4), Float64Array.of(1, 2, 3, 4, 5)];
    expect([0.79, 0.8, 0.81].map((threshold) => areNear(a, b, threshold))).toEqual([true, true, false]);
    expect(areNear(Float64Array.of(1), Float64Array.of(2), 0.3)).toBe(false);
  });
});

describe('crowded buckets', () => {
  const rows = 40_000;
  const bands = [new Uint32Array(rows).fill(7), Uint32Array.from({ length: rows }, (_, i) => i >> 1)];
  const order = Uint32Array.from({ length: rows }, (_, i) => i);

  it('give each row at most 32 pairs: pairs grow with the rows, not with their square', () => {
    const file = bandsOf(scratchPath(), bands);
    const { pairs, leftOut } = findCrowds({ bands: file, order });
    const room = pairs.reduce((sum, count) => sum + count, 0);
    expect(room).toBeLessThanOrEqual(rows * (headRowsMax + recentRowsMax) + rows / 2);
    expect(leftOut).toBe((rows * (rows - 1)) / 2 - (room - rows / 2));
    const found = pairsOf(file, { from: 0, to: rows, room });
    file.close();
    expect(found.length / 2).toBe(room - rows / 2);
    for (let i = 0; i < found.length; i += 2) {
      const [earlier, later] = [found[i]!, found[i + 1]!];
      if (!(earlier < headRowsMax || later - earlier <= recentRowsMax) || earlier >= later)
        throw new Error('a far pair');
    }
  });

  it('of up to 33 rows are compared in full', () => {
    const file = bandsOf(scratchPath(), [new Uint32Array(33)]);
    const { pairs, leftOut } = findCrowds({ bands: file, order: order.slice(0, 33).reverse() });
    expect(leftOut).toBe(0);
    const found = pairsOf(file, { from: 0, to: 33, room: pairs.reduce((sum, count) => sum + count, 0) });
    file.close();
    expect(found.length / 2).toBe((33 * 32) / 2);
  });

  it('of rows near to the first one leave that one', async () => {
    const many = Array.from({ length: 3000 }, (_, i) => ({ text: `${sentence(0, 60)} end${i}` }));
    const { kept, counts } = await runOn(workspace, many, 'near-dedupe: {columns: [text]}');
    expect(kept).toEqual([0]);
    expect(counts['nearDuplicates']).toBe(2999);
    // The first rows of a bucket come first, and the first of them is near: one comparison a row.
    expect(counts['verifiedPairs']).toBe(2999);
    expect(counts['pairsLeftOut']).toBeGreaterThan(0);
  });
});

describe('a set in a file', () => {
  it('comes back as it was, of any size and in any order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 60 }),
        fc.nat({ max: 200_000 }),
        (sizes, large) => {
          const sets = [...sizes, large].map((size, row) =>
            Float64Array.from({ length: size }, (_, i) => i + row / 64),
          );
          const spool = new SetSpool(scratchPath(), sets.length * 2);
          for (const [row, set] of sets.entries()) spool.put(row * 2, set);
          for (const [row, set] of [...sets.entries()].reverse()) {
            expect(Buffer.compare(bytesOf(spool.get(row * 2, set.length + (row % 3))), bytesOf(set))).toBe(0);
          }
          spool.close();
        },
      ),
      { numRuns: 20 },
    );
  });
});

const bytesOf = (set: Float64Array): Uint8Array => new Uint8Array(set.buffer, set.byteOffset, set.byteLength);

describe('a scratch file that fails', () => {
  it('is told as the failing disk is, with its path', () => {
    const path = scratchPath();
    const told = (doing: string, code: string): object => {
      return expect.objectContaining({ code: 'IO', message: `cannot ${doing} ${path}: ${code}` }) as object;
    };
    const bands = new BandFile(path, 1, 2);
    expect(() => new BandFile(path, 1, 2)).toThrow(told('create', 'EEXIST'));
    bands.close();
    expect(() => bands.write(0, 0, Uint32Array.of(1, 2))).toThrow(told('write', 'EBADF'));
    expect(() => bands.read(0)).toThrow(told('read', 'EBADF'));
    const sets = new SetSpool(path, 1);
    expect(() => new SetSpool(path, 1)).toThrow(told('create', 'EEXIST'));
    sets.put(0, Float64Array.of(1));
    sets.close();
    expect(() => sets.get(0, 1)).toThrow(told('write', 'EBADF'));
  });
});
