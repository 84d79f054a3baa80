/**
 * A row's text as a set of shingles: runs of so many words, in the words of the leak check (folded by its table, so that
 * case, accents and punctuation do not count, and no running Node's Unicode does). A shingle is a hash of 53 bits. A
 * text of fewer words than a shingle has is one shingle.
 * @module
 */
import { createHash } from 'node:crypto';
import { visitTokens } from '../../src/leakage/tokens.ts';

/** What kind of text a row has. */
export const NO_TEXT = 0;
/** Text without a single word: compared by equality. */
export const NO_WORDS = 1;
export const WORDS = 2;

/** Length in bytes of `equalityDigest`. */
export const equalityDigestBytes = 32;

/** Reads rows, one at a time; what it holds of a row is good until the next. */
export class ShingleReader {
  readonly #words: number;
  /** Two hashes of 32 bits a word; a gap of two zeros after each text. */
  #tokens = new Int32Array(1024);
  #tokenCount = 0;
  #texts: readonly (string | null)[] = [];
  /** Number of shingles of the row, equal ones counted again. */
  count = 0;
  /** The shingles: the upper 21 and the lower 32 bits of each. */
  high = new Int32Array(512);
  low = new Int32Array(512);

  constructor(words: number) {
    this.#words = words;
  }

  /** Reads the texts of a row's columns and says what they are. No shingle crosses a text. */
  read(texts: readonly (string | null)[]): typeof NO_TEXT | typeof NO_WORDS | typeof WORDS {
    this.#texts = texts;
    this.#tokenCount = 0;
    this.count = 0;
    for (const text of texts) {
      const first = this.#tokenCount;
      if (text !== null) visitTokens(text, this.#takeToken);
      this.#cutShingles(first, this.#tokenCount);
      this.#push(0, 0);
    }
    if (this.count > 0) return WORDS;
    return texts.every((text) => text === null) ? NO_TEXT : NO_WORDS;
  }

  /** Equal for rows whose texts have the same words, and for rows without a word whose texts are equal. */
  equalityDigest(): Buffer {
    const hash = createHash('sha256');
    if (this.count > 0) {
      const { buffer } = this.#tokens;
      return hash
        .update('words')
        .update(new Uint8Array(buffer, 0, this.#tokenCount * 8))
        .digest();
    }
    return hash.update(JSON.stringify(this.#texts)).digest();
  }

  /** The set: distinct shingles, ascending. */
  sortedSet(): Float64Array {
    const all = new Float64Array(this.count);
    for (let i = 0; i < all.length; i++) all[i] = (this.high[i]! >>> 11) * 2 ** 32 + (this.low[i]! >>> 0);
    all.sort();
    let distinct = 0;
    for (let i = 0; i < all.length; i++) if (i === 0 || all[i] !== all[i - 1]) all[distinct++] = all[i]!;
    return all.subarray(0, distinct);
  }

  readonly #takeToken = (token: string): void => {
    let a = 0x2545f491;
    let b = 0x1b873593;
    for (let i = 0; i < token.length; i++) {
      const unit = token.charCodeAt(i);
      a = Math.imul(a ^ unit, 0x5bd1e995);
      a ^= a >>> 15;
      b = Math.imul(b + unit, 0x27d4eb2d);
      b ^= b >>> 13;
    }
    this.#push(mix(a ^ token.length), mix(b) | 1);
  };

  #push(a: number, b: number): void {
    const at = this.#tokenCount * 2;
    if (at === this.#tokens.length) this.#tokens = grown(this.#tokens);
    this.#tokens[at] = a;
    this.#tokens[at + 1] = b;
    this.#tokenCount += 1;
  }

  #cutShingles(first: number, end: number): void {
    const tokens = this.#tokens;
    const size = Math.min(this.#words, end - first);
    if (size === 0) return;
    for (let start = first; start + size <= end; start++) {
      let a = size;
      let b = 0;
      for (let i = start * 2; i < (start + size) * 2; i += 2) {
        a = Math.imul((a << 7) ^ (a >>> 25) ^ tokens[i]!, 0x2c1b3c6d);
        b = Math.imul((b << 11) ^ (b >>> 21) ^ tokens[i + 1]!, 0x297a2d39);
      }
      if (this.count === this.low.length) {
        this.low = grown(this.low);
        this.high = grown(this.high);
      }
      this.low[this.count] = mix(a);
      this.high[this.count] = mix(b);
      this.count += 1;
    }
  }
}

/** Spreads 32 bits; no two numbers become one. */
export function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(array.length * 2);
  longer.set(array);
  return longer;
}
