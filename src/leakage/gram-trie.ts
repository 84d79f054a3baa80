/**
 * Exact numbers for runs of tokens: a table from (run so far, next token) to the longer run. Where the kernel compares
 * hashes, this compares the tokens themselves; it is what confirms a hit.
 * @module
 */

/** The empty run. */
export const ROOT = 0;

/** Places of a slot: run so far, next token, longer run; the fourth is spare, so that a slot lies in one cache line. */
const width = 4;

/** A trie in memory that threads share. */
export interface SharedTrie {
  readonly slots: Int32Array;
  readonly size: number;
}

/** A growing set of runs; every prefix of a run in it is a run in it. */
export class GramTrie {
  #mask: number;
  #slots: Int32Array;
  #count = 1;

  /** `runs` says how many are to be expected. */
  constructor(runs = 0) {
    const capacity = 2 ** Math.max(16, Math.ceil(Math.log2(runs * 1.5 + 1)));
    this.#mask = capacity - 1;
    this.#slots = emptySlots(capacity);
  }

  /** The trie of another thread, to be read. */
  static over({ slots, size }: SharedTrie): GramTrie {
    const trie = new GramTrie();
    trie.#slots = slots;
    trie.#mask = slots.length / width - 1;
    trie.#count = size;
    return trie;
  }

  /** What another thread needs to read it. */
  shared(): SharedTrie {
    return { slots: this.#slots, size: this.#count };
  }

  /** The run that is `from` and one token more, or -1. */
  step(from: number, token: number): number {
    const slots = this.#slots;
    for (let at = slotOf(from, token) & this.#mask; ; at = (at + 1) & this.#mask) {
      const found = slots[at * width] ?? -1;
      if (found === -1) return -1;
      if (found === from && slots[at * width + 1] === token) return slots[at * width + 2] ?? -1;
    }
  }

  /** The same, added where it is not there. */
  extend(from: number, token: number): number {
    const known = this.step(from, token);
    if (known !== -1) return known;
    if (this.#count * 4 > this.#mask * 3) this.#grow();
    this.#put(from, token, this.#count);
    return this.#count++;
  }

  /** One more than the highest number of a run. */
  get size(): number {
    return this.#count;
  }

  #put(from: number, token: number, to: number): void {
    const slots = this.#slots;
    let at = slotOf(from, token) & this.#mask;
    while (slots[at * width] !== -1) at = (at + 1) & this.#mask;
    slots[at * width] = from;
    slots[at * width + 1] = token;
    slots[at * width + 2] = to;
  }

  #grow(): void {
    const before = this.#slots;
    const capacity = (this.#mask + 1) * 2;
    this.#mask = capacity - 1;
    this.#slots = emptySlots(capacity);
    for (let at = 0; at < before.length; at += width) {
      if (before[at] !== -1) this.#put(before[at] ?? 0, before[at + 1] ?? 0, before[at + 2] ?? 0);
    }
  }
}

function emptySlots(capacity: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(capacity * width * 4)).fill(-1);
}

function slotOf(from: number, token: number): number {
  const mixed = Math.imul(from ^ Math.imul(token, 0x85ebca6b), 0xc2b2ae35);
  return mixed ^ (mixed >>> 15);
}
