/**
 * Whether the rows of a table are strewn over its parts, so that reading it block by block would unpack the same row
 * groups again and again.
 * @module
 */
import { forEachPartRun, partOfAddress, partStarts } from './layout.ts';
import type { RowMap } from './layout.ts';
import type { RowFile } from './row-file.ts';

/** More passes than this cost more than to write the rows out in order once. */
const passesMax = 3;

/**
 * Whether blocks of about so many bytes and rows would unpack row groups more than three times on average. `groups` are
 * the starts of each file's row groups.
 */
export function isScattered(
  layout: RowMap,
  files: readonly RowFile[],
  groups: readonly (readonly number[])[],
  { bytesMax, rowsMax = Infinity }: { readonly bytesMax: number; readonly rowsMax?: number },
): boolean {
  const starts = partStarts(layout.parts);
  /** For each row group the last block that needed it, counted from 1. */
  const lastBlock = groups.map((of) => new Uint32Array(of.length));
  let block = 1;
  let size = 0;
  let taken = 0;
  let read = 0;
  let once = 0;
  forEachPartRun(layout, starts, (file, from, rows) => {
    const own = groups[file]!;
    const last = lastBlock[file]!;
    const rowBytes = files[file]!.logicalBytes / files[file]!.rows;
    for (let group = partOfAddress(own, from), at = from; at < from + rows; group++) {
      const end = Math.min(from + rows, own[group + 1]!);
      if (last[group] !== block) {
        const unpacked = own[group + 1]! - own[group]!;
        read += unpacked;
        if (last[group] === 0) once += unpacked;
        last[group] = block;
      }
      size += (end - at) * rowBytes;
      taken += end - at;
      at = end;
      if (size >= bytesMax || taken >= rowsMax) {
        block++;
        size = taken = 0;
      }
    }
  });
  return read > once * passesMax;
}
