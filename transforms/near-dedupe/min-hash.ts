/**
 * MinHash: of each of many random orders of all shingles the least one of a row. Two rows agree in one such value with
 * a probability of their Jaccard similarity. The values of a band become one key of 32 bits; keys that are equal by
 * chance (a hundred pairs of a million rows in a band) cost a look at the texts, never a row.
 * @module
 */
import { createHash } from 'node:crypto';
import type { Banding } from './banding.ts';
import { mix } from './shingles.ts';

/** Computes the keys of rows' bands. */
export class MinHasher {
  readonly #banding: Banding;
  /** An order is x ↦ x · multiplier + offset modulo 2^32, over shingles that are spread evenly already. */
  readonly #multipliers: Int32Array;
  readonly #offsets: Int32Array;
  readonly #least: Int32Array;

  constructor(banding: Banding, seed: number) {
    // Four orders are computed together.
    const orders = Math.ceil((banding.bands * banding.rows) / 4) * 4;
    const drawn = drawNumbers(seed, orders * 2);
    this.#banding = banding;
    this.#multipliers = drawn.subarray(0, orders).map((number) => number | 1);
    this.#offsets = drawn.subarray(orders);
    this.#least = new Int32Array(orders);
  }

  /** The keys of a row with at least one shingle, one a band, from `at` of `keys` on. */
  keys(shingles: Int32Array, count: number, keys: Uint32Array, at: number): void {
    this.#findLeast(shingles, count);
    const { bands, rows } = this.#banding;
    for (let band = 0; band < bands; band++) {
      let key = band;
      for (let i = band * rows; i < (band + 1) * rows; i++) key = mix(Math.imul(key, 0x9e3779b1) ^ this.#least[i]!);
      keys[at + band] = key;
    }
  }

  #findLeast(shingles: Int32Array, count: number): void {
    const [multipliers, offsets, least] = [this.#multipliers, this.#offsets, this.#least];
    for (let order = 0; order < least.length; order += 4) {
      const [m0, m1, m2, m3] = [
        multipliers[order]!,
        multipliers[order + 1]!,
        multipliers[order + 2]!,
        multipliers[order + 3]!,
      ];
      const [o0, o1, o2, o3] = [offsets[order]!, offsets[order + 1]!, offsets[order + 2]!, offsets[order + 3]!];
      let [l0, l1, l2, l3] = [0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff];
      for (let i = 0; i < count; i++) {
        const shingle = shingles[i]!;
        const v0 = (Math.imul(shingle, m0) + o0) | 0;
        const v1 = (Math.imul(shingle, m1) + o1) | 0;
        const v2 = (Math.imul(shingle, m2) + o2) | 0;
        const v3 = (Math.imul(shingle, m3) + o3) | 0;
        if (v0 < l0) l0 = v0;
        if (v1 < l1) l1 = v1;
        if (v2 < l2) l2 = v2;
        if (v3 < l3) l3 = v3;
      }
      least[order] = l0;
      least[order + 1] = l1;
      least[order + 2] = l2;
      least[order + 3] = l3;
    }
  }
}

/** Numbers of 32 bits that hang on the seed alone: SHA-256 over it and a counter. */
function drawNumbers(seed: number, count: number): Int32Array {
  const message = Buffer.from('holdout-near-dedupe-v1:................');
  message.writeBigInt64BE(BigInt(seed), message.length - 16);
  return Int32Array.from({ length: count }, (_, index) => {
    message.writeBigInt64BE(BigInt(index), message.length - 8);
    return createHash('sha256').update(message).digest().readInt32BE(0);
  });
}
