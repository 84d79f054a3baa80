import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tokensOf } from '../../dist/src/leakage/tokens.js';
import { keepApart } from '../../dist/transforms/near-dedupe/keep-apart.js';
import { MinHasher } from '../../dist/transforms/near-dedupe/min-hash.js';
import { Workspace } from '../snapshots/workspace.js';
import { prepare } from './step-bench.js';
import { randomNumbers, runOn } from './run-on.js';
import { bandsOf, sentence } from './near-dedupe-data.js';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await Workspace.make();
});
afterAll(async () => workspace.remove());

let made = 0;

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
      const file = bandsOf(workspace.path(`bands-${(made += 1)}`), bands);
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
