import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OverlapMeter } from '../../dist/src/leakage/coverage.js';
import { buildIndex } from '../../dist/src/leakage/eval-index.js';
import { certifiedRadius, gramLength } from '../../dist/src/leakage/guarantee.js';
import { readItems } from '../../dist/src/leakage/items.js';
import { suspectCoverage, windowTokens } from '../../dist/src/leakage/method.js';
import { readRowTokens } from '../../dist/src/leakage/row-tokens.js';
import { Vocabulary } from '../../dist/src/leakage/vocabulary.js';
import { evalOf } from './sets.ts';

/** Coverage as the definition has it: every window, every run, one after the other. */
function naiveCoverage(item: readonly string[], strings: readonly (readonly string[])[], n: number): [number, number] {
  const places = strings.flatMap((tokens) => tokens.map((token, at) => ({ token, last: at === tokens.length - 1 })));
  const width = windowTokens(item.length);
  let best = 0;
  let longest = 0;
  const matches = (position: number, place: number): boolean => {
    for (let i = 0; i < n; i++) {
      if (places[place + i]?.token !== item[position + i]) return false;
      if (i < n - 1 && places[place + i]?.last === true) return false;
    }
    return true;
  };
  for (let start = 0; start < places.length; start++) {
    const covered = new Set<number>();
    for (let place = start; place + n <= Math.min(places.length, start + width); place++) {
      for (let position = 0; position + n <= item.length; position++) {
        if (matches(position, place)) for (let i = 0; i < n; i++) covered.add(position + i);
      }
    }
    best = Math.max(best, covered.size);
  }
  for (let place = 0; place < places.length; place++) {
    for (let position = 0; position + n <= item.length; position++) {
      let run = 0;
      while (position + run + n <= item.length && matches(position + run, place + run)) run++;
      if (run > 0) longest = Math.max(longest, run + n - 1);
    }
  }
  return [best / item.length, longest];
}

async function measure(item: readonly string[], strings: readonly (readonly string[])[]): Promise<[number, number]> {
  const vocabulary = new Vocabulary();
  const items = await readItems(evalOf('eval', [{ question: item.join(' ') }]), vocabulary);
  const index = await buildIndex([items], vocabulary);
  const [form] = index.forms;
  if (form === undefined) throw new Error('expected a form');
  const texts = strings.map((tokens) => ({ column: 'text', text: tokens.join(' ') }));
  const overlap = new OverlapMeter(index.trie.size).measure(form, readRowTokens(texts, index));
  return [overlap?.coverage ?? -1, overlap?.longestRun ?? -1];
}

const word = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');

describe('coverage', () => {
  it('is what the definition says, window by window, and runs never cross a string', async () => {
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 24 }),
        fc.array(fc.array(word, { minLength: 1, maxLength: 90 }), { minLength: 1, maxLength: 3 }),
        async (item, strings) => {
          const expected = naiveCoverage(item, strings, gramLength(item.length, false));
          expect(await measure(item, strings)).toEqual(expected);
          seen.add(Math.round(expected[0] * 4));
        },
      ),
      { numRuns: 150 },
    );
    expect(seen.size).toBeGreaterThan(2);
  });

  it('does not add up what stands further apart than a window', async () => {
    const item = Array.from({ length: 20 }, (_, i) => `w${i}`);
    const filler = Array.from({ length: 80 }, (_, i) => `f${i}`);
    const [coverage] = await measure(item, [[...item.slice(0, 10), ...filler, ...item.slice(10)]]);
    expect(coverage).toBe(0.5);
  });
});

/** The least coverage that `edits` edits can leave, by trying all places; replaced tokens are the worst edits. */
function worstCoverage(length: number, n: number, edits: number, from = 0, stretches: readonly number[] = []): number {
  if (edits === 0) {
    const all = [...stretches, length - from];
    return all.filter((stretch) => stretch >= n).reduce((sum, stretch) => sum + stretch, 0) / length;
  }
  let worst = 1;
  for (let at = from; at < length; at++) {
    worst = Math.min(worst, worstCoverage(length, n, edits - 1, at + 1, [...stretches, at - from]));
  }
  return worst;
}

describe('certified radius', () => {
  it('is exactly the number of edits that no choice of places gets past', () => {
    for (const n of [3, 5]) {
      for (let length = n; length <= 22; length++) {
        for (const threshold of [0.5, 0.6, 0.7, 0.8]) {
          const radius = certifiedRadius(length, n, threshold);
          if (radius > 3) continue;
          expect(worstCoverage(length, n, radius)).toBeGreaterThanOrEqual(threshold - 1e-9);
          if (radius < 3) expect(worstCoverage(length, n, radius + 1)).toBeLessThan(threshold);
        }
      }
    }
  });

  it('holds for the check itself: any edits within it leave the coverage at or above the threshold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 5, max: 40 }),
        fc.array(fc.tuple(fc.nat(1000), fc.constantFrom('replace', 'delete', 'insert')), { maxLength: 8 }),
        fc.nat(60),
        async (length, edits, before) => {
          const item = Array.from({ length }, (_, i) => `w${i}`);
          const radius = certifiedRadius(length, gramLength(length, false), suspectCoverage(length));
          const copy = [...item];
          for (const [place, kind] of edits.slice(0, radius)) {
            const at = place % copy.length;
            if (kind === 'replace') copy[at] = 'other';
            else if (kind === 'delete') copy.splice(at, 1);
            else copy.splice(at, 0, 'other');
          }
          const filler = Array.from({ length: before }, (_, i) => `f${i}`);
          const [coverage] = await measure(item, [[...filler, ...copy, ...filler]]);
          expect(coverage).toBeGreaterThanOrEqual(suspectCoverage(length) - 1e-9);
        },
      ),
      { numRuns: 150 },
    );
  });
});
