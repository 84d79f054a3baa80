/**
 * Which rows are equal, by their digests: one pass over a table of open addresses, no text and no objects per row.
 * @module
 */
import { DIGEST_BYTES } from '../merkle/table-tree.ts';

/** For each row the first row of the same digest; itself where it is the first. */
export function firstOfEqual(digests: Uint8Array): Uint32Array {
  const rows = digests.length / DIGEST_BYTES;
  const first = new Uint32Array(rows);
  const slots = new Uint32Array(2 ** Math.ceil(Math.log2(Math.max(2, rows * 2))));
  const mask = slots.length - 1;
  const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
  for (let row = 0; row < rows; row++) {
    const at = row * DIGEST_BYTES;
    // Digests are evenly spread already.
    let slot = bytes.readUInt32LE(at) & mask;
    for (;;) {
      // 0 stands for an empty slot.
      const taken = slots[slot]!;
      if (taken === 0) {
        slots[slot] = row + 1;
        first[row] = row;
        break;
      }
      if (equalAt(bytes, (taken - 1) * DIGEST_BYTES, at)) {
        first[row] = taken - 1;
        break;
      }
      slot = (slot + 1) & mask;
    }
  }
  return first;
}

/** For each row how many equal rows stand before it: 0 for the first. */
export function occurrences(digests: Uint8Array): Uint32Array {
  const first = firstOfEqual(digests);
  const seen = new Uint32Array(first.length);
  return first.map((of) => seen[of]!++);
}

function equalAt(bytes: Buffer, a: number, b: number): boolean {
  return bytes.compare(bytes, a, a + DIGEST_BYTES, b, b + DIGEST_BYTES) === 0;
}
