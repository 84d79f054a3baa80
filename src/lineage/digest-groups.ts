/**
 * Which rows are equal, by their digests: one pass over a table of open addresses, no text and no objects per row.
 * @module
 */
import { DIGEST_BYTES } from '../merkle/table-tree.ts';

/** For each row the first row of the same digest; itself where it is the first. */
export function firstOfEqual(digests: Uint8Array): Uint32Array {
  const slots = new DigestSlots(digests);
  const first = new Uint32Array(digests.length / DIGEST_BYTES);
  for (let row = 0; row < first.length; row++) {
    const slot = slots.find(digests, row);
    const taken = slots.taken[slot]!;
    if (taken === 0) slots.taken[slot] = row + 1;
    first[row] = taken === 0 ? row : taken - 1;
  }
  return first;
}

/** Rows found by their digests: open addressing, 8 to 16 bytes a row. */
export class DigestSlots {
  /** A row number + 1, of one of equal rows; 0 where the slot is empty. */
  readonly taken: Uint32Array;
  readonly #digests: Buffer;
  readonly #mask: number;

  /** Empty slots for the rows of these digests. */
  constructor(digests: Uint8Array) {
    this.#digests = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
    this.taken = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, (digests.length / DIGEST_BYTES) * 2))));
    this.#mask = this.taken.length - 1;
  }

  /** The slot of the digest at a row of `digests`, or the empty one where it belongs. */
  find(digests: Uint8Array, row: number): number {
    const at = row * DIGEST_BYTES;
    // Digests are evenly spread already.
    let slot = word(digests, at) & this.#mask;
    for (let taken; (taken = this.taken[slot]!) !== 0; slot = (slot + 1) & this.#mask) {
      const other = (taken - 1) * DIGEST_BYTES;
      if (this.#digests.compare(digests, at, at + DIGEST_BYTES, other, other + DIGEST_BYTES) === 0) break;
    }
    return slot;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** For each row how many equal rows stand before it: 0 for the first. */
export function occurrences(digests: Uint8Array): Uint32Array {
  const first = firstOfEqual(digests);
  const seen = new Uint32Array(first.length);
  return first.map((of) => seen[of]!++);
}
