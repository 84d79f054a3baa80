/**
 * The bytes of a pack: many chunks in one file (docs/STORE.md, "Packs"). Chunks follow each other; the index stands at
 * the end with a digest of its own, so that a pack can be searched without reading it.
 * @module
 */
import { createHash } from 'node:crypto';
import { chunkBytesMax } from '../chunking/cut-point.ts';

const mark = Buffer.from('holdout-pack-v1\n');
const entryBytes = 48;
const footerBytes = 4 + 32 + mark.length;

/** A pack is closed when it has grown to this. */
export const packBytesMax = 64 * 1024 * 1024;
/** A pack holds at most this many chunks, however small they are when compressed. */
export const packChunksMax = 1 << 16;
/** Bytes before the first chunk. */
export const packHeader: Uint8Array = mark;

/** How a chunk's bytes lie in the pack: as they are, or as a raw DEFLATE stream (RFC 1951). */
export type ChunkCodec = 'plain' | 'deflate';
const codecs: readonly ChunkCodec[] = ['plain', 'deflate'];

/** One chunk of a pack. */
export interface PackedChunk {
  readonly digest: Uint8Array;
  readonly offset: number;
  readonly storedBytes: number;
  readonly bytes: number;
  readonly codec: ChunkCodec;
}

/** The index and footer that close a pack. */
export function encodePackEnd(chunks: readonly PackedChunk[]): Uint8Array {
  const index = Buffer.alloc(chunks.length * entryBytes);
  chunks.forEach((chunk, i) => {
    const at = i * entryBytes;
    index.set(chunk.digest, at);
    index.writeUInt32BE(chunk.offset, at + 32);
    index.writeUInt32BE(chunk.storedBytes, at + 36);
    index.writeUInt32BE(chunk.bytes, at + 40);
    index.writeUInt32BE(codecs.indexOf(chunk.codec), at + 44);
  });
  const count = Buffer.alloc(4);
  count.writeUInt32BE(chunks.length);
  return Buffer.concat([index, count, createHash('sha256').update(index).digest(), mark]);
}

/** Where the index of a pack of this size begins, given its last bytes; null when they are no footer. */
export function indexStart(packBytes: number, tail: Uint8Array): number | null {
  const footer = Buffer.from(tail.subarray(-footerBytes));
  if (footer.length < footerBytes || !footer.subarray(36).equals(mark)) return null;
  const count = footer.readUInt32BE(0);
  const start = packBytes - footerBytes - count * entryBytes;
  return count > packChunksMax || start < mark.length ? null : start;
}

/** The index of a pack, kept as its bytes: 48 a chunk. */
export interface PackIndex {
  readonly count: number;
  /** Entry i, 0 … count − 1. */
  chunk(i: number): PackedChunk;
}

/** Reads a pack's end, from its index on; null when it is damaged. Every length is checked against the file. */
export function decodePackEnd(packBytes: number, end: Uint8Array): PackIndex | null {
  const bytes = Buffer.from(end.buffer, end.byteOffset, end.byteLength);
  const index = bytes.subarray(0, -footerBytes);
  const digest = bytes.subarray(-footerBytes + 4, -mark.length);
  if (!createHash('sha256').update(index).digest().equals(digest)) return null;
  const count = index.length / entryBytes;
  const bodyEnd = packBytes - bytes.length;
  for (let i = 0; i < count; i += 1) {
    const chunk = chunkAt(index, i);
    if (chunk === null || chunk.offset + chunk.storedBytes > bodyEnd || chunk.bytes > chunkBytesMax) return null;
  }
  return {
    count,
    chunk(i) {
      const chunk = i < count ? chunkAt(index, i) : null;
      if (chunk === null) throw new RangeError(`"i" expected 0 … ${count - 1}, got ${i}`);
      return chunk;
    },
  };
}

function chunkAt(index: Buffer, i: number): PackedChunk | null {
  const at = i * entryBytes;
  const codec = codecs[index.readUInt32BE(at + 44)];
  if (codec === undefined) return null;
  return {
    digest: index.subarray(at, at + 32),
    offset: index.readUInt32BE(at + 32),
    storedBytes: index.readUInt32BE(at + 36),
    bytes: index.readUInt32BE(at + 40),
    codec,
  };
}

/** Bytes to read from a pack's end to be sure of its footer. */
export const packTailBytes = footerBytes;
