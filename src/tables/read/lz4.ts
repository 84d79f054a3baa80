// The types must be found by whatever project compiles this file, the tests' one included.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./lz4js.d.ts" />
/**
 * LZ4 frames, in which Arrow keeps compressed buffers.
 * @module
 */
import lz4 from 'lz4js';

/** The bytes of a frame. @throws Error when it is damaged. */
export function unlz4(frame: Uint8Array): Uint8Array {
  return lz4.decompress(frame);
}
