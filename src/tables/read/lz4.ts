/**
 * LZ4 frames, in which Arrow keeps compressed buffers. The package has no types of its own.
 * @module
 */
import { createRequire } from 'node:module';

const lz4 = createRequire(import.meta.url)('lz4js') as { decompress(frame: Uint8Array): Uint8Array };

/** The bytes of a frame. @throws Error when it is damaged. */
export function unlz4(frame: Uint8Array): Uint8Array {
  return lz4.decompress(frame);
}
