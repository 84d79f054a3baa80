import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MeasuredText } from '../../dist/transforms/quality/measured-text.js';
import { gopherStopWords, rules } from '../../dist/transforms/quality/rules.js';
import { judgeOf } from '../../dist/transforms/quality/work.js';
import { Workspace } from '../snapshots/workspace.js';
import { prepare } from './step-bench.js';
import { runOn } from './run-on.js';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await Workspace.make();
});
afterAll(async () => workspace.remove());

const none = { bounds: {}, stopWords: [], stopWordsMin: 0, badWords: [] };

/** Whether a text fails this rule alone. */
const fails = (rule: string, bound: number, text: string): boolean =>
  judgeOf({ ...none, bounds: { [rule]: bound } })(text) !== 0;

/** For each rule a text, the measure worked out by hand, and the least step beside it. */
const vectors: readonly (readonly [rule: string, text: string, measure: number])[] = [
  ['words_min', ' one two\u3000three\u00a0four\nfive-and-six ', 5],
  ['words_max', 'one  two', 2],
  ['words_max', ' \u2003\t', 0],
  // 1 + 2 + 4 characters, one of them outside the first plane.
  ['mean_word_length_min', 'a 🐢b abcd', 7 / 3],
  ['mean_word_length_max', 'a 🐢b abcd', 7 / 3],
  ['hashes_per_word_max', '# title ##', 1],
  ['ellipses_per_word_max', 'so… and.... or......', 4 / 3],
  ['bullet_lines_max', '• a\n  - b\n-5 is no bullet\n\n**bold** neither\n*', 3 / 5],
  ['ellipsis_lines_max', 'well...\nso…  \r\nend.\n', 2 / 3],
  ['letter_words_min', 'a1 22 — ½ é 数 ٣', 3 / 7],
  // The second a and the third, of five lines.
  ['duplicate_lines_max', 'a\n a \nb\n\na\nc', 2 / 5],
  // Paragraphs: "a\nb", "c", "a\nb", "a\nb".
  ['duplicate_paragraphs_max', 'a\nb\n\nc\n \n a\nb\n\n\na\nb\n', 2 / 4],
  ['duplicate_line_characters_max', 'abcd\nabcd\nxy', 4 / 10],
  ['duplicate_paragraph_characters_max', 'abcd\n\nabcd\n\nxyz', 4 / 11],
  // "a b" three times: 6 of 9 characters.
  ['top_2gram_max', 'a b c a b d a b e', 6 / 9],
  // "a a" five times, but of six characters.
  ['top_2gram_max', 'a a a a a a bb', 6 / 8],
  ['top_2gram_max', 'a b c d', 0],
  // "xx b c" and "b c d" twice each: the first of them counts, 8 of 14.
  ['top_3gram_max', 'xx b c d e xx b c d f g h', 8 / 14],
  ['top_4gram_max', 'a b c d a b c d a', 8 / 9],
  ['top_4gram_max', 'a b c d e a b c d f', 8 / 10],
  // Two runs of five, six words each time, of 16 characters.
  ['repeated_5gram_max', 'a b c d e f 1 2 a b c d e f 3 4', 12 / 16],
  ['repeated_6gram_max', 'a b c d e f 1 2 a b c d e f 3 4', 12 / 16],
  ['repeated_7gram_max', 'a b c d e f 1 2 a b c d e f 3 4', 0],
  ['repeated_7gram_max', 'a b c d e f g a b c d e f g', 1],
  ['repeated_8gram_max', 'a a a a a a a a a', 1],
  ['repeated_9gram_max', 'a a a a a a a a a', 0],
  ['repeated_10gram_max', 'a a a a a a a a a a a b', 11 / 12],
  ['terminal_lines_min', 'One.\nTwo\n“Three”\nfour\n五。', 3 / 5],
  ['short_lines_max', `${'x'.repeat(30)}\n${'🐢'.repeat(29)}\nshort`, 2 / 3],
  ['sentences_min', 'One. Two! "Three?" 3.5 is four… ...\nFive\n六。七！', 7],
];

describe('each rule', () => {
  it.each(vectors)('%s of %j is %d: at the bound a text stays, beyond it goes', (rule, text, measure) => {
    const step = rules.find(({ name }) => name === rule)!.bound === 'count' ? 1 : 1e-9;
    const least = rule.endsWith('_min');
    expect(fails(rule, measure, text)).toBe(false);
    expect(fails(rule, least ? measure + step : measure - step, text)).toBe(true);
  });

  it('has a vector, or is a word that is there or not', () => {
    for (const { name, bound } of rules) if (bound !== 'switch') expect(vectors.map(([rule]) => rule)).toContain(name);
    expect([fails('lorem_ipsum', 1, 'x Lorem IPSUM'), fails('lorem_ipsum', 1, 'lorem')]).toEqual([true, false]);
    expect(['a { b', '}', '(a)'].map((text) => fails('curly_brackets', 1, text))).toEqual([true, true, false]);
    expect(['Enable JavaScript!', 'java script'].map((text) => fails('javascript', 1, text))).toEqual([true, false]);
  });

  it('of shares passes a text without words', () => {
    for (const { name, bound } of rules) {
      if (bound === 'count') continue;
      expect({ name, failed: fails(name, name.endsWith('_min') ? 1 : 0, ' \n ') }).toEqual({ name, failed: false });
    }
  });

  it('stop words are different ones, bad words are whole ones, in the words of the leak check', () => {
    const stop = judgeOf({ ...none, stopWords: gopherStopWords, stopWordsMin: 2 });
    expect(['The end OF it.', 'the the The', 'their ofs', 'to be'].map(stop)).toEqual([0, 2, 2, 0]);
    const bad = judgeOf({ ...none, badWords: ['Bad', 'very poor', '悪い'] });
    expect(['not bád!', 'badly', 'very, POOR', 'very good', '悪い。', 'poor very', null].map(bad)).toEqual([
      2, 0, 2, 0, 2, 0, 1,
    ]);
  });
});

const characters = (text: string): number => Array.from(text).length;
const charactersOf = (parts: readonly string[]): number => parts.reduce((sum, part) => sum + characters(part), 0);

/** Shares of repeated runs by plain strings and maps. */
function naiveGrams(words: readonly string[], size: number): { top: number; repeated: number } {
  const all = words.reduce((sum, word) => sum + characters(word), 0);
  const places = new Map<string, number[]>();
  for (let at = 0; at + size <= words.length; at++) {
    const gram = words.slice(at, at + size).join(' ');
    places.set(gram, [...(places.get(gram) ?? []), at]);
  }
  const share = (starts: readonly number[]): number => {
    const covered = new Set(starts.flatMap((start) => Array.from({ length: size }, (_, i) => start + i)));
    return all === 0 ? 0 : [...covered].reduce((sum, at) => sum + characters(words[at]!), 0) / all;
  };
  const repeated = [...places.values()].filter((starts) => starts.length > 1);
  const top = repeated.reduce<readonly number[]>((best, starts) => (starts.length > best.length ? starts : best), []);
  return { top: share(top), repeated: share(repeated.flat()) };
}

/** Shares of repeated parts, counted with a list. */
function naiveRepeats(parts: readonly string[]): { count: number; characters: number } {
  const repeats = parts.filter((part, i) => parts.indexOf(part) < i);
  return parts.length === 0
    ? { count: 0, characters: 0 }
    : { count: repeats.length / parts.length, characters: charactersOf(repeats) / charactersOf(parts) };
}

const pieces = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('a', 'b', 'bb', 'żó', '🐢', 'a.', '-') },
    { weight: 4, arbitrary: fc.constantFrom(' ', ' ', '\u00a0', '\r\n', '\n', '\n\n', '\n \n') },
    { weight: 1, arbitrary: fc.string({ maxLength: 3, unit: 'grapheme' }) },
  ),
  { maxLength: 120 },
);

describe('measures', () => {
  it('are those of a plain implementation, one text after the other', () => {
    const measured = new MeasuredText();
    fc.assert(
      fc.property(pieces, fc.integer({ min: 2, max: 10 }), (parts, size) => {
        const text = parts.join('');
        measured.take(text);
        // White space as JavaScript's regular expressions have it, U+FEFF aside, and U+0085.
        const space = /[^\S\ufeff]|\u0085/u;
        const words = text.split(new RegExp(`(?:${space.source})+`, 'u')).filter((word) => word !== '');
        const trimmed = text.split('\n').map((line) => {
          let units = Array.from(line);
          while (units.length > 0 && space.test(units[0]!)) units = units.slice(1);
          while (units.length > 0 && space.test(units.at(-1)!)) units = units.slice(0, -1);
          return units.join('');
        });
        const spans = (of: { count: number; starts: Int32Array; ends: Int32Array }): string[] =>
          Array.from({ length: of.count }, (_, i) => text.slice(of.starts[i], of.ends[i]));
        expect(spans(measured.words)).toEqual(words);
        expect(measured.words.characters).toBe(words.reduce((sum, word) => sum + Array.from(word).length, 0));
        const lines = trimmed.filter((line) => line !== '');
        expect(spans(measured.lines)).toEqual(lines);
        const paragraphs = spans(measured.paragraphs);
        expect(paragraphs.length).toBe(
          trimmed.filter((line, i) => line !== '' && (trimmed[i - 1] ?? '') === '').length,
        );
        expect(paragraphs.flatMap((each) => each.split('\n')).length).toBe(lines.length);
        expect(measured.grams(size)).toEqual(naiveGrams(words, size));
        for (const [name, of] of [
          ['line', lines],
          ['paragraph', paragraphs],
        ] as const) {
          const { count, characters: share } = naiveRepeats(of);
          expect(fails(`duplicate_${name}s_max`, count, text)).toBe(false);
          expect(fails(`duplicate_${name}_characters_max`, share, text)).toBe(false);
          if (count > 0) expect(fails(`duplicate_${name}s_max`, count - 1e-9, text)).toBe(true);
          if (count > 0) expect(fails(`duplicate_${name}_characters_max`, share - 1e-9, text)).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('tell apart words of one hash, and find the runs of a long text', () => {
    const words = Array.from({ length: 30_000 }, (_, i) => `w${(i * i) % 9973}x${i % 7}`);
    const measured = new MeasuredText();
    measured.take(words.join(' '));
    for (const size of [2, 5, 10]) expect(measured.grams(size)).toEqual(naiveGrams(words, size));
  });
});

const prose =
  'It was the best of times, and people had to be with that thing they have. Then came winter in a small town ' +
  'near a river where nobody had seen snow for years; children ran out at dawn, laughing, while their parents ' +
  'watched from windows and wondered how long it would last this time. Nobody knew, of course.';

describe('quality', () => {
  it('counts each row for the first rule that it fails, in the order of the parameters', async () => {
    const rows = [prose, 'too short', `${prose}\n{x}`, null, 'hello '.repeat(60), 'ab '.repeat(100), ''];
    const { kept, why, counts } = await runOn(
      workspace,
      rows.map((text) => ({ text })),
      'quality: {column: text, preset: gopher, curly_brackets: on, bad_words: [winter]}',
    );
    expect(kept).toEqual([]);
    expect(why).toEqual([
      'bad_words',
      'words_min',
      'curly_brackets',
      'null',
      'top_2gram_max',
      'mean_word_length_min',
      'words_min',
    ]);
    expect(counts).toMatchObject({
      null: 1,
      words_min: 2,
      mean_word_length_min: 1,
      top_2gram_max: 1,
      bad_words: 1,
      words_max: 0,
    });
    const names = Object.keys(counts);
    expect(names.indexOf('words_min')).toBeLessThan(names.indexOf('top_2gram_max'));
  });

  it('a preset keeps prose; a parameter beside it overrides, and off takes a rule away', async () => {
    const rows = [{ text: prose }, { text: 'Two words.' }];
    const keptBy = async (params: string): Promise<readonly number[]> =>
      (await runOn(workspace, rows, `quality: {column: text, ${params}}`)).kept;
    expect(await keptBy('preset: gopher')).toEqual([0]);
    expect(await keptBy('preset: gopher, words_min: 2, stop_words_min: off')).toEqual([0, 1]);
    expect(await keptBy('preset: gopher, words_min: off, stop_words_min: off')).toEqual([0, 1]);
    expect(await keptBy('preset: gopher, words_min: 1000')).toEqual([]);
    expect(await keptBy('preset: c4')).toEqual([0]);
    expect(await keptBy('preset: c4, sentences_min: 1')).toEqual([0, 1]);
    expect(await keptBy('preset: fineweb')).toEqual([0]);
  });

  it('gives each row the verdict that it has alone, with worker threads as without', async () => {
    const texts = Array.from({ length: 2400 }, (_, i) =>
      prose.slice(i % 7, 20 + ((i * 37) % prose.length)).repeat(1 + (i % 3)),
    );
    const { why } = await runOn(
      workspace,
      texts.map((text) => ({ text })),
      'quality: {column: text, preset: gopher}',
    );
    const few = await runOn(
      workspace,
      texts.slice(0, 100).map((text) => ({ text })),
      'quality: {column: text, preset: gopher}',
    );
    expect(why.slice(0, 100)).toEqual(few.why);
    expect(new Set(why).size).toBeGreaterThan(3);
  });

  it('keeps bounds, not the name of a preset, in its derivation', () => {
    const { params } = prepare('quality: {column: text, preset: c4, sentences_min: off, words_min: 3}');
    expect(params).toEqual({ column: 'text', words_min: 3, lorem_ipsum: 'on', curly_brackets: 'on', javascript: 'on' });
  });

  it.each([
    ['quality: {column: text}', 'give a preset or at least one rule'],
    ['quality: {preset: gopher}', 'column is missing'],
    [
      'quality: {column: text, preset: gofer}',
      'preset: expected gopher, c4 or fineweb, not the text "gofer" (did you mean gopher?)',
    ],
    ['quality: {column: text, wordsMn: 3}', 'did you mean words_min?'],
    ['quality: {column: text, words_min: 2.5}', 'words_min: expected a whole number or off, not 2.5'],
    ['quality: {column: text, words_min: -1}', 'words_min: '],
    ['quality: {column: text, bullet_lines_max: 1.5}', 'bullet_lines_max: '],
    ['quality: {column: text, words_min: 9, words_max: 3}', 'words_min (9) is more than words_max (3)'],
    ['quality: {column: text, preset: gopher, words_max: 3}', 'words_min (50) is more than words_max (3)'],
    ['quality: {column: text, words_min: 1, stop_words: [a]}', 'stop_words has no meaning without stop_words_min'],
  ])('refuses %s', (step, says) => {
    expect(() => prepare(step)).toThrow(says);
  });

  it.each([
    ['quality: {column: text, preset: gopher}', 'passes gopher'],
    ['quality: {column: text, preset: c4, curly_brackets: off}', 'passes c4, without curly_brackets'],
    [
      'quality: {column: text, preset: gopher, words_max: 9, words_min: 2, top_2gram_max: off, stop_words: [a]}',
      'passes gopher, with words_min 2, words_max 9, other stop words, without top_2gram_max',
    ],
    ['quality: {column: text, words_min: 20, bad_words: [a, b]}', 'has words_min 20, none of 2 bad words'],
    ['quality: {column: text, words_min: 50}', 'has words_min 50'],
  ])('is told in few words, by the preset that its rules are nearest to: %s', (step, says) => {
    expect(prepare(step).says).toBe(`keep rows whose text ${says}`);
  });

  it('refuses a column that is not there, or holds no text', async () => {
    const rows = [{ text: 'a', number: 1 }];
    const on = (column: string): Promise<unknown> =>
      runOn(workspace, rows, `quality: {column: ${column}, words_min: 1}`);
    await expect(on('txet')).rejects.toThrow('no column "txet"');
    await expect(on('number')).rejects.toThrow('holds BIGINT, neither text nor messages');
  });
});
