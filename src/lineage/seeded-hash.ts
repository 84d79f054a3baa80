/**
 * Chance that can be repeated: a number for each row out of what it is for, a seed, the row's digest and which of equal
 * rows it is. A row keeps its number when others come or go, so that a sample is stable under appends.
 *
 * Row digests are SHA-256 already, so that spreading them anew needs no cryptography: MurmurHash3 (x86, 32 bits; A.
 * Appleby, 2008), twice, with seeds out of SHA-256 over purpose and seed. For a million rows that takes 0.05 s, where
 * hashing each again took 1.5 s. Who chooses rows can choose their numbers either way.
 * @module
 */
import { createHash } from 'node:crypto';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';
import { occurrences } from './digest-groups.ts';

/** Numbers are the first 48 bits of a hash. */
const numbersMax = 2 ** 48;
/** Rows of one stretch of numbers, about. */
const rowsPerStretch = 16;

/** What rows are numbered for. */
export interface SeededRun {
  /** Keeps the numbers of two steps apart: a sample must not decide a later split of the same seed. */
  readonly purpose: string;
  readonly seed: number;
}

/** A number from 0 to below 1 for each digest, by that digest alone: equal digests have equal numbers. */
export function seededNumbers(run: SeededRun, digests: Uint8Array): Float64Array {
  return numbersOf(run, digests, null);
}

/** A number from 0 to below 1 for each row; equal rows have numbers of their own, by their order. */
export function seededRowNumbers(run: SeededRun, digests: Uint8Array): Float64Array {
  return numbersOf(run, digests, occurrences(digests));
}

/**
 * Rows in the order of their numbers, which lie from 0 to below 1; of equal numbers by row digest, then by position. They
 * lie evenly, so rows are dealt to stretches of numbers first, and only the few of a stretch are compared: one sort of all
 * compares each row two dozen times, and V8 makes two arrays of objects for it.
 */
export function orderByNumbers(numbers: Float64Array, digests: Uint8Array): Uint32Array {
  const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
  const stretches = Math.ceil(numbers.length / rowsPerStretch);
  const ends = new Uint32Array(stretches + 1);
  for (const number of numbers) ends[Math.floor(number * stretches) + 1]! += 1;
  for (let i = 1; i <= stretches; i++) ends[i]! += ends[i - 1]!;
  // Dealing moves the start of each stretch to its end.
  const order = new Uint32Array(numbers.length);
  for (let row = 0; row < numbers.length; row++) order[ends[Math.floor(numbers[row]! * stretches)]!++] = row;
  for (let i = 0, from = 0; i < stretches; i++) {
    const to = ends[i]!;
    order.subarray(from, to).sort((a, b) => numbers[a]! - numbers[b]! || compareDigests(bytes, a, b) || a - b);
    from = to;
  }
  return order;
}

/** For each row the place, from 0, at which it comes in an order. */
export function placesOf(order: Uint32Array): Uint32Array {
  const places = new Uint32Array(order.length);
  for (const [place, row] of order.entries()) places[row] = place;
  return places;
}

/** Order of two rows by the bytes of their digests. */
export function compareDigests(digests: Buffer, a: number, b: number): number {
  const [from, to] = [a * DIGEST_BYTES, b * DIGEST_BYTES];
  return digests.compare(digests, to, to + DIGEST_BYTES, from, from + DIGEST_BYTES);
}

function numbersOf({ purpose, seed }: SeededRun, digests: Uint8Array, order: Uint32Array | null): Float64Array {
  const key = createHash('sha256').update(`holdout-${purpose}-v1:${seed}`).digest();
  const [high, low] = [key.readUInt32LE(0), key.readUInt32LE(4)];
  const bytes = new DataView(digests.buffer, digests.byteOffset, digests.length);
  const numbers = new Float64Array(digests.length / DIGEST_BYTES);
  const words = new Uint32Array(DIGEST_BYTES / 4 + 1);
  for (let row = 0; row < numbers.length; row++) {
    for (let i = 0; i < 8; i++) words[i] = bytes.getUint32(row * DIGEST_BYTES + i * 4, true);
    words[8] = order === null ? 0 : order[row]!;
    numbers[row] = (murmur3(words, high) * 2 ** 16 + (murmur3(words, low) >>> 16)) / numbersMax;
  }
  return numbers;
}

/** MurmurHash3_x86_32 of whole words in little-endian order. */
export function murmur3(words: Uint32Array, seed: number): number {
  let hash = seed;
  for (let i = 0; i < words.length; i++) {
    let word = Math.imul(words[i]!, 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= words.length * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Whole numbers from 0 to below 2^32, one after the other. */
export type SeededStream = () => number;

/**
 * Chance for one row: a stream of numbers by purpose, seed, the row's digest and further numbers. The generator is sfc32
 * (C. Doty-Humphrey, PractRand); its four words of state are MurmurHash3 of the digest and the further numbers under
 * four seeds out of SHA-256 over purpose and seed.
 */
export function seededStreams({
  purpose,
  seed,
}: SeededRun): (digests: Uint8Array, row: number, ...more: readonly number[]) => SeededStream {
  const key = createHash('sha256').update(`holdout-${purpose}-v1:${seed}`).digest();
  return (digests, row, ...more) => {
    const bytes = new DataView(digests.buffer, digests.byteOffset + row * DIGEST_BYTES, DIGEST_BYTES);
    const words = new Uint32Array(8 + more.length);
    for (let i = 0; i < 8; i++) words[i] = bytes.getUint32(i * 4, true);
    words.set(more, 8);
    let [a, b, c, counter] = [0, 4, 8, 12].map((at) => murmur3(words, key.readUInt32LE(at)) | 0) as [
      number,
      number,
      number,
      number,
    ];
    return () => {
      const sum = (((a + b) | 0) + counter) | 0;
      counter = (counter + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = ((c << 21) | (c >>> 11)) + sum;
      c |= 0;
      return sum >>> 0;
    };
  };
}
