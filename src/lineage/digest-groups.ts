/**
 * Which rows are equal, by their digests: one pass over a table of open addresses, no text and no objects per row.
 * @module
 */
import { DigestSlots } from '../merkle/digest-slots.ts';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';

/** For each row the first row of the same digest; itself where it is the first. */
export function firstOfEqual(digests: Uint8Array): Uint32Array {
  const slots = new DigestSlots(digests);
  const first = new Uint32Array(digests.length / DIGEST_BYTES);
  for (let row = 0; row < first.length; row++) {
    const slot = slots.find(digests, row);
    const taken = slots.taken[slot]!;
    if (taken === 0) slots.taken[slot] = row + 1;
    first[row] = taken === 0 ? row : taken - 1;
  }
  return first;
}

/** For each row how many equal rows stand before it: 0 for the first. */
export function occurrences(digests: Uint8Array): Uint32Array {
  const first = firstOfEqual(digests);
  const seen = new Uint32Array(first.length);
  return first.map((of) => seen[of]!++);
}
