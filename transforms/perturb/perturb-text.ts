/**
 * Perturbs a text by chance, the same everywhere for the same numbers.
 *
 * A text is words (runs without white space) and the white space between them. Word by word a number is drawn; where it
 * is below rate · 2^32 the word is perturbed, and a second draw chooses among the kinds in the order in which they were
 * given. "One of n" always means: the next number times n, divided by 2^32, rounded down.
 *
 * - typo: letters are characters (with the marks that belong to them) that begin with a letter. A word of fewer than two
 *   stays. One of four: exchange one of the letters but the last with the next letter; leave one letter out; write one
 *   letter twice; put one of its neighbours on a QWERTY keyboard in place of one letter (in place of a letter that is
 *   not a to z: write it twice).
 * - case: one of those of lower case, upper case, and upper case of the first character alone, that are not the word.
 * - word-drop: the word goes, and the white space before it; where no word stands before it any more, that after it. The
 *   last word that is left stays.
 * - word-swap: the word changes places with the next one, which is then passed over. The last word stays.
 * @module
 */
import type { SeededStream } from '../../src/lineage/seeded-hash.ts';

export const perturbKinds = ['typo', 'case', 'word-drop', 'word-swap'] as const;
export type PerturbKind = (typeof perturbKinds)[number];

/** What is done, and to what share of the words. */
export interface Perturbation {
  readonly kinds: readonly PerturbKind[];
  /** From 0 to 1. */
  readonly rate: number;
}

/**
 * The text, perturbed. Only words that change become strings of their own; what lies between is taken from the text in
 * one piece, as a string for each word would be most of what a table of copies costs.
 */
export function perturbText(text: string, { kinds, rate }: Perturbation, next: SeededStream): string {
  const bounds = wordBounds(text);
  const words = bounds.length / 2;
  const word = (at: number): string => text.slice(bounds[2 * at], bounds[2 * at + 1]);
  let [perturbed, copied, dropped] = ['', 0, 0];
  const replace = (from: number, to: number, by: string): void => {
    perturbed += text.slice(copied, from) + by;
    copied = to;
  };
  for (let at = 0; at < words; at++) {
    if (next() >= rate * 2 ** 32) continue;
    const kind = kinds[oneOf(kinds.length, next)];
    const [from, to] = [bounds[2 * at]!, bounds[2 * at + 1]!];
    if (kind === 'typo') replace(from, to, typo(word(at), next));
    else if (kind === 'case') replace(from, to, otherCase(word(at), next));
    else if (kind === 'word-drop') {
      if (dropped + 1 === words) continue;
      if (dropped === at) replace(from, bounds[2 * at + 2]!, '');
      else replace(bounds[2 * at - 1]!, to, '');
      dropped += 1;
    } else if (at + 1 < words) {
      replace(from, to, word(at + 1));
      replace(bounds[2 * at + 2]!, bounds[2 * at + 3]!, word(at));
      at++;
    }
  }
  return copied === 0 ? text : perturbed + text.slice(copied);
}

/** Where each word begins and ends, one after the other. */
function wordBounds(text: string): readonly number[] {
  const bounds: number[] = [];
  let isWithin = false;
  for (let at = 0; at < text.length; at++) {
    if (isSpace(text.charCodeAt(at)) !== isWithin) continue;
    bounds.push(at);
    isWithin = !isWithin;
  }
  if (isWithin) bounds.push(text.length);
  return bounds;
}

/** White space as `\s` of a regular expression has it. */
function isSpace(code: number): boolean {
  if (code < 0xa0) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return wideSpaces.has(code);
}

const wideSpaces: ReadonlySet<number> = new Set([
  0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029,
  0x202f, 0x205f, 0x3000, 0xfeff,
]);

function oneOf(count: number, next: SeededStream): number {
  return Math.floor((next() * count) / 2 ** 32);
}

// Marks, joiners, skin tones and tags belong to the character before them; a flag is two regional indicators.
const characters =
  /\p{Regional_Indicator}{2}|[^\p{M}\u200d](?:[\p{M}\p{Emoji_Modifier}\u{e0020}-\u{e007f}]|\u200d\P{M}?)*|[\p{M}\u200d]+/gu;
const letter = /^\p{L}/u;

/** The characters of a word with their marks; ASCII has none. */
function partsOf(word: string): string[] {
  return /^[\x20-\x7e]*$/.test(word) ? word.split('') : (word.match(characters) ?? []);
}

function typo(word: string, next: SeededStream): string {
  const parts = partsOf(word);
  const letters = parts.flatMap((part, index) => (letter.test(part) ? [index] : []));
  if (letters.length < 2) return word;
  const kind = oneOf(4, next);
  const place = oneOf(kind === 0 ? letters.length - 1 : letters.length, next);
  const at = letters[place]!;
  const here = parts[at]!;
  if (kind === 0) {
    const other = letters[place + 1]!;
    [parts[at], parts[other]] = [parts[other]!, here];
  } else if (kind === 1) parts[at] = '';
  else if (kind === 2) parts[at] = here + here;
  else parts[at] = neighbour(here, next);
  return parts.join('');
}

const neighbours: Readonly<Record<string, string>> = {
  q: 'wa',
  w: 'qeas',
  e: 'wrsd',
  r: 'etdf',
  t: 'ryfg',
  y: 'tugh',
  u: 'yihj',
  i: 'uojk',
  o: 'ipkl',
  p: 'ol',
  a: 'qwsz',
  s: 'weadzx',
  d: 'ersfxc',
  f: 'rtdgcv',
  g: 'tyfhvb',
  h: 'yugjbn',
  j: 'uihknm',
  k: 'iojlm',
  l: 'opk',
  z: 'asx',
  x: 'sdzc',
  c: 'dfxv',
  v: 'fgcb',
  b: 'ghvn',
  n: 'hjbm',
  m: 'jkn',
};

function neighbour(character: string, next: SeededStream): string {
  if (!/^[a-z]$/i.test(character)) return character + character;
  const near = neighbours[character.toLowerCase()]!;
  const other = near[oneOf(near.length, next)]!;
  return character === character.toLowerCase() ? other : other.toUpperCase();
}

function otherCase(word: string, next: SeededStream): string {
  const [first = '', ...rest] = partsOf(word);
  const title = first.toUpperCase() + rest.join('').toLowerCase();
  const forms = [...new Set([word.toLowerCase(), word.toUpperCase(), title])].filter((form) => form !== word);
  return forms.length === 0 ? word : forms[oneOf(forms.length, next)]!;
}
