/**
 * A byte stream as content-defined chunks.
 * @module
 */
import { chunkBytesMax, chunkLength } from './cut-point.ts';

const bufferBytes = 16 * chunkBytesMax;

/**
 * The chunks of a stream, in order; joined they are the stream. How the stream was split into pieces does not matter.
 * Each chunk is a copy of its own.
 */
export async function* chunkStream(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = new Uint8Array(bufferBytes);
  let filled = 0;
  for await (const piece of source) {
    for (let taken = 0; taken < piece.length;) {
      const take = Math.min(piece.length - taken, bufferBytes - filled);
      buffer.set(piece.subarray(taken, taken + take), filled);
      taken += take;
      filled += take;
      if (filled < bufferBytes) continue;
      let start = 0;
      for (; filled - start >= chunkBytesMax;) {
        const length = chunkLength(buffer, start, filled);
        yield buffer.slice(start, start + length);
        start += length;
      }
      buffer.copyWithin(0, start, filled);
      filled -= start;
    }
  }
  for (let start = 0; start < filled;) {
    const length = chunkLength(buffer, start, filled);
    yield buffer.slice(start, start + length);
    start += length;
  }
}
