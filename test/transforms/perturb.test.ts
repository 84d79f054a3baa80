import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SeededStream, seededStreams } from '../../dist/src/lineage/seeded-hash.js';
import { perturbText } from '../../dist/transforms/perturb/perturb-text.js';
import { StepBench, rows } from './step-bench.js';

let bench: StepBench;
beforeAll(async () => {
  bench = await StepBench.make();
});
afterAll(async () => bench.workspace.remove());

const perturbing = (how: string): string => `perturb: {columns: [text], seed: 5, rate: 0.4${how}}`;
/** The draws of perturb-text.ts over a list of words; 0 to below half drops one, the rest exchanges it. */
function wordByWord(text: string, rate: number, next: SeededStream): string {
  const words: (string | null)[] = text.match(/\S+/gu) ?? [];
  const gaps = text.split(/\S+/u);
  let kept = words.length;
  for (let at = 0; at < words.length; at++) {
    if (next() >= rate * 2 ** 32) continue;
    if (next() < 2 ** 31) {
      if (kept === 1) continue;
      words[at] = null;
      kept -= 1;
    } else if (at + 1 < words.length) {
      [words[at], words[at + 1]] = [words[at + 1]!, words[at]!];
      at++;
    }
  }
  if (words.length === 0) return text;
  const stay = words.flatMap((word, at) => (word === null ? [] : [gaps[at]! + word]));
  return gaps[0]! + stay.join('').trimStart() + gaps.at(-1)!;
}

describe('perturb', () => {
  it('keeps the originals in front, and copies say of which row they are', async () => {
    const [applied] = await bench.run([perturbing('')]);
    const origins = Array.from(applied!.origins as Uint32Array);
    expect(origins.slice(0, rows.length)).toEqual(rows.map((_, at) => at));
    const made = await bench.rowsAfterOf('all', perturbing(''));
    expect(made.length).toBeGreaterThan(rows.length + 20);
    for (const [at, copy] of made.slice(rows.length).entries()) {
      const of = rows[origins[rows.length + at]!]!;
      expect({ ...copy, text: '', score: 0 }).toEqual({ ...of, text: '', score: 0 });
      expect(copy['text']).not.toBe(of.text);
    }
  });

  it('gives a row the same copies whatever stands beside it', async () => {
    const few = await bench.rowsAfterOf('all', 'head: {n: 30}', perturbing(', keep_original: false'));
    const all = await bench.rowsAfterOf('all', perturbing(', keep_original: false'));
    expect(all.slice(0, few.length)).toEqual(few);
    const two = await bench.rowsAfterOf('all', perturbing(', keep_original: false, copies: 2'));
    expect(two).toEqual(expect.arrayContaining(all));
  });

  it('is what it was: a change is a new version of the step', () => {
    const digest = new Uint8Array(32).fill(7);
    const text = '  The quick brown fox 🐢👍🏽 jumps — over żółty ﬁeld\n\tand e\u0301te\u0301, 東京 d’été. ';
    const made = (['typo', 'case', 'word-drop', 'word-swap'] as const).map((kind) =>
      perturbText(text, { kinds: [kind], rate: 0.5 }, seededStreams({ purpose: 'perturb', seed: 1 })(digest, 0, 1, 2)),
    );
    expect(made).toMatchInlineSnapshot(`
      [
        "  Teh quick brown fox 🐢👍🏽 jumps — over żółty ﬁeld
      	and été, 東京 d’étté. ",
        "  the quick brown fox 🐢👍🏽 Jumps — over żółty ﬁeld
      	and été, 東京 D’été. ",
        "  brown fox 🐢👍🏽 — żółty ﬁeld
      	and été, 東京 d’été. ",
        "  quick The fox brown 🐢👍🏽 jumps — żółty over ﬁeld
      	été, and 東京 d’été. ",
      ]
    `);
  });

  it('takes words out and exchanges them as if each stood alone with the white space before it', () => {
    const piece = fc.constantFrom(
      'a',
      'bc',
      'é',
      '東京',
      '🐢',
      ' ',
      '  ',
      '\n',
      '\t',
      '\u00a0',
      '\u3000',
      '\ufeff',
      '\u200b',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), fc.constantFrom(0.2, 0.7, 1), fc.nat(), (pieces, rate, seed) => {
        const text = pieces.join('');
        const stream = seededStreams({ purpose: 'test', seed });
        const draw = (): SeededStream => stream(new Uint8Array(32), 0, 1);
        const kinds = ['word-drop', 'word-swap'] as const;
        expect(perturbText(text, { kinds, rate }, draw())).toBe(wordByWord(text, rate, draw()));
      }),
    );
  });

  it('never parts a character from its marks', () => {
    const stream = seededStreams({ purpose: 'test', seed: 1 });
    const word = 'e\u0301a\u0301👍🏽o\u0308';
    for (let i = 0; i < 300; i++) {
      const typo = perturbText(word, { kinds: ['typo'], rate: 1 }, stream(new Uint8Array(32), 0, i));
      expect(typo).toMatch(/^(?:e\u0301|a\u0301|👍🏽|o\u0308)+$/u);
    }
  });
});
