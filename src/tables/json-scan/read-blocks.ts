/**
 * A file as blocks of whole lines, each at most as large as asked unless one line is longer.
 * @module
 */
import type { FileHandle } from 'node:fs/promises';
import { formatBytes } from '../../size-text.ts';

/** Longest line that is read. */
export const LINE_BYTES_MAX = 256 << 20;

/** The line that begins behind the blocks handed out so far is too long. */
export class LineTooLong extends Error {}

/** Memory of blocks that are done with, for the next ones. */
export type SpareMemory = ArrayBuffer[];

/**
 * Yields the file's blocks in order. All but the last end in a line feed.
 * @param onRead is shown every byte once, in order
 * @throws LineTooLong
 */
export async function* readBlocks(
  file: FileHandle,
  blockBytes: number,
  spare: SpareMemory,
  onRead: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let carried: Uint8Array = new Uint8Array(0);
  for (let ended = false; !ended;) {
    let buffer = takeMemory(spare, Math.max(blockBytes, carried.length));
    buffer.set(carried);
    let filled = carried.length;
    let cut = 0;
    let searched = filled;
    for (;;) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled);
      onRead(buffer.subarray(filled, filled + bytesRead));
      filled += bytesRead;
      ended = bytesRead === 0 && filled < buffer.length;
      if (ended) break;
      if (filled < buffer.length) continue;
      cut = buffer.subarray(searched, filled).lastIndexOf(10) + 1;
      if (cut > 0) {
        cut += searched;
        break;
      }
      if (filled > LINE_BYTES_MAX) throw new LineTooLong(`a line is longer than ${formatBytes(LINE_BYTES_MAX)}`);
      searched = filled;
      const larger = takeMemory([], Math.min(filled * 2, LINE_BYTES_MAX + 1));
      larger.set(buffer);
      buffer = larger;
    }
    if (ended) cut = filled;
    carried = buffer.slice(cut, filled);
    if (cut > 0) yield buffer.subarray(0, cut);
  }
}

function takeMemory(spare: SpareMemory, bytes: number): Uint8Array<ArrayBuffer> {
  const at = spare.findIndex((memory) => memory.byteLength === bytes);
  const memory = at === -1 ? undefined : spare.splice(at, 1)[0];
  return new Uint8Array(memory ?? Buffer.allocUnsafeSlow(bytes).buffer);
}
