/**
 * The 256 random words of the rolling hash, derived from a fixed string so that anybody can make them again:
 * SHA-256 of `holdout-gear-v1:` and one byte k, for k = 0 … 31, read as big-endian 32-bit words. Frozen: another
 * table would cut everywhere else.
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';

/** Makes the gear table. */
export function gearTable(): Uint32Array {
  const prefix = new TextEncoder().encode('holdout-gear-v1:');
  const table = new Uint32Array(256);
  for (let k = 0; k < 32; k += 1) {
    const digest = sha256(Uint8Array.of(...prefix, k));
    const words = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
    for (let i = 0; i < 8; i += 1) table[k * 8 + i] = words.getUint32(i * 4);
  }
  return table;
}
