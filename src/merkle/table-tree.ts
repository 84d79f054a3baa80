/**
 * The ordered tree of a table: the Merkle tree of RFC 9162 §2.1 over leaves of 64 consecutive row digests.
 * docs/FORMAT.md, "Table id".
 * @module
 */
import { createHash } from 'node:crypto';

/** Row digests in one leaf; only the last leaf of a table holds fewer. */
export const ROWS_PER_LEAF = 64;
/** Bytes of a digest. */
export const DIGEST_BYTES = 32;

/** A table's tree: how many rows it has, and its root. */
export interface TreeRoot {
  readonly rows: number;
  readonly root: Uint8Array;
}

const LEAF_BYTES = ROWS_PER_LEAF * DIGEST_BYTES;

/** SHA-256(0x00 ‖ row digests): a leaf of 1 to 64 rows, or the empty tree. */
export function hashLeaf(digests: Uint8Array): Uint8Array {
  return createHash('sha256').update(LEAF_PREFIX).update(digests).digest();
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash('sha256').update(NODE_PREFIX).update(left).update(right).digest();
}

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/**
 * Builds a table's root from its row digests in order, in pieces of any number of rows. Holds one leaf and one node
 * per level, whatever the table's size.
 */
export class TableTreeBuilder {
  readonly #pending = new Uint8Array(LEAF_BYTES);
  #pendingBytes = 0;
  #leaves = 0;
  /** Roots of the complete subtrees so far, largest first: one for each bit of `#leaves` that is set. */
  readonly #subtrees: Uint8Array[] = [];
  #finished = false;

  /**
   * Takes the digests of the next rows, 32 bytes each.
   * @throws RangeError when they are no whole number of digests; TypeError after `finish`.
   */
  push(digests: Uint8Array): void {
    if (this.#finished) throw new TypeError('the tree is finished');
    checkDigests(digests);
    let at = 0;
    if (this.#pendingBytes > 0) {
      at = Math.min(LEAF_BYTES - this.#pendingBytes, digests.length);
      this.#pending.set(digests.subarray(0, at), this.#pendingBytes);
      this.#pendingBytes += at;
      if (this.#pendingBytes < LEAF_BYTES) return;
      this.#addLeaf(hashLeaf(this.#pending));
      this.#pendingBytes = 0;
    }
    for (; at + LEAF_BYTES <= digests.length; at += LEAF_BYTES) {
      this.#addLeaf(hashLeaf(digests.subarray(at, at + LEAF_BYTES)));
    }
    this.#pending.set(digests.subarray(at));
    this.#pendingBytes = digests.length - at;
  }

  /** The root of all rows pushed. @throws TypeError when called twice. */
  finish(): TreeRoot {
    if (this.#finished) throw new TypeError('the tree is finished');
    this.#finished = true;
    const rows = this.#leaves * ROWS_PER_LEAF + this.#pendingBytes / DIGEST_BYTES;
    const last = this.#pending.subarray(0, this.#pendingBytes);
    if (this.#pendingBytes > 0 || rows === 0) this.#addLeaf(hashLeaf(last));
    // Complete subtrees fold from the right: each lacks a sibling of its own size.
    const root = this.#subtrees.reduceRight((right, left) => hashNode(left, right));
    return { rows, root };
  }

  #addLeaf(leaf: Uint8Array): void {
    let node = leaf;
    for (let size = this.#leaves; size % 2 === 1; size = (size - 1) / 2) {
      const left = this.#subtrees.pop();
      if (left === undefined) throw new Error('unreachable: every odd count has left a subtree');
      node = hashNode(left, node);
    }
    this.#subtrees.push(node);
    this.#leaves++;
  }
}

/** The tree of a table whose row digests are in memory. @throws RangeError when they are no whole number of digests. */
export function tableTree(digests: Uint8Array): TreeRoot {
  const builder = new TableTreeBuilder();
  builder.push(digests);
  return builder.finish();
}

/** @throws RangeError when the bytes are no whole number of digests. */
export function checkDigests(digests: Uint8Array): void {
  if (digests.length % DIGEST_BYTES !== 0) {
    throw new RangeError(`"digests" expected a multiple of ${DIGEST_BYTES} bytes, got ${digests.length}`);
  }
}
