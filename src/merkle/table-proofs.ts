/**
 * Proofs over a table's ordered tree: that a row stands in it, and that a later table is an earlier one plus rows.
 * RFC 9162 §2.1.3 and §2.1.4 over leaves of 64 rows; docs/FORMAT.md, "Proofs". Verifiers compare with a table id that
 * the caller has from elsewhere, never with a root that the proof brings along, and answer false to whatever is odd.
 * @module
 */
import type { TableId } from '../../schemas/ids.ts';
import { formatTableId } from '../identity/ids.ts';
import { checkDigests, DIGEST_BYTES, hashLeaf, hashNode, ROWS_PER_LEAF } from './table-tree.ts';

/** That a digest stands at a row of a table. */
export interface InclusionProof {
  /** Rows of the table. */
  readonly rows: number;
  /** Zero-based row. */
  readonly row: number;
  /** The digests of the leaf in which the row stands, its own among them. */
  readonly leaf: Uint8Array;
  /** Siblings from the leaf up. */
  readonly path: readonly Uint8Array[];
}

/** That the first rows of one table are all the rows of another. */
export interface ConsistencyProof {
  readonly firstRows: number;
  readonly firstRoot: Uint8Array;
  readonly secondRows: number;
  readonly secondRoot: Uint8Array;
  /** The digests of the first table's last leaf if it is not full. */
  readonly tail: Uint8Array;
  /** The digests that stand after them in the same leaf of the second table. */
  readonly following: Uint8Array;
  /** With a tail, the siblings of its leaf in the second tree; else the nodes of RFC 9162 §2.1.4.1. */
  readonly path: readonly Uint8Array[];
}

/**
 * Proves that row `row` stands in the table of these digests.
 * @throws RangeError for a row that is not there, or bytes that are no whole number of digests.
 */
export function inclusionProof(digests: Uint8Array, row: number): InclusionProof {
  checkDigests(digests);
  const rows = digests.length / DIGEST_BYTES;
  if (!Number.isSafeInteger(row) || row < 0 || row >= rows) {
    throw new RangeError(`"row" expected 0 to ${rows - 1}, got ${row}`);
  }
  const leaf = Math.floor(row / ROWS_PER_LEAF);
  return { rows, row, leaf: leafDigests(digests, leaf), path: pathOf(leafHashes(digests), leaf) };
}

/** Whether the proof shows that `digest` stands at `proof.row` of the table with this id. */
export function verifyInclusion(table: TableId, digest: Uint8Array, proof: InclusionProof): boolean {
  const { rows, row, leaf, path } = proof;
  if (!isCount(rows) || !isCount(row) || row >= rows || digest.length !== DIGEST_BYTES) return false;
  const leafIndex = Math.floor(row / ROWS_PER_LEAF);
  if (leaf.length !== DIGEST_BYTES * Math.min(ROWS_PER_LEAF, rows - leafIndex * ROWS_PER_LEAF)) return false;
  const at = (row % ROWS_PER_LEAF) * DIGEST_BYTES;
  if (!same(leaf.subarray(at, at + DIGEST_BYTES), digest)) return false;
  const root = rootFromPath(leafIndex, leafCount(rows), hashLeaf(leaf), path);
  return root !== null && formatTableId(rows, root) === table;
}

/**
 * Proves that the first `firstRows` rows of the table of these digests are a table of their own.
 * @throws RangeError when there are not that many rows, or none, or bytes that are no whole number of digests.
 */
export function consistencyProof(digests: Uint8Array, firstRows: number): ConsistencyProof {
  checkDigests(digests);
  const rows = digests.length / DIGEST_BYTES;
  if (!Number.isSafeInteger(firstRows) || firstRows < 1 || firstRows > rows) {
    throw new RangeError(`"firstRows" expected 1 to ${rows}, got ${firstRows}`);
  }
  const full = Math.floor(firstRows / ROWS_PER_LEAF);
  const tailRows = firstRows % ROWS_PER_LEAF;
  const first = digests.subarray(0, firstRows * DIGEST_BYTES);
  const secondLeaves = leafHashes(digests);
  const roots = {
    firstRows,
    firstRoot: rootOf(leafHashes(first)),
    secondRows: rows,
    secondRoot: rootOf(secondLeaves),
  };
  const none = new Uint8Array(0);
  if (firstRows === rows) return { ...roots, tail: none, following: none, path: [] };
  if (tailRows === 0) return { ...roots, tail: none, following: none, path: prefixPath(secondLeaves, full, true) };
  const leaf = leafDigests(digests, full);
  return {
    ...roots,
    tail: leaf.slice(0, tailRows * DIGEST_BYTES),
    following: leaf.slice(tailRows * DIGEST_BYTES),
    path: pathOf(secondLeaves, full),
  };
}

/** Whether the proof shows that the rows of `first` are the first rows of `second`. */
export function verifyConsistency(first: TableId, second: TableId, proof: ConsistencyProof): boolean {
  const { firstRows, firstRoot, secondRows, secondRoot, tail, following, path } = proof;
  if (!isCount(firstRows) || !isCount(secondRows) || firstRows < 1 || firstRows > secondRows) return false;
  if (firstRoot.length !== DIGEST_BYTES || secondRoot.length !== DIGEST_BYTES) return false;
  if (formatTableId(firstRows, firstRoot) !== first || formatTableId(secondRows, secondRoot) !== second) return false;
  const full = Math.floor(firstRows / ROWS_PER_LEAF);
  const tailRows = firstRows % ROWS_PER_LEAF;
  if (firstRows === secondRows) {
    return tail.length + following.length + path.length === 0 && same(firstRoot, secondRoot);
  }
  if (tailRows === 0) {
    if (tail.length + following.length > 0) return false;
    return consistent(full, leafCount(secondRows), firstRoot, secondRoot, path);
  }
  const leafRows = Math.min(ROWS_PER_LEAF, secondRows - full * ROWS_PER_LEAF);
  if (tail.length !== tailRows * DIGEST_BYTES) return false;
  if (following.length !== (leafRows - tailRows) * DIGEST_BYTES) return false;
  const grown = rootFromPath(full, leafCount(secondRows), hashLeaf(Buffer.concat([tail, following])), path);
  if (grown === null || !same(grown, secondRoot)) return false;
  // In the first tree the leaf is the last one: its siblings are those on the left in the second tree, no others.
  const shrunk = rootFromPath(full, full + 1, hashLeaf(tail), leftSiblings(full, leafCount(secondRows), path));
  return shrunk !== null && same(shrunk, firstRoot);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function leafCount(rows: number): number {
  return Math.ceil(rows / ROWS_PER_LEAF);
}

function leafDigests(digests: Uint8Array, leaf: number): Uint8Array {
  return digests.slice(leaf * ROWS_PER_LEAF * DIGEST_BYTES, (leaf + 1) * ROWS_PER_LEAF * DIGEST_BYTES);
}

function leafHashes(digests: Uint8Array): readonly Uint8Array[] {
  const leaves = Math.max(1, leafCount(digests.length / DIGEST_BYTES));
  return Array.from({ length: leaves }, (_, leaf) => hashLeaf(leafDigests(digests, leaf)));
}

/** The largest power of two below `size`. */
function split(size: number): number {
  let left = 1;
  while (left * 2 < size) left *= 2;
  return left;
}

/** MTH of RFC 9162 §2.1.1. */
function rootOf(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (only === undefined) throw new RangeError('a tree has at least one leaf');
  if (leaves.length === 1) return only;
  const left = split(leaves.length);
  return hashNode(rootOf(leaves.slice(0, left)), rootOf(leaves.slice(left)));
}

/** PATH of RFC 9162 §2.1.3.1. */
function pathOf(leaves: readonly Uint8Array[], leaf: number): readonly Uint8Array[] {
  if (leaves.length === 1) return [];
  const left = split(leaves.length);
  return leaf < left
    ? [...pathOf(leaves.slice(0, left), leaf), rootOf(leaves.slice(left))]
    : [...pathOf(leaves.slice(left), leaf - left), rootOf(leaves.slice(0, left))];
}

/** SUBPROOF of RFC 9162 §2.1.4.1; `whole` while the first tree is one that the verifier knows. */
function prefixPath(leaves: readonly Uint8Array[], size: number, whole: boolean): readonly Uint8Array[] {
  if (size === leaves.length) return whole ? [] : [rootOf(leaves)];
  const left = split(leaves.length);
  return size <= left
    ? [...prefixPath(leaves.slice(0, left), size, whole), rootOf(leaves.slice(left))]
    : [...prefixPath(leaves.slice(left), size - left, false), rootOf(leaves.slice(0, left))];
}

/** The path's nodes with the side on which each stands, as RFC 9162 §2.1.3.2 walks them; null if it has a wrong length. */
function sidesOf(
  leaf: number,
  leaves: number,
  path: readonly Uint8Array[],
): readonly (readonly ['left' | 'right', Uint8Array])[] | null {
  const sides: (readonly ['left' | 'right', Uint8Array])[] = [];
  let fn = leaf;
  let sn = leaves - 1;
  for (const node of path) {
    if (sn === 0 || node.length !== DIGEST_BYTES) return null;
    if (fn % 2 === 1 || fn === sn) {
      sides.push(['left', node]);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      sides.push(['right', node]);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 ? sides : null;
}

function rootFromPath(leaf: number, leaves: number, hash: Uint8Array, path: readonly Uint8Array[]): Uint8Array | null {
  const sides = sidesOf(leaf, leaves, path);
  if (sides === null) return null;
  return sides.reduce((root, [side, node]) => (side === 'left' ? hashNode(node, root) : hashNode(root, node)), hash);
}

function leftSiblings(leaf: number, leaves: number, path: readonly Uint8Array[]): readonly Uint8Array[] {
  return (sidesOf(leaf, leaves, path) ?? []).filter(([side]) => side === 'left').map(([, node]) => node);
}

/** RFC 9162 §2.1.4.2, for 0 < first < second leaves. */
function consistent(
  first: number,
  second: number,
  firstRoot: Uint8Array,
  secondRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (proof.length === 0 || proof.some((node) => node.length !== DIGEST_BYTES)) return false;
  const path = isPowerOfTwo(first) ? [firstRoot, ...proof] : proof;
  let fn = first - 1;
  let sn = second - 1;
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  const [start, ...rest] = path;
  if (start === undefined) return false;
  let fr = start;
  let sr = start;
  for (const node of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      fr = hashNode(node, fr);
      sr = hashNode(node, sr);
      while (fn % 2 === 0 && fn !== 0) {
        fn = Math.floor(fn / 2);
        sn = Math.floor(sn / 2);
      }
    } else {
      sr = hashNode(sr, node);
    }
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  }
  return sn === 0 && same(fr, firstRoot) && same(sr, secondRoot);
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}
