/**
 * Numbers for the tokens of the eval sets, and what is known about each.
 * @module
 */
import { visitTokens } from './tokens.ts';

const unspaced = /^[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}]$/u;
/** Words that answer every second question. */
const emptyWords = new Set([
  'yes',
  'true',
  'false',
  'none',
  'all',
  'and',
  'the',
  'not',
  'above',
  'both',
  'neither',
  'entailment',
]);

/** What a vocabulary knows: the number of each token, and by number what holds of it. */
export interface Words {
  readonly numbers: Map<string, number>;
  readonly unspaced: boolean[];
  readonly letters: boolean[];
  readonly telling: boolean[];
}

/** Tokens of the eval sets by number. */
export class Vocabulary {
  readonly words: Words;
  /** Working memory of `add`. */
  readonly #read: number[] = [];

  /** Empty, or over words of another. */
  constructor(words: Words = { numbers: new Map(), unspaced: [], letters: [], telling: [] }) {
    this.words = words;
  }

  /** The number of a token of a training text; -1 where no eval set has it. */
  find(token: string): number {
    return this.words.numbers.get(token) ?? -1;
  }

  /** The numbers of a text's tokens, new ones added. */
  add(text: string): Int32Array {
    const read = this.#read;
    let count = 0;
    visitTokens(text, (token) => (read[count++] = this.#add(token)));
    const numbers = new Int32Array(count);
    for (let i = 0; i < count; i++) numbers[i] = read[i] ?? -1;
    return numbers;
  }

  /** Whether a token is one character of Chinese, Japanese or Korean. */
  isUnspaced(number: number): boolean {
    return this.words.unspaced[number] ?? false;
  }

  hasLetter(number: number): boolean {
    return this.words.letters[number] ?? false;
  }

  /** Whether a token can tell an answer from another: a word of three letters or more that is not "yes" or "none". */
  isTelling(number: number): boolean {
    return this.words.telling[number] ?? false;
  }

  #add(token: string): number {
    const known = this.words.numbers.get(token);
    if (known !== undefined) return known;
    const number = this.words.unspaced.length;
    this.words.numbers.set(token, number);
    const single = unspaced.test(token);
    this.words.unspaced.push(single);
    this.words.letters.push(/\p{L}/u.test(token));
    this.words.telling.push(single || (/\p{L}.*\p{L}.*\p{L}/u.test(token) && !emptyWords.has(token)));
    return number;
  }
}
