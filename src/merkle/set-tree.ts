/**
 * The order-free tree of a table: a trie over the bits of the distinct row digests, each with its multiplicity. A
 * digest's place depends on its own bits alone, so that absence can be proved whoever built the tree.
 * docs/FORMAT.md, "Set root".
 * @module
 */
import { createHash } from 'node:crypto';
import { checkDigests, DIGEST_BYTES, type TreeRoot } from './table-tree.ts';

/** Distinct digests under one prefix that still share a leaf. */
const LEAF_DIGESTS_MAX = 64;

/**
 * The tree of a multiset of row digests, 32 bytes each, in any order. Beside its input it holds 12 bytes a row.
 * @throws RangeError when they are no whole number of digests.
 */
export function setTree(digests: Uint8Array): TreeRoot {
  checkDigests(digests);
  const rows = digests.length / DIGEST_BYTES;
  const order = sortedOrder(digests);
  // Distinct digests are gathered at the front of `order`.
  const multiplicities = new Uint32Array(rows);
  let distinct = 0;
  for (const row of order) {
    const last = order[distinct - 1];
    if (distinct > 0 && last !== undefined && compareRows(digests, last, row) === 0) {
      multiplicities[distinct - 1] = (multiplicities[distinct - 1] ?? 0) + 1;
    } else {
      order[distinct] = row;
      multiplicities[distinct] = 1;
      distinct++;
    }
  }
  return { rows, root: subtree({ digests, order, multiplicities }, 0, distinct, 0) };
}

interface SortedSet {
  readonly digests: Uint8Array;
  /** Rows in the order of their digests, one for each distinct digest. */
  readonly order: Uint32Array;
  readonly multiplicities: Uint32Array;
}

/** Root of the distinct digests from `start` to `end`, which share their first `depth` bits. */
function subtree(set: SortedSet, start: number, end: number, depth: number): Uint8Array {
  if (end - start <= LEAF_DIGESTS_MAX) return hashSetLeaf(set, start, end, depth);
  const middle = firstWithBit(set, start, end, depth);
  const left = subtree(set, start, middle, depth + 1);
  const right = subtree(set, middle, end, depth + 1);
  return createHash('sha256').update(prefix(3, depth)).update(left).update(right).digest();
}

/** SHA-256(0x02 ‖ depth ‖ (digest ‖ multiplicity)…). */
function hashSetLeaf({ digests, order, multiplicities }: SortedSet, start: number, end: number, depth: number): Buffer {
  const entry = DIGEST_BYTES + 8;
  const bytes = Buffer.alloc((end - start) * entry);
  for (let i = start; i < end; i++) {
    const from = (order[i] ?? 0) * DIGEST_BYTES;
    const at = (i - start) * entry;
    bytes.set(digests.subarray(from, from + DIGEST_BYTES), at);
    // The upper half of the count stays zero: rows are numbered in 32 bits.
    bytes.writeUInt32BE(multiplicities[i] ?? 0, at + DIGEST_BYTES + 4);
  }
  return createHash('sha256').update(prefix(2, depth)).update(bytes).digest();
}

function prefix(kind: number, depth: number): Uint8Array {
  return Uint8Array.of(kind, depth >> 8, depth & 0xff);
}

/** The first place from `start` to `end` whose digest has the bit at `depth` set. */
function firstWithBit({ digests, order }: SortedSet, start: number, end: number, depth: number): number {
  const mask = 0x80 >> (depth & 7);
  let low = start;
  let high = end;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const byte = digests[(order[middle] ?? 0) * DIGEST_BYTES + (depth >> 3)] ?? 0;
    if ((byte & mask) === 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Row numbers in the order of their digests: a counting sort by leading bits, then each bucket by itself. */
function sortedOrder(digests: Uint8Array): Uint32Array<ArrayBuffer> {
  const rows = digests.length / DIGEST_BYTES;
  // About one digest a bucket, as digests are spread evenly.
  const bits = Math.min(24, Math.max(1, Math.ceil(Math.log2(rows + 1))));
  const shift = 32 - bits;
  const ends = new Uint32Array(2 ** bits);
  for (let row = 0; row < rows; row++) {
    const bucket = leadingWord(digests, row) >>> shift;
    ends[bucket] = (ends[bucket] ?? 0) + 1;
  }
  let sum = 0;
  for (let bucket = 0; bucket < ends.length; bucket++) {
    const size = ends[bucket] ?? 0;
    ends[bucket] = sum;
    sum += size;
  }
  const order = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    const bucket = leadingWord(digests, row) >>> shift;
    const place = ends[bucket] ?? 0;
    order[place] = row;
    ends[bucket] = place + 1;
  }
  // Every start has moved to its bucket's end.
  let start = 0;
  for (const end of ends) {
    if (end - start > 1) sortBucket(digests, order, start, end);
    start = end;
  }
  return order;
}

/** Insertion where a bucket is small; a bucket that many equal rows filled gets a sort that stays n·log n. */
function sortBucket(digests: Uint8Array, order: Uint32Array, start: number, end: number): void {
  if (end - start > 24) {
    order.subarray(start, end).sort((a, b) => compareRows(digests, a, b));
    return;
  }
  for (let i = start + 1; i < end; i++) {
    const row = order[i] ?? 0;
    let at = i;
    for (; at > start; at--) {
      const before = order[at - 1] ?? 0;
      if (compareRows(digests, before, row) <= 0) break;
      order[at] = before;
    }
    order[at] = row;
  }
}

function leadingWord(digests: Uint8Array, row: number): number {
  const at = row * DIGEST_BYTES;
  return (
    (((digests[at] ?? 0) << 24) |
      ((digests[at + 1] ?? 0) << 16) |
      ((digests[at + 2] ?? 0) << 8) |
      (digests[at + 3] ?? 0)) >>>
    0
  );
}

function compareRows(digests: Uint8Array, a: number, b: number): number {
  const x = a * DIGEST_BYTES;
  const y = b * DIGEST_BYTES;
  for (let i = 0; i < DIGEST_BYTES; i++) {
    const difference = (digests[x + i] ?? 0) - (digests[y + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
