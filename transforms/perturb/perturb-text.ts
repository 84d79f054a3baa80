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

/** The text, perturbed. */
export function perturbText(text: string, { kinds, rate }: Perturbation, next: SeededStream): string {
  const words = text.match(/\S+/gu) ?? [];
  const gaps = text.split(/\S+/u);
  const drop = new Set<number>();
  for (let at = 0; at < words.length; at++) {
    if (next() >= rate * 2 ** 32) continue;
    const kind = kinds[oneOf(kinds.length, next)];
    if (kind === 'typo') words[at] = typo(words[at]!, next);
    else if (kind === 'case') words[at] = otherCase(words[at]!, next);
    else if (kind === 'word-drop') {
      if (drop.size + 1 < words.length) drop.add(at);
    } else if (at + 1 < words.length) {
      [words[at], words[at + 1]] = [words[at + 1]!, words[at]!];
      at++;
    }
  }
  let perturbed = gaps[0] ?? '';
  let first = true;
  for (const [at, word] of words.entries()) {
    if (drop.has(at)) continue;
    perturbed += first ? word : gaps[at]! + word;
    first = false;
  }
  return words.length === 0 ? perturbed : perturbed + gaps.at(-1)!;
}

function oneOf(count: number, next: SeededStream): number {
  return Math.floor((next() * count) / 2 ** 32);
}

// Marks, joiners, skin tones and tags belong to the character before them; a flag is two regional indicators.
const characters =
  /\p{Regional_Indicator}{2}|[^\p{M}\u200d](?:[\p{M}\p{Emoji_Modifier}\u{e0020}-\u{e007f}]|\u200d\P{M}?)*|[\p{M}\u200d]+/gu;
const letter = /^\p{L}/u;

function typo(word: string, next: SeededStream): string {
  const parts = word.match(characters) ?? [];
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
  const [first = '', ...rest] = word.match(characters) ?? [];
  const title = first.toUpperCase() + rest.join('').toLowerCase();
  const forms = [...new Set([word.toLowerCase(), word.toUpperCase(), title])].filter((form) => form !== word);
  return forms.length === 0 ? word : forms[oneOf(forms.length, next)]!;
}
