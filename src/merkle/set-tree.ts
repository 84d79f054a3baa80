/**
 * The order-free tree of a table: a trie over the bits of the distinct row digests, each with its multiplicity. A
 * digest's place depends on its own bits alone, so that absence can be proved whoever built the tree.
 * docs/FORMAT.md, "Set root".
 * @module
 */
import { hash } from 'node:crypto';
import { compareRows, dealtOrder, sortedOrder } from './digest-order.ts';
import { digestsAt } from './digests-at.ts';
import { checkDigests, DIGEST_BYTES, type TreeRoot } from './table-tree.ts';

/** Distinct digests under one prefix that still share a leaf. */
const LEAF_DIGESTS_MAX = 64;

/** Rows that are sorted at once; a larger table is worked through in as many passes as it takes. */
const windowRowsMax = 1 << 21;

/**
 * The tree of a multiset of row digests, 32 bytes each, in any order. Beside its input it holds 4 bytes a row, more
 * where many are equal: at most 40.
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
  return { rows, root: rootOf(joinAll(parts, 0), 0) };
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
  return 'root' in part ? part.root : hashLeaf(part.entries, depth);
}

/** What stands under a prefix of `depth` bits, from the parts below it, a power of two of them. */
function joinAll(parts: readonly SetPart[], depth: number): SetPart {
  let joined = parts;
  while (joined.length > 1) {
    const below = joined;
    const at = depth + Math.log2(below.length) - 1;
    joined = Array.from({ length: below.length / 2 }, (_, i) => joinParts(below[i * 2]!, below[i * 2 + 1]!, at));
  }
  return joined[0]!;
}

/** What stands under a prefix of `depth` bits, from its two halves. */
function joinParts(left: SetPart, right: SetPart, depth: number): SetPart {
  if ('entries' in left && 'entries' in right) {
    const entries = Buffer.concat([left.entries, right.entries]);
    if (entries.length <= LEAF_DIGESTS_MAX * ENTRY_BYTES) return { entries };
  }
  return { root: hashSetNode(rootOf(left, depth + 1), rootOf(right, depth + 1), depth) };
}

/**
 * The part that these digests make, all of which share their first `depth` bits. Many are dealt to stretches first, each
 * copied to one place: the sort of each then stays in the processor's cache.
 */
function setPart(digests: Uint8Array, depth: number): SetPart {
  const rows = digests.length / DIGEST_BYTES;
  if (rows <= sortedRowsMax || depth > dealtBitsMax) return sortedPart(digests, depth);
  const bits = Math.min(stretchBitsMax, Math.ceil(Math.log2(rows / sortedRowsMax)) + 1);
  const { order, ends } = dealtOrder(digests, depth, bits);
  let start = 0;
  // Equal digests stay together however often they are dealt.
  const crowded = ends.some((end, at) => end - (ends[at - 1] ?? 0) > rows / 2);
  if (crowded) return sortedPart(digests, depth);
  const parts: SetPart[] = [];
  for (const end of ends) {
    parts.push(setPart(digestsAt(digests, order.subarray(start, end)), depth + bits));
    start = end;
  }
  return joinAll(parts, depth);
}

/** Digests that are sorted in one place: 64 KiB of them. */
const sortedRowsMax = 2048;
/** Stretches that digests are dealt to at once, as a power of two. */
const stretchBitsMax = 10;
/** Bits by which digests are dealt; what still lies together behind them is sorted. */
const dealtBitsMax = 20;

function sortedPart(digests: Uint8Array, depth: number): SetPart {
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
  hashed.set(prefix(3, depth));
  hashed.set(left, PREFIX_BYTES);
  hashed.set(right, PREFIX_BYTES + DIGEST_BYTES);
  return hash('sha256', hashed.subarray(0, PREFIX_BYTES + 2 * DIGEST_BYTES), 'buffer');
}

/** SHA-256(0x02 ‖ depth ‖ entries): digest ‖ multiplicity, for each digest. */
function hashLeaf(entries: Uint8Array, depth: number): Uint8Array {
  hashed.set(prefix(2, depth));
  hashed.set(entries, PREFIX_BYTES);
  return hash('sha256', hashed.subarray(0, PREFIX_BYTES + entries.length), 'buffer');
}

const PREFIX_BYTES = 3;
/** What is being hashed: a call for a million nodes must not make a million buffers. */
const hashed = new Uint8Array(PREFIX_BYTES + LEAF_DIGESTS_MAX * ENTRY_BYTES);

/** The entries of the distinct digests from `start` to `end`, at most a leaf's. */
function entriesOf({ digests, order, multiplicities }: SortedSet, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array((end - start) * ENTRY_BYTES);
  let at = 0;
  for (let i = start; i < end; i++) {
    const from = (order[i] ?? 0) * DIGEST_BYTES;
    for (let byte = 0; byte < DIGEST_BYTES; byte++) bytes[at + byte] = digests[from + byte] ?? 0;
    at += ENTRY_BYTES;
    // The upper half of the count stays zero: rows are numbered in 32 bits.
    const count = multiplicities[i] ?? 0;
    bytes[at - 4] = count >>> 24;
    bytes[at - 3] = count >>> 16;
    bytes[at - 2] = count >>> 8;
    bytes[at - 1] = count;
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
