/**
 * Two lists of row digests as multisets: which rows only one of them has.
 * @module
 */
import { DigestSlots } from '../merkle/digest-slots.ts';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';
import { readDigests } from '../tables/digest-file.ts';
import type { DigestFile } from '../tables/digest-file.ts';

/** Positions of the rows without an equal in the other table, ascending. */
export interface RowDifference {
  readonly removed: Uint32Array;
  readonly added: Uint32Array;
  /** Rows that both have. */
  readonly shared: number;
  /** Whether the shared rows stand in the same order in both. */
  readonly sameOrder: boolean;
}

/** Pairs equal rows, the first with the first. Takes about 60 bytes a row of `before`. */
export async function differenceOf(before: DigestFile, after: DigestFile): Promise<RowDifference> {
  const digests = Buffer.alloc(before.rows * DIGEST_BYTES);
  await readDigests(before, 0, before.rows, (bytes, offset) => digests.set(bytes, offset * DIGEST_BYTES));
  const slots = new DigestSlots(digests);
  const next = new Int32Array(before.rows).fill(-1);
  /** Of the first row of a digest: the next of its equals that has no partner, or −1. */
  const waiting = new Int32Array(before.rows);
  const tail = new Int32Array(before.rows);
  for (let row = 0; row < before.rows; row++) {
    const slot = slots.find(digests, row);
    const first = slots.taken[slot]! - 1;
    if (first < 0) {
      slots.taken[slot] = row + 1;
      tail[row] = waiting[row] = row;
    } else {
      next[tail[first]!] = row;
      tail[first] = row;
    }
  }
  const paired = new Uint8Array(before.rows);
  const isShared = new Uint8Array(after.rows);
  let sameOrder = true;
  let last = -1;
  await readDigests(after, 0, after.rows, (bytes, offset) => {
    for (let row = 0; row < bytes.length / DIGEST_BYTES; row++) {
      const first = slots.taken[slots.find(bytes, row)]! - 1;
      const partner = first < 0 ? -1 : waiting[first]!;
      if (partner < 0) continue;
      waiting[first] = next[partner]!;
      isShared[offset + row] = 1;
      paired[partner] = 1;
      if (partner < last) sameOrder = false;
      last = partner;
    }
  });
  const [removed, added] = [rowsWithout(paired), rowsWithout(isShared)];
  return { removed, added, shared: after.rows - added.length, sameOrder };
}

/** Numbers of the rows whose mark is 0, ascending. */
function rowsWithout(marks: Uint8Array): Uint32Array {
  const rows = new Uint32Array(marks.reduce((sum, mark) => sum + (mark === 0 ? 1 : 0), 0));
  let count = 0;
  for (let row = 0; row < marks.length; row++) if (marks[row] === 0) rows[count++] = row;
  return rows;
}
