/**
 * Row digests in the order of a table, out of the sidecars that hold them.
 * @module
 */
import { readDigests } from './digest-file.ts';
import type { DigestFile } from './digest-file.ts';
import { forEachPartRun, partStarts, rowsOfPart } from './layout.ts';
import type { RowMap } from './layout.ts';

const digestBytes = 32;
/** Rows of a sidecar that are held at once, 128 MiB of them. */
const slabRowsMax = 1 << 22;
/** Up to this many runs of rows are read by themselves. */
const runsMax = 1024;

/**
 * 32 bytes for each row of the map; `files` are the sidecars of its parts, in their order.
 * @throws HoldoutError `STORE_CORRUPT` when a sidecar is too short
 */
export async function gatherDigests(map: RowMap, files: readonly DigestFile[]): Promise<Uint8Array> {
  const gathered = new Uint8Array(map.rows * digestBytes);
  const runs = fewRuns(map);
  if (runs !== null) {
    for (const { part, from, rows, position } of runs) {
      await readDigests(files[part]!, from, rows, (digests, offset) =>
        gathered.set(digests, (position + offset) * digestBytes),
      );
    }
    return gathered;
  }
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

interface DigestRun {
  readonly part: number;
  readonly from: number;
  readonly rows: number;
  readonly position: number;
}

/** The runs of a map, or null where they are many: then each file is read once. */
function fewRuns(map: RowMap): readonly DigestRun[] | null {
  // A piece of another kind than a range is many runs.
  if (map.pieces.some(({ kind }) => kind !== 'range')) return null;
  const runs: DigestRun[] = [];
  forEachPartRun(map, partStarts(map.parts), (part, from, rows, position) => {
    runs.push({ part, from, rows, position });
  });
  return runs.length <= runsMax ? runs : null;
}
