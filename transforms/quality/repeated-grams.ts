/**
 * Runs of words that a text repeats, exactly: words are numbered, and a run of n words is numbered by the number of the
 * run of n − 1 that it begins with and its last word. Only runs whose beginning is repeated are looked at again, so that
 * long runs cost next to nothing in a text that does not repeat itself.
 * @module
 */
import type { Spans } from './text-parts.ts';

/** Shares of the characters of all words, from 0 to 1; characters that several runs cover count once. */
export interface GramShares {
  /** Of the most frequent run; of equally frequent ones the one that comes first. 0 where none is repeated. */
  readonly top: number;
  /** Of all runs that stand in the text at least twice. */
  readonly repeated: number;
}

/** Measures one text after the other. */
export class RepeatedGrams {
  readonly #numbers = new PairNumbers();
  #words = new Int32Array(0);
  #grams = new Int32Array(0);
  #counts = new Int32Array(0);
  /** Starts of the runs of the last length that are repeated, ascending. */
  #starts = new Int32Array(0);
  #startCount = 0;
  #spans: Spans | null = null;
  #shares: GramShares[] = [];

  /** Begins with the words of a text. */
  begin(text: string, words: Spans): void {
    const { count } = words;
    this.#spans = words;
    this.#shares = [];
    if (this.#words.length < count) {
      this.#words = new Int32Array(count * 2);
      this.#grams = new Int32Array(count * 2);
      this.#counts = new Int32Array(count * 2);
      this.#starts = new Int32Array(count * 2);
    }
    numberWords(text, words, this.#words, this.#numbers);
    this.#grams.set(this.#words.subarray(0, count));
    for (let i = 0; i < count; i++) this.#starts[i] = i;
    this.#startCount = count;
    this.#keepRepeated();
  }

  /** Shares of the runs of `size` words, 2 or more. */
  shares(size: number): GramShares {
    while (this.#shares.length < size - 1) this.#lengthen(this.#shares.length + 2);
    return this.#shares[size - 2]!;
  }

  #lengthen(size: number): void {
    const { count } = this.#spans!;
    this.#numbers.begin(this.#startCount);
    let found = 0;
    for (let i = 0; i < this.#startCount; i++) {
      const start = this.#starts[i]!;
      if (start + size > count) continue;
      this.#grams[start] = this.#numbers.of(this.#grams[start]!, this.#words[start + size - 1]!);
      this.#starts[found++] = start;
    }
    this.#startCount = found;
    this.#keepRepeated();
    this.#shares.push(this.#measure(size));
  }

  #keepRepeated(): void {
    this.#counts.fill(0, 0, this.#spans!.count);
    for (let i = 0; i < this.#startCount; i++) this.#counts[this.#grams[this.#starts[i]!]!]! += 1;
    let found = 0;
    for (let i = 0; i < this.#startCount; i++) {
      const start = this.#starts[i]!;
      if (this.#counts[this.#grams[start]!]! > 1) this.#starts[found++] = start;
    }
    this.#startCount = found;
  }

  #measure(size: number): GramShares {
    if (this.#startCount === 0) return { top: 0, repeated: 0 };
    let top = this.#grams[this.#starts[0]!]!;
    for (let i = 1; i < this.#startCount; i++) {
      const gram = this.#grams[this.#starts[i]!]!;
      if (this.#counts[gram]! > this.#counts[top]!) top = gram;
    }
    return { top: this.#covered(size, top), repeated: this.#covered(size, null) };
  }

  #covered(size: number, only: number | null): number {
    const { lengths, characters } = this.#spans!;
    let covered = 0;
    let next = 0;
    for (let i = 0; i < this.#startCount; i++) {
      const start = this.#starts[i]!;
      if (only !== null && this.#grams[start] !== only) continue;
      for (next = Math.max(next, start); next < start + size; next++) covered += lengths[next]!;
    }
    return covered / characters;
  }
}

/** Numbers words from 0 on, equal ones alike. */
function numberWords(text: string, { count, starts, ends }: Spans, into: Int32Array, table: PairNumbers): void {
  // A word is told by its hash and length and then by its characters; those of equal hash and length are rare.
  table.begin(count);
  const firstOf: number[] = [];
  for (let word = 0; word < count; word++) {
    const [start, end] = [starts[word]!, ends[word]!];
    let hash = end - start;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    for (let salt = 0; ; salt++) {
      const number = table.of(hash, salt);
      const first = (firstOf[number] ??= word);
      if (first === word || sameText(text, starts[first]!, ends[first]!, start, end)) {
        into[word] = number;
        break;
      }
    }
  }
}

function sameText(text: string, start: number, end: number, otherStart: number, otherEnd: number): boolean {
  if (end - start !== otherEnd - otherStart) return false;
  for (let i = 0; i < end - start; i++) {
    if (text.charCodeAt(start + i) !== text.charCodeAt(otherStart + i)) return false;
  }
  return true;
}

/** Numbers pairs of numbers from 0 on, equal ones alike, in a table of open addresses that is used again. */
class PairNumbers {
  #slots = new Int32Array(0);
  #a = new Int32Array(0);
  #b = new Int32Array(0);
  #mask = 0;
  #count = 0;

  begin(pairsMax: number): void {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, pairsMax * 2)));
    if (this.#slots.length < size) {
      this.#slots = new Int32Array(size);
      this.#a = new Int32Array(size);
      this.#b = new Int32Array(size);
    }
    this.#slots.fill(0, 0, size);
    this.#mask = size - 1;
    this.#count = 0;
  }

  of(a: number, b: number): number {
    let slot = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
    slot ^= slot >>> 15;
    for (let at = slot & this.#mask; ; at = (at + 1) & this.#mask) {
      // 0 stands for an empty slot.
      const taken = this.#slots[at]! - 1;
      if (taken < 0) {
        this.#slots[at] = this.#count + 1;
        this.#a[this.#count] = a;
        this.#b[this.#count] = b;
        return this.#count++;
      }
      if (this.#a[taken] === a && this.#b[taken] === b) return taken;
    }
  }
}
