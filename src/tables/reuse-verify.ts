/**
 * Equal digests mean equal values, not equal spelling. Where a table must give its file's bytes back, a borrowed line
 * counts only if it is the file's line, byte for byte.
 * @module
 */
import type { LineBlock } from './line-blocks.ts';
import { rawLines } from './raw-lines.ts';
import { runsWithin } from './row-runs.ts';
import type { RowRun } from './row-runs.ts';

/**
 * Compares the rows `runs` (counted in the file) of a JSON Lines file with stored lines that come in the same order;
 * calls `differs` for each row whose line is another.
 */
export async function compareLines(
  path: string,
  runs: readonly RowRun[],
  stored: AsyncIterable<LineBlock>,
  differs: (row: number) => void,
): Promise<void> {
  const blocks = stored[Symbol.asyncIterator]();
  let block: Buffer = Buffer.alloc(0);
  try {
    for await (const { firstRow, rows, bytes, offsets } of rawLines(path)) {
      for (const [first, count] of runsWithin(runs, firstRow, rows)) {
        const end = first - firstRow + count;
        for (let row = first - firstRow; row < end;) {
          if (block.length === 0) block = await nextBlock(blocks);
          const text = bytes.subarray(offsets[row], offsets[end]);
          const length = Math.min(text.length, block.length);
          // Both sides consist of whole lines, so that what is equal up to the end of either is whole lines, too.
          if (block.compare(text, 0, length, 0, length) === 0) {
            row = rowAt(offsets, offsets[row]! + length, row, end);
            block = block.subarray(length);
          } else {
            const storedEnd = block.indexOf(10) + 1;
            const line = bytes.subarray(offsets[row], offsets[row + 1]);
            if (block.compare(line, 0, line.length, 0, storedEnd) !== 0) differs(firstRow + row);
            block = block.subarray(storedEnd);
            row++;
          }
        }
      }
    }
  } finally {
    await blocks.return?.();
  }
}

async function nextBlock(blocks: AsyncIterator<LineBlock>): Promise<Buffer> {
  const next = await blocks.next();
  if (next.done === true) throw new Error('fewer stored lines than rows to compare');
  const { buffer, byteOffset, byteLength } = next.value.bytes;
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** The row that begins at `offset`. */
function rowAt(offsets: Uint32Array, offset: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
