/**
 * A list of row numbers that grows, four bytes each.
 * @module
 */

/** Numbers from 0 to 2^32 − 1. */
export class GrowingNumbers {
  #numbers = new Uint32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(number: number): void {
    if (this.#length === this.#numbers.length) {
      const larger = new Uint32Array(this.#length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#length++] = number;
  }

  /** The numbers so far. */
  finish(): Uint32Array {
    return this.#numbers.slice(0, this.#length);
  }
}
