import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokensOf } from '../../dist/src/leakage/tokens.js';
import { type Banding, bandingFor, recallOf } from '../../dist/transforms/near-dedupe/banding.js';
import { BandFile } from '../../dist/transforms/near-dedupe/band-file.js';
import { findCrowds, headRowsMax, pairsOf, recentRowsMax } from '../../dist/transforms/near-dedupe/crowds.js';
import { areNear, keepApart } from '../../dist/transforms/near-dedupe/keep-apart.js';
import { MinHasher } from '../../dist/transforms/near-dedupe/min-hash.js';
import { SetSpool } from '../../dist/transforms/near-dedupe/set-spool.js';
import { ShingleReader } from '../../dist/transforms/near-dedupe/shingles.js';
import { Workspace } from '../snapshots/workspace.js';
import { prepare } from './step-bench.js';
import { randomNumbers, runOn } from './run-on.js';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await Workspace.make();
});
afterAll(async () => workspace.remove());

const sentence = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(' ');

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

let made = 0;
/** Bands in a file, as the step has them; the caller closes it. */
const bandsOf = (bands: readonly Uint32Array[]): BandFile => {
  const file = new BandFile(workspace.path(`bands-${(made += 1)}`), bands.length, bands[0]!.length);
  for (const [band, numbers] of bands.entries()) {
    file.write(band, 5, numbers.subarray(5));
    file.write(band, 0, numbers.subarray(0, 5));
  }
  return file;
};

describe('crowded buckets', () => {
  const rows = 40_000;
  const bands = [new Uint32Array(rows).fill(7), Uint32Array.from({ length: rows }, (_, i) => i >> 1)];
  const order = Uint32Array.from({ length: rows }, (_, i) => i);

  it('give each row at most 32 pairs: pairs grow with the rows, not with their square', () => {
    const file = bandsOf(bands);
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
    const file = bandsOf([new Uint32Array(33)]);
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

type Policy = 'first' | 'last' | 'longest';
interface Texts {
  readonly a: string | null;
  readonly b: string | null;
}

/** The definition, over all pairs. */
function naiveKept(rows: readonly Texts[], threshold: number, words: number, keep: Policy): number[] {
  const runs = (text: string | null): string[] => {
    const tokens = text === null ? [] : tokensOf(text);
    const size = Math.min(words, tokens.length);
    return size === 0 ? [] : tokens.slice(size - 1).map((_, i) => tokens.slice(i, i + size).join(' '));
  };
  const sets = rows.map(({ a, b }) => new Set([...runs(a), ...runs(b)]));
  const size = ({ a, b }: Texts): number => Array.from(a ?? '').length + Array.from(b ?? '').length;
  const isNear = (i: number, j: number): boolean => {
    const [x, y] = [sets[i]!, sets[j]!];
    if (x.size === 0 || y.size === 0) {
      return x.size === y.size && rows[i]!.a === rows[j]!.a && rows[i]!.b === rows[j]!.b;
    }
    const shared = [...x].filter((run) => y.has(run)).length;
    return shared / (x.size + y.size - shared) >= threshold;
  };
  const order = [...rows.keys()];
  if (keep === 'last') order.reverse();
  if (keep === 'longest') order.sort((i, j) => size(rows[j]!) - size(rows[i]!) || i - j);
  const kept: number[] = [];
  for (const row of order) {
    const empty = rows[row]!.a === null && rows[row]!.b === null;
    if (empty || !kept.some((other) => isNear(other, row))) kept.push(row);
  }
  return kept.toSorted((i, j) => i - j);
}

const text = fc.oneof(
  { weight: 8, arbitrary: fc.array(fc.constantFrom('a', 'B', 'ç', '数'), { maxLength: 7 }).map((w) => w.join(' ')) },
  { weight: 1, arbitrary: fc.constantFrom('!', '?', '\ufeff', '') },
  { weight: 1, arbitrary: fc.constant(null) },
);

const everyPairOfWords = (keep: Policy): string =>
  `near-dedupe: {columns: [text], words: 1, threshold: 0.8, bands: 256, rows: 1, keep: ${keep}}`;

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
          const spool = new SetSpool(workspace.path(`sets-${(made += 1)}`), sets.length * 2);
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
    const path = workspace.path(`gone-${(made += 1)}`);
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

describe('near-dedupe', () => {
  it('keeps what the definition keeps, where every pair is looked at', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ a: text, b: text }), { minLength: 1, maxLength: 40 }),
        fc.constantFrom(0.4, 0.5, 0.75, 1),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom<Policy>('first', 'last', 'longest'),
        async (rows, threshold, words, keep) => {
          // 256 single values: a pair of similarity 0.4 is missed once in 10^56.
          const step = `near-dedupe: {columns: [a, b], threshold: ${threshold}, words: ${words}, keep: ${keep}, bands: 256, rows: 1}`;
          const typed = [...rows, { a: 'one of text', b: 'one of text' }];
          const { kept, counts } = await runOn(workspace, typed, step);
          expect(kept).toEqual(naiveKept(typed, threshold, words, keep));
          expect(counts['sameWords']! + counts['nearDuplicates']!).toBe(typed.length - kept.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('decides the same in slabs of any size', async () => {
    const random = randomNumbers(3);
    const sets = Array.from({ length: 400 }, () =>
      Float64Array.from(new Set(Array.from({ length: 12 }, () => Math.floor(random() * 20)))).sort(),
    );
    const hasher = new MinHasher({ bands: 20, rows: 2 }, 1);
    const bands = Array.from({ length: 20 }, () => new Uint32Array(sets.length));
    for (const [row, set] of sets.entries()) {
      const keys = new Uint32Array(20);
      hasher.keys(
        Int32Array.from(set, (value) => Math.imul(value + 1, 0x9e3779b1)),
        set.length,
        keys,
        0,
      );
      for (const [band, of] of bands.entries()) of[row] = keys[band]!;
    }
    const order = Uint32Array.from({ length: sets.length }, (_, i) => (i * 7) % sets.length);
    let reads = 0;
    const decide = async (pairsMax: number, shinglesMax: number): ReturnType<typeof keepApart> => {
      reads = 0;
      const file = bandsOf(bands);
      const apart = await keepApart(
        {
          keys: { bands: file, order },
          sizes: Uint32Array.from(sets, (set) => set.length),
          threshold: 0.7,
          folder: workspace.folder,
          readSets: (wanted, visit) => {
            reads += 1;
            for (const [row, set] of sets.entries()) if (wanted(row)) visit(row, set.slice());
            return Promise.resolve();
          },
        },
        { pairsMax, shinglesMax },
      );
      file.close();
      return apart;
    };
    const whole = await decide(1 << 20, 1 << 20);
    const gone = whole.gone.reduce((sum, one) => sum + one, 0);
    expect(gone).toBeGreaterThan(20);
    expect(gone).toBeLessThan(380);
    for (const [pairs, shingles] of [
      [1, 1],
      [50, 1000],
      [2000, 200],
      [100_000, 1200],
    ] as const) {
      const cut = await decide(pairs, shingles);
      expect(cut.gone).toEqual(whole.gone);
      expect(cut.candidatePairs).toBe(whole.candidatePairs);
      // Texts are read once, however many slabs there are.
      expect(reads).toBe(1);
    }
  });

  it('gives the same with worker threads as without', async () => {
    const random = randomNumbers(9);
    const base = Array.from({ length: 2500 }, (_, i) => `${sentence(i * 3, i * 3 + 40)} ${i % 5 === 0 ? '' : 'tail'}`);
    const rows = base.map((own, i) => ({ text: random() < 0.3 ? `${base[i >> 1]!} more${i}` : own }));
    const step = 'near-dedupe: {columns: [text]}';
    const all = await runOn(workspace, rows, step);
    // A head of the table, few enough rows for one thread: what comes later takes nothing away that stands before.
    const head = await runOn(workspace, rows.slice(0, 1900), step);
    expect(head.kept).toEqual(all.kept.filter((row) => row < 1900));
    expect(all.counts['nearDuplicates']).toBeGreaterThan(300);
  });

  it('takes rows away for a row that stays, not for one that went', async () => {
    // Each shares 0.8 with the next, and less with the one after it.
    const rows = [sentence(0, 40), sentence(4, 44), sentence(8, 48)].map((each) => ({ text: each }));
    expect((await runOn(workspace, rows, everyPairOfWords('first'))).kept).toEqual([0, 2]);
    const longest = rows.map((row, i) => (i === 1 ? { text: `${row.text}          ` } : row));
    expect((await runOn(workspace, longest, everyPairOfWords('longest'))).kept).toEqual([1]);
  });

  it('finds the same words always, whatever the banding, and says how many there were', async () => {
    const rows = ['One two.', 'one  TWO', 'one two three', '!', '!', '?', null, null, ''].map((each) => ({
      text: each,
    }));
    const { kept, counts } = await runOn(
      workspace,
      rows,
      'near-dedupe: {columns: [text], bands: 1, rows: 1024, threshold: 1}',
    );
    expect(kept).toEqual([0, 2, 3, 5, 6, 7, 8]);
    expect(counts).toEqual({ sameWords: 2, nearDuplicates: 0, candidatePairs: 0, verifiedPairs: 0, pairsLeftOut: 0 });
  });

  it('looks at other pairs under another seed', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => ({
      text: `${sentence(0, 30)} ${sentence(100 * i, 100 * i + 12)}`,
    }));
    const runs = await Promise.all(
      [1, 2, 3].map((seed) =>
        runOn(workspace, rows, `near-dedupe: {columns: [text], threshold: 0.3, bands: 1, rows: 2, seed: ${seed}}`),
      ),
    );
    expect(new Set(runs.map(({ kept }) => kept.join())).size).toBeGreaterThan(1);
  });

  it.each([
    ['near-dedupe: {}', 'columns is missing'],
    ['near-dedupe: {columns: []}', 'columns: the list is empty'],
    ['near-dedupe: {columns: [text], threshold: 0.2}', 'threshold: 0.2 is too small: at least 0.3'],
    ['near-dedupe: {columns: [text], threshold: 1.5}', 'threshold: 1.5 is too large: at most 1'],
    ['near-dedupe: {columns: [text], bands: 3}', 'give bands and rows, or neither'],
    ['near-dedupe: {columns: [text], bands: 64, rows: 64}', 'bands × rows is more than 1024'],
    ['near-dedupe: {columns: [text], treshold: 0.9}', 'did you mean threshold?'],
  ])('refuses %s', (step, says) => {
    expect(() => prepare(step)).toThrow(says);
  });

  it('refuses a column that is not there, or holds no text', async () => {
    const rows = [{ text: 'a', number: 1 }];
    await expect(runOn(workspace, rows, 'near-dedupe: {columns: [txet]}')).rejects.toThrow('no column "txet"');
    await expect(runOn(workspace, rows, 'near-dedupe: {columns: [text, number]}')).rejects.toThrow(
      'holds BIGINT, neither text nor messages',
    );
  });
});
