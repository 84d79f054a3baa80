/**
 * Chance that can be repeated: a number for each row out of SHA-256 over what it is for, a seed, the row's digest and
 * which of equal rows it is. A row keeps its number when others come or go, so that a sample is stable under appends.
 * @module
 */
import { createHash } from 'node:crypto';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';
import { occurrences } from './digest-groups.ts';

/** Numbers are the first 48 bits of a hash. */
const numbersMax = 2 ** 48;

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

/** Rows in the order of their numbers; of equal numbers by row digest, then by position. */
export function orderByNumbers(numbers: Float64Array, digests: Uint8Array): Uint32Array {
  const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
  const order = Uint32Array.from(numbers, (_, row) => row);
  return order.sort((a, b) => numbers[a]! - numbers[b]! || compareDigests(bytes, a, b) || a - b);
}

/** Order of two rows by the bytes of their digests. */
export function compareDigests(digests: Buffer, a: number, b: number): number {
  const [from, to] = [a * DIGEST_BYTES, b * DIGEST_BYTES];
  return digests.compare(digests, to, to + DIGEST_BYTES, from, from + DIGEST_BYTES);
}

function numbersOf({ purpose, seed }: SeededRun, digests: Uint8Array, order: Uint32Array | null): Float64Array {
  const head = Buffer.from(`holdout-${purpose}-v1:`);
  const message = Buffer.alloc(head.length + 8 + DIGEST_BYTES + 4);
  message.set(head);
  message.writeBigInt64BE(BigInt(seed), head.length);
  const at = head.length + 8;
  const numbers = new Float64Array(digests.length / DIGEST_BYTES);
  for (let row = 0; row < numbers.length; row++) {
    message.set(digests.subarray(row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES), at);
    message.writeUInt32BE(order === null ? 0 : order[row]!, at + DIGEST_BYTES);
    numbers[row] = createHash('sha256').update(message).digest().readUIntBE(0, 6) / numbersMax;
  }
  return numbers;
}
