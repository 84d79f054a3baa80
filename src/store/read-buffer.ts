/**
 * Memory for reading a file.
 * @module
 */
import type { FileHandle } from 'node:fs/promises';

/**
 * A buffer for reading a file piece by piece, no larger than the file. A megabyte for each of a store's many small files
 * makes V8 collect garbage over and over: it counts what is allocated, not what is filled.
 */
export async function readBuffer(handle: FileHandle, bytesMax: number): Promise<Buffer> {
  const { size } = await handle.stat();
  return Buffer.allocUnsafe(Math.max(1, Math.min(size, bytesMax)));
}
