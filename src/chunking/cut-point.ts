/**
 * Where content-defined chunks end (docs/STORE.md, "Chunks"). A chunk ends at the first place, at least `chunkBytesMin`
 * in, where the rolling hash of the 32 bytes before it is under a threshold; at the latest at `chunkBytesMax`. The
 * decision looks at those 32 bytes alone, so an edit moves cuts only until the next place that cut before.
 *
 * The rule "minimum of half the mean, then a constant rate" rewrites little per edit and resynchronises at once;
 * forced cuts, which resynchronise nothing, are 0.1 % of all on random bytes: e^-((256 - 32) / 32).
 * @module
 */
import { gearTable } from './gear-table.ts';

export const chunkBytesMin = 32 * 1024;
/** Mean size on random bytes: the minimum, and as much again until a hash is under the threshold. */
const chunkBytesMean = 64 * 1024;
export const chunkBytesMax = 256 * 1024;

/** A shift of 32 pushes a byte out of the hash, so this many bytes before a place decide it. */
const windowBytes = 32;
/** One hash in 32 Ki is under this: its high 15 bits, which all bytes of the window reach, are zero. */
const cutBelow = 2 ** 32 / (chunkBytesMean - chunkBytesMin);

let gear: Uint32Array | undefined;

/** Length of the chunk that begins at `start`. Without `chunkBytesMax` bytes from there, `end` must be the input's end. */
export function chunkLength(bytes: Uint8Array, start: number, end: number): number {
  const available = end - start;
  if (available <= chunkBytesMin) return available;
  gear ??= gearTable();
  const limit = start + Math.min(available, chunkBytesMax);
  return findCut(bytes, gear, start + chunkBytesMin, limit) - start;
}

// The hot loop. Hashing starts one window before the first place that may be a cut.
function findCut(bytes: Uint8Array, table: Uint32Array, first: number, limit: number): number {
  let hash = 0;
  for (let i = first - windowBytes; i < first; i += 1) hash = ((hash << 1) + table[bytes[i]!]!) | 0;
  for (let i = first; i < limit; i += 1) {
    if (hash >>> 0 < cutBelow) return i;
    hash = ((hash << 1) + table[bytes[i]!]!) | 0;
  }
  return limit;
}
