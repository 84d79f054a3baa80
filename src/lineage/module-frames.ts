/**
 * Messages between Holdout and the processes of a module, over a pipe: a mark, a length of JSON, a length of bytes, each
 * as 32 bits, least first, then the JSON and the bytes. The mark tells at once what a module writes there by itself.
 * @module
 */

/** A message: some JSON, and bytes that go as they are. */
export interface Frame {
  readonly head: unknown;
  readonly body: Buffer;
}

/** `hold`. */
const mark = 0x646c_6f68;
const prefixBytes = 12;
const headLengthAt = 4;
const bodyLengthAt = 8;
/** Longest message; what says more is none of ours. */
const frameBytesMax = 2 ** 31;

/** The pieces of a message, in order. */
export function writeFrame(head: unknown, ...body: readonly Uint8Array[]): readonly Uint8Array[] {
  const json = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32LE(mark, 0);
  prefix.writeUInt32LE(json.length, headLengthAt);
  prefix.writeUInt32LE(
    body.reduce((sum, { length }) => sum + length, 0),
    bodyLengthAt,
  );
  return [prefix, json, ...body];
}

/** Puts messages together from what a pipe gives. */
export class FrameReader {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #wanted = prefixBytes;

  /** The messages that end with this piece. @throws RangeError for what is no message */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const frames: Frame[] = [];
    while (this.#bytes >= this.#wanted) {
      const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
      const headBytes = all.readUInt32LE(headLengthAt);
      const length = prefixBytes + headBytes + all.readUInt32LE(bodyLengthAt);
      if (all.readUInt32LE(0) !== mark || length > frameBytesMax)
        throw new RangeError('a message of a module is no message');
      const rest = all.length < length ? all : all.subarray(length);
      if (all.length >= length) {
        const head: unknown = JSON.parse(all.toString('utf8', prefixBytes, prefixBytes + headBytes));
        frames.push({ head, body: all.subarray(prefixBytes + headBytes, length) });
      }
      this.#chunks.splice(0, Infinity, rest);
      this.#bytes = rest.length;
      this.#wanted = all.length < length ? length : prefixBytes;
    }
    return frames;
  }
}
