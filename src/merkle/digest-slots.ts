/**
 * Rows found by their digests: open addressing (Knuth, The Art of Computer Programming 3, §6.4, linear probing), no text
 * and no object per row.
 * @module
 */
import { DIGEST_BYTES } from './table-tree.ts';

/** Takes 8 to 16 bytes a row. */
export class DigestSlots {
  /** A row number + 1, of one of equal rows; 0 where the slot is empty. */
  readonly taken: Uint32Array;
  readonly #digests: Buffer;
  readonly #width: number;
  readonly #mask: number;

  /**
   * Empty slots for the rows of these digests.
   * @param width bytes of a digest: whole ones, or of each the first, at least four
   */
  constructor(digests: Uint8Array, width: number = DIGEST_BYTES) {
    this.#digests = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
    this.#width = width;
    this.taken = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, (digests.length / width) * 2))));
    this.#mask = this.taken.length - 1;
  }

  /** The slot of the digest at a row of `digests`, or the empty one where it belongs. */
  find(digests: Uint8Array, row: number): number {
    const width = this.#width;
    const at = row * width;
    // Digests are evenly spread already.
    let slot = word(digests, at) & this.#mask;
    for (let taken; (taken = this.taken[slot]!) !== 0; slot = (slot + 1) & this.#mask) {
      const other = (taken - 1) * width;
      if (this.#digests.compare(digests, at, at + width, other, other + width) === 0) break;
    }
    return slot;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
