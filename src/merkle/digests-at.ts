/**
 * Row digests by their numbers.
 * @module
 */
import { DIGEST_BYTES } from './table-tree.ts';

const digestWords = DIGEST_BYTES / Uint32Array.BYTES_PER_ELEMENT;

/** The digests of these rows, in this order. @throws RangeError for a row that is not there. */
export function digestsAt(digests: Uint8Array, rows: Uint32Array): Uint8Array<ArrayBuffer> {
  const count = digests.length / DIGEST_BYTES;
  const from = wordsOf(digests);
  const gathered = new Uint32Array(rows.length * digestWords);
  let at = 0;
  for (const row of rows) {
    if (row >= count) throw new RangeError(`row ${row} of ${count} digests`);
    const start = row * digestWords;
    for (let word = 0; word < digestWords; word++) gathered[at + word] = from[start + word]!;
    at += digestWords;
  }
  return new Uint8Array(gathered.buffer);
}

/** The same bytes as words of the machine: eight copies a digest, where bytes would take 32. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % Uint32Array.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / Uint32Array.BYTES_PER_ELEMENT);
}
