/**
 * Row digests in the order of a table, out of the sidecars that hold them.
 * @module
 */
import { readDigests } from './digest-file.ts';
import type { DigestFile } from './digest-file.ts';
import { rowsOfPart } from './layout.ts';
import type { RowMap } from './layout.ts';

const digestBytes = 32;
/** Rows of a sidecar that are held at once, 128 MiB of them. */
const slabRowsMax = 1 << 22;

/**
 * 32 bytes for each row of the map; `files` are the sidecars of its parts, in their order.
 * @throws HoldoutError `STORE_CORRUPT` when a sidecar is too short
 */
export async function gatherDigests(map: RowMap, files: readonly DigestFile[]): Promise<Uint8Array> {
  const gathered = new Uint8Array(map.rows * digestBytes);
  for (const [index, { rows, positions }] of rowsOfPart(map).entries()) {
    const file = files[index]!;
    for (let first = 0; first < file.rows; first += slabRowsMax) {
      const count = Math.min(slabRowsMax, file.rows - first);
      const slab = new Uint8Array(count * digestBytes);
      await readDigests(file, first, count, (digests, offset) => slab.set(digests, offset * digestBytes));
      for (let i = 0; i < rows.length; i++) {
        const at = rows[i]! - first;
        if (at < 0 || at >= count) continue;
        let length = 1;
        while (
          i + length < rows.length &&
          at + length < count &&
          rows[i + length] === rows[i]! + length &&
          positions[i + length] === positions[i]! + length
        )
          length++;
        gathered.set(slab.subarray(at * digestBytes, (at + length) * digestBytes), positions[i]! * digestBytes);
        i += length - 1;
      }
    }
  }
  return gathered;
}
