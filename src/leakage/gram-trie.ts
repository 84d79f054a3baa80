/**
 * Exact numbers for runs of tokens: a table from (run so far, next token) to the longer run. Where the kernel compares
 * hashes, this compares the tokens themselves; it is what confirms a hit.
 * @module
 */

/** The empty run. */
export const ROOT = 0;

/** A growing set of runs; every prefix of a run in it is a run in it. */
export class GramTrie {
  #mask = (1 << 16) - 1;
  #from = new Int32Array(1 << 16).fill(-1);
  #token = new Int32Array(1 << 16);
  #to = new Int32Array(1 << 16);
  #count = 1;

  /** The run that is `from` and one token more, or -1. */
  step(from: number, token: number): number {
    for (let slot = this.#slot(from, token); ; slot = (slot + 1) & this.#mask) {
      const found = this.#from[slot] ?? -1;
      if (found === -1) return -1;
      if (found === from && this.#token[slot] === token) return this.#to[slot] ?? -1;
    }
  }

  /** The same, added where it is not there. */
  extend(from: number, token: number): number {
    const known = this.step(from, token);
    if (known !== -1) return known;
    if (this.#count * 2 > this.#mask) this.#grow();
    this.#put(from, token, this.#count);
    return this.#count++;
  }

  /** One more than the highest number of a run. */
  get size(): number {
    return this.#count;
  }

  #slot(from: number, token: number): number {
    const mixed = Math.imul(from ^ Math.imul(token, 0x85ebca6b), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }

  #put(from: number, token: number, to: number): void {
    let slot = this.#slot(from, token);
    while (this.#from[slot] !== -1) slot = (slot + 1) & this.#mask;
    this.#from[slot] = from;
    this.#token[slot] = token;
    this.#to[slot] = to;
  }

  #grow(): void {
    const [from, token, to] = [this.#from, this.#token, this.#to];
    const capacity = from.length * 2;
    this.#mask = capacity - 1;
    this.#from = new Int32Array(capacity).fill(-1);
    this.#token = new Int32Array(capacity);
    this.#to = new Int32Array(capacity);
    for (let slot = 0; slot < from.length; slot++) {
      if (from[slot] !== -1) this.#put(from[slot] ?? 0, token[slot] ?? 0, to[slot] ?? 0);
    }
  }
}
