/**
 * The rules, in the order in which they are tried, with the bounds that were published: Gopher (Rae et al., "Scaling
 * Language Models", 2021, appendix A, tables A1 and A.1.1), C4 (Raffel et al., "Exploring the Limits of Transfer
 * Learning", 2020, section 2.2) and FineWeb (Penedo et al., "The FineWeb Datasets", 2024, section 3.6). A text at a
 * bound stays.
 * @module
 */
import {
  type MeasuredText,
  countSentences,
  endsInEllipsis,
  endsInTerminal,
  isBulletLine,
  occurrencesOf,
  repeatsOf,
  shareOf,
} from './measured-text.ts';
import { holdsLetter } from './text-parts.ts';

/** Names of published sets of bounds. */
export const presets = ['gopher', 'c4', 'fineweb'] as const;
export type Preset = (typeof presets)[number];

/** A rule with one bound. */
export interface Rule {
  /** Parameter that sets the bound, and count of the rows that failed first here. */
  readonly name: string;
  /** What a bound may be: a whole number, a share from 0 to 1, any number from 0 on, or 1 for on. */
  readonly bound: 'count' | 'share' | 'ratio' | 'switch';
  readonly says: string;
  readonly published: Readonly<Partial<Record<Preset, number>>>;
  fails(text: MeasuredText, bound: number): boolean;
}

const shortLineCharacters = 30;

const perWord = (text: MeasuredText, count: number): number => (text.words.count === 0 ? 0 : count / text.words.count);
const meanLength = ({ words }: MeasuredText): number => words.characters / words.count;

function topGram(size: number, gopher: number): Rule {
  return {
    name: `top_${size}gram_max`,
    bound: 'share',
    says:
      `Share of the characters of words that stand in the most frequent run of ${size} words` +
      (size === 2 ? ', if it stands there twice; overlapping characters count once.' : '.'),
    published: { gopher },
    fails: (text, bound) => text.grams(size).top > bound,
  };
}

function repeatedGram(size: number, gopher: number): Rule {
  return {
    name: `repeated_${size}gram_max`,
    bound: 'share',
    says:
      `Share of the characters of words that stand in a run of ${size} words that the text has at least twice` +
      (size === 5 ? '; every occurrence counts, overlapping characters once.' : '.'),
    published: { gopher },
    fails: (text, bound) => text.grams(size).repeated > bound,
  };
}

/** Every rule that has a bound. */
export const rules: readonly Rule[] = [
  {
    name: 'words_min',
    bound: 'count',
    says: 'The least number of words. A word is a run of anything but white space.',
    published: { gopher: 50 },
    fails: ({ words }, bound) => words.count < bound,
  },
  {
    name: 'words_max',
    bound: 'count',
    says: 'The greatest number of words.',
    published: { gopher: 100_000 },
    fails: ({ words }, bound) => words.count > bound,
  },
  {
    name: 'mean_word_length_min',
    bound: 'ratio',
    says: 'The least mean length of words in characters (code points).',
    published: { gopher: 3 },
    fails: (text, bound) => text.words.count > 0 && meanLength(text) < bound,
  },
  {
    name: 'mean_word_length_max',
    bound: 'ratio',
    says: 'The greatest mean length of words.',
    published: { gopher: 10 },
    fails: (text, bound) => text.words.count > 0 && meanLength(text) > bound,
  },
  {
    name: 'hashes_per_word_max',
    bound: 'ratio',
    says: 'The most # for each word. It drops short answers such as #### 42 of GSM8K: give "off" for these.',
    published: { gopher: 0.1 },
    fails: (text, bound) => perWord(text, occurrencesOf(text.text, '#')) > bound,
  },
  {
    name: 'ellipses_per_word_max',
    bound: 'ratio',
    says: 'The most … or ... for each word.',
    published: { gopher: 0.1 },
    fails: (text, bound) => perWord(text, occurrencesOf(text.text, '…') + occurrencesOf(text.text, '...')) > bound,
  },
  {
    name: 'bullet_lines_max',
    bound: 'share',
    says: 'Share of the lines that begin with a bullet: • and its like, or - * + – — before white space.',
    published: { gopher: 0.9 },
    fails: (text, bound) => shareOf(text.lines, (start, end) => isBulletLine(text.text, start, end)) > bound,
  },
  {
    name: 'ellipsis_lines_max',
    bound: 'share',
    says: 'Share of the lines that end in … or ...',
    published: { gopher: 0.3 },
    fails: (text, bound) => shareOf(text.lines, (start, end) => endsInEllipsis(text.text, start, end)) > bound,
  },
  {
    name: 'letter_words_min',
    bound: 'share',
    says: 'The least share of words with a letter.',
    published: { gopher: 0.8 },
    fails: (text, bound) =>
      text.words.count > 0 && shareOf(text.words, (start, end) => holdsLetter(text.text, start, end)) < bound,
  },
  {
    name: 'duplicate_lines_max',
    bound: 'share',
    says: 'Share of the lines that repeat an earlier line. Empty lines do not count, nor does white space at the ends.',
    published: { gopher: 0.3 },
    fails: (text, bound) => repeatsOf(text.text, text.lines).count > bound,
  },
  {
    name: 'duplicate_paragraphs_max',
    bound: 'share',
    says: 'Share of the paragraphs (lines with no empty line between) that repeat an earlier one.',
    published: { gopher: 0.3 },
    fails: (text, bound) => repeatsOf(text.text, text.paragraphs).count > bound,
  },
  {
    name: 'duplicate_line_characters_max',
    bound: 'share',
    says: 'Share of the characters of lines that stand in such lines.',
    published: { gopher: 0.2, fineweb: 0.1 },
    fails: (text, bound) => repeatsOf(text.text, text.lines).characters > bound,
  },
  {
    name: 'duplicate_paragraph_characters_max',
    bound: 'share',
    says: 'Share of the characters of paragraphs that stand in such paragraphs.',
    published: { gopher: 0.2 },
    fails: (text, bound) => repeatsOf(text.text, text.paragraphs).characters > bound,
  },
  topGram(2, 0.2),
  topGram(3, 0.18),
  topGram(4, 0.16),
  repeatedGram(5, 0.15),
  repeatedGram(6, 0.14),
  repeatedGram(7, 0.13),
  repeatedGram(8, 0.12),
  repeatedGram(9, 0.11),
  repeatedGram(10, 0.1),
  {
    name: 'terminal_lines_min',
    bound: 'share',
    says:
      'The least share of lines that end in . ! ? … or a closing quotation mark. C4 drops the other lines, which this ' +
      'step does not.',
    published: { fineweb: 0.12 },
    fails: (text, bound) =>
      text.lines.count > 0 && shareOf(text.lines, (start, end) => endsInTerminal(text.text, start, end)) < bound,
  },
  {
    name: 'short_lines_max',
    bound: 'share',
    says: `Share of the lines of fewer than ${shortLineCharacters} characters.`,
    published: { fineweb: 0.67 },
    fails: (text, bound) =>
      shareOf(text.lines, (_start, _end, line) => text.lines.lengths[line]! < shortLineCharacters) > bound,
  },
  {
    name: 'sentences_min',
    bound: 'count',
    says: 'The least number of sentences: pieces of lines with a letter, cut behind . ! ? … and white space.',
    published: { c4: 3 },
    fails: (text, bound) => countSentences(text.text, text.lines, bound) < bound,
  },
  {
    name: 'lorem_ipsum',
    bound: 'switch',
    says: 'Whether a row with "lorem ipsum" goes.',
    published: { c4: 1 },
    fails: ({ text }) => /lorem ipsum/i.test(text),
  },
  {
    name: 'curly_brackets',
    bound: 'switch',
    says: 'Whether a row with { or } goes.',
    published: { c4: 1 },
    fails: ({ text }) => text.includes('{') || text.includes('}'),
  },
  {
    name: 'javascript',
    bound: 'switch',
    says: 'Whether a row with "javascript" goes. C4 drops the line only, which this step does not: a rule of its own.',
    published: { c4: 1 },
    fails: ({ text }) => /javascript/i.test(text),
  },
];

/** Gopher's list: a text of English prose has at least two of them. */
export const gopherStopWords: readonly string[] = ['the', 'be', 'to', 'of', 'and', 'that', 'have', 'with'];
export const gopherStopWordsMin = 2;
