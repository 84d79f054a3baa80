/**
 * How a chunk lies in a pack: deflated when that makes it smaller. Which of the two is no part of any id.
 * @module
 */
import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { ChunkCodec } from './pack-format.ts';

const deflateInPool = promisify<Uint8Array, { level: number }, Buffer>(deflateRaw);
const level = 1;
const probeBytes = 4096;

/** A chunk as it is to be stored. */
export interface CodedChunk {
  readonly codec: ChunkCodec;
  readonly stored: Uint8Array;
}

/** Compresses a chunk on the thread pool, unless its beginning shows that it is compressed already. */
export async function codeChunk(bytes: Uint8Array): Promise<CodedChunk> {
  const probe = bytes.subarray(0, probeBytes);
  if (deflateRawSync(probe, { level }).length > probe.length * 0.97) return { codec: 'plain', stored: bytes };
  const stored = await deflateInPool(bytes, { level });
  return stored.length < bytes.length ? { codec: 'deflate', stored } : { codec: 'plain', stored: bytes };
}

/** The chunk's bytes, or null when these cannot be them; never more than `bytes` of memory. */
export function decodeChunk(codec: ChunkCodec, stored: Uint8Array, bytes: number): Uint8Array | null {
  if (codec === 'plain') return stored.length === bytes ? stored : null;
  try {
    const plain = inflateRawSync(stored, { maxOutputLength: bytes });
    return plain.length === bytes ? plain : null;
  } catch {
    // Whatever zlib calls it, the pack does not hold the chunk that its index promises.
    return null;
  }
}
