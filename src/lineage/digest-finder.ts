/**
 * Looks for a few digests among those of a table, without a string for each of its rows.
 * @module
 */
import { DIGEST_BYTES } from '../merkle/table-tree.ts';

/** Calls `visit` with each row that has one of these digests (as latin1 text), in order. */
export function eachFound(
  table: Uint8Array,
  digests: ReadonlySet<string>,
  visit: (row: number, digest: string) => void,
): void {
  if (digests.size === 0) return;
  const bytes = Buffer.from(table.buffer, table.byteOffset, table.length);
  // Digests are evenly strewn: their first two bytes tell nearly all others from them.
  const begins = new Uint8Array(1 << 16);
  for (const digest of digests) begins[(digest.charCodeAt(0) << 8) | digest.charCodeAt(1)] = 1;
  for (let at = 0; at < table.length; at += DIGEST_BYTES) {
    if (begins[(table[at]! << 8) | table[at + 1]!] === 0) continue;
    const digest = bytes.toString('latin1', at, at + DIGEST_BYTES);
    if (digests.has(digest)) visit(at / DIGEST_BYTES, digest);
  }
}
