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

/** Rows that are sorted at once; a larger table is worked through in as many passes as it takes. */
const windowRowsMax = 1 << 21;

/**
 * The tree of a multiset of row digests, 32 bytes each, in any order. Beside its input it holds 12 bytes a row.
 * @throws RangeError when they are no whole number of digests.
 */
export function setTree(digests: Uint8Array): TreeRoot {
  checkDigests(digests);
  return { rows: digests.length / DIGEST_BYTES, root: rootOf(setPart(digests, 0), 0) };
}

/**
 * The same tree of digests that are read rather than held: memory does not grow with the rows, unless very many of
 * them are equal. `read` shows all digests to its argument and is called once for each stretch of the trie.
 * @param windowRows rows that are held at once, about
 * @throws RangeError when other rows are shown than `rows` says, and as `read` does
 */
export async function setTreeOf(
  rows: number,
  read: (visit: (digests: Uint8Array) => void) => Promise<void>,
  windowRows: number = windowRowsMax,
): Promise<TreeRoot> {
  const bits = Math.min(16, Math.ceil(Math.log2(Math.max(1, rows / windowRows))));
  const parts: SetPart[] = [];
  let total = 0;
  for (let stretch = 0; stretch < 2 ** bits; stretch++) {
    const gathered = await gatherStretch(read, bits, stretch, Math.ceil((rows / 2 ** bits) * 1.1) + 64);
    total += gathered.length / DIGEST_BYTES;
    parts.push(setPart(gathered, bits));
  }
  if (total !== rows) throw new RangeError(`expected ${rows} digests, got ${total}`);
  for (let depth = bits - 1; depth >= 0; depth--) {
    for (let at = 0; at < 2 ** depth; at++) parts[at] = joinParts(parts[at * 2]!, parts[at * 2 + 1]!, depth);
  }
  return { rows, root: rootOf(parts[0]!, 0) };
}

/** The digests whose first `bits` bits are `stretch`. */
async function gatherStretch(
  read: (visit: (digests: Uint8Array) => void) => Promise<void>,
  bits: number,
  stretch: number,
  rowsExpected: number,
): Promise<Uint8Array> {
  let gathered = new Uint8Array(rowsExpected * DIGEST_BYTES);
  let filled = 0;
  await read((digests) => {
    checkDigests(digests);
    if (filled + digests.length > gathered.length) {
      // Few of them belong here, unless equal rows crowd one stretch.
      const needed = filled + countStretch(digests, bits, stretch) * DIGEST_BYTES;
      if (needed > gathered.length) {
        const larger = new Uint8Array(Math.max(needed, gathered.length * 2));
        larger.set(gathered.subarray(0, filled));
        gathered = larger;
      }
    }
    for (let at = 0; at < digests.length; at += DIGEST_BYTES) {
      if (bits > 0 && leadingBits(digests, at, bits) !== stretch) continue;
      for (let i = 0; i < DIGEST_BYTES; i++) gathered[filled + i] = digests[at + i]!;
      filled += DIGEST_BYTES;
    }
  });
  return gathered.subarray(0, filled);
}

function countStretch(digests: Uint8Array, bits: number, stretch: number): number {
  let count = 0;
  for (let at = 0; at < digests.length; at += DIGEST_BYTES) if (leadingBits(digests, at, bits) === stretch) count++;
  return count;
}

/** The first bits (at most 16) of the digest at a byte. */
function leadingBits(digests: Uint8Array, at: number, bits: number): number {
  return ((digests[at]! << 8) | digests[at + 1]!) >>> (16 - bits);
}

/** All digests under one prefix: few enough for a leaf, whose place is not known yet, or the root of a subtree. */
type SetPart = { readonly entries: Uint8Array } | { readonly root: Uint8Array };

/** A digest and its multiplicity. */
const ENTRY_BYTES = DIGEST_BYTES + 8;

function rootOf(part: SetPart, depth: number): Uint8Array {
  if ('root' in part) return part.root;
  return createHash('sha256').update(prefix(2, depth)).update(part.entries).digest();
}

/** What stands under a prefix of `depth` bits, from its two halves. */
function joinParts(left: SetPart, right: SetPart, depth: number): SetPart {
  if ('entries' in left && 'entries' in right) {
    const entries = Buffer.concat([left.entries, right.entries]);
    if (entries.length <= LEAF_DIGESTS_MAX * ENTRY_BYTES) return { entries };
  }
  return { root: hashSetNode(rootOf(left, depth + 1), rootOf(right, depth + 1), depth) };
}

/** The part that these digests make, all of which share their first `depth` bits. */
function setPart(digests: Uint8Array, depth: number): SetPart {
  const order = sortedOrder(digests, depth);
  // Distinct digests are gathered at the front of `order`.
  const multiplicities = new Uint32Array(order.length);
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
  const set: SortedSet = { digests, order, multiplicities };
  if (distinct <= LEAF_DIGESTS_MAX) return { entries: entriesOf(set, 0, distinct) };
  return { root: subtree(set, 0, distinct, depth) };
}

interface SortedSet {
  readonly digests: Uint8Array;
  /** Rows in the order of their digests, one for each distinct digest. */
  readonly order: Uint32Array;
  readonly multiplicities: Uint32Array;
}

/** Root of the distinct digests from `start` to `end`, which share their first `depth` bits. */
function subtree(set: SortedSet, start: number, end: number, depth: number): Uint8Array {
  if (end - start <= LEAF_DIGESTS_MAX) return rootOf({ entries: entriesOf(set, start, end) }, depth);
  const middle = firstWithBit(set, start, end, depth);
  const left = subtree(set, start, middle, depth + 1);
  const right = subtree(set, middle, end, depth + 1);
  return hashSetNode(left, right, depth);
}

/** SHA-256(0x03 ‖ depth ‖ left ‖ right). */
function hashSetNode(left: Uint8Array, right: Uint8Array, depth: number): Uint8Array {
  return createHash('sha256').update(prefix(3, depth)).update(left).update(right).digest();
}

/** What a leaf hashes behind its prefix SHA-256(0x02 ‖ depth ‖ …): digest ‖ multiplicity, for each digest. */
function entriesOf({ digests, order, multiplicities }: SortedSet, start: number, end: number): Buffer {
  const bytes = Buffer.alloc((end - start) * ENTRY_BYTES);
  for (let i = start; i < end; i++) {
    const from = (order[i] ?? 0) * DIGEST_BYTES;
    const at = (i - start) * ENTRY_BYTES;
    bytes.set(digests.subarray(from, from + DIGEST_BYTES), at);
    // The upper half of the count stays zero: rows are numbered in 32 bits.
    bytes.writeUInt32BE(multiplicities[i] ?? 0, at + DIGEST_BYTES + 4);
  }
  return bytes;
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

/**
 * Row numbers in the order of their digests, which share their first `depth` bits: a counting sort by the next ones,
 * then each bucket by itself.
 */
function sortedOrder(digests: Uint8Array, depth: number): Uint32Array<ArrayBuffer> {
  const rows = digests.length / DIGEST_BYTES;
  // About one digest a bucket, as digests are spread evenly.
  const bits = Math.min(24, 32 - depth, Math.max(1, Math.ceil(Math.log2(rows + 1))));
  const shift = 32 - bits;
  const ends = new Uint32Array(2 ** bits);
  for (let row = 0; row < rows; row++) {
    const bucket = (leadingWord(digests, row) << depth) >>> shift;
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
    const bucket = (leadingWord(digests, row) << depth) >>> shift;
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
