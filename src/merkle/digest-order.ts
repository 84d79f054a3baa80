/**
 * Rows in the order of their digests: by counting, as digests are spread evenly, then by comparing the few that are left
 * together.
 * @module
 */
import { DIGEST_BYTES } from './table-tree.ts';

/**
 * Row numbers in the order of their digests, which share their first `depth` bits: a counting sort by the next ones,
 * then each bucket by itself.
 */
export function sortedOrder(digests: Uint8Array, depth = 0): Uint32Array<ArrayBuffer> {
  const rows = digests.length / DIGEST_BYTES;
  // About one digest a bucket, as digests are spread evenly.
  const bits = Math.min(24, 32 - depth, Math.max(1, Math.ceil(Math.log2(rows + 1))));
  const { order, ends } = dealtOrder(digests, depth, bits);
  let start = 0;
  for (const end of ends) {
    if (end - start > 1) sortBucket(digests, order, start, end);
    start = end;
  }
  return order;
}

/** Row numbers by the `bits` bits of their digests behind the first `depth`, and where the rows of each value end. */
export function dealtOrder(
  digests: Uint8Array,
  depth: number,
  bits: number,
): { readonly order: Uint32Array<ArrayBuffer>; readonly ends: Uint32Array } {
  const rows = digests.length / DIGEST_BYTES;
  const view = new DataView(digests.buffer, digests.byteOffset, digests.byteLength);
  const shift = 32 - bits;
  const ends = new Uint32Array(2 ** bits);
  for (let row = 0; row < rows; row++) {
    const bucket = (view.getUint32(row * DIGEST_BYTES) << depth) >>> shift;
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
    const bucket = (view.getUint32(row * DIGEST_BYTES) << depth) >>> shift;
    const place = ends[bucket] ?? 0;
    order[place] = row;
    ends[bucket] = place + 1;
  }
  // Every start has moved to its bucket's end.
  return { order, ends };
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

/** Order of two rows by the bytes of their digests. */
export function compareRows(digests: Uint8Array, a: number, b: number): number {
  const x = a * DIGEST_BYTES;
  const y = b * DIGEST_BYTES;
  for (let i = 0; i < DIGEST_BYTES; i++) {
    const difference = (digests[x + i] ?? 0) - (digests[y + i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
