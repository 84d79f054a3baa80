/**
 * Raw files as content-defined chunks in packs: each chunk is stored once, whatever file it comes from, and re-hashed
 * when it is read.
 * @module
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import { chunkStream } from '../chunking/chunk-stream.ts';
import { HoldoutError } from '../errors.ts';
import { digestBytesOf } from '../identity/ids.ts';
import { codeChunk, decodeChunk } from './chunk-codec.ts';
import type { CodedChunk } from './chunk-codec.ts';
import type { ChunkIndex, ChunkPlace } from './chunk-index.ts';
import { ioError } from './io-error.ts';
import { PackWriter } from './pack-writer.ts';
import { filePath } from './store-paths.ts';
import type { TempFolder } from './temp-folder.ts';

/** A raw file's chunks in order, as a blob record lists them. */
export type ChunkList = [sha256: Sha256Id, bytes: number][];

const hint =
  'Restore the pack from a copy of the store, or move it away and add the raw file again. ' +
  '"holdout verify --read-data" names the snapshots that need it.';

/** Chunks that are compressed at the same time. */
const codedAtOnce = 4;

/**
 * Stores a byte stream; chunks that are there already are not written again. Durable when it returns.
 * @throws HoldoutError `IO`
 */
export async function putChunks(
  root: string,
  temp: TempFolder,
  index: ChunkIndex,
  source: AsyncIterable<Uint8Array>,
): Promise<{ chunks: ChunkList; newBytes: number }> {
  await index.refresh();
  const writer = new PackWriter(root, temp, index);
  const chunks: ChunkList = [];
  const writing = new Set<Sha256Id>();
  const queue: { digest: Uint8Array; bytes: number; coded: Promise<CodedChunk> }[] = [];
  const writeFirst = async (): Promise<void> => {
    const next = queue.shift();
    if (next !== undefined) await writer.append(next.digest, next.bytes, await next.coded);
  };
  try {
    for await (const chunk of chunkStream(source)) {
      const digest = createHash('sha256').update(chunk).digest();
      const id = `sha256:${digest.toString('hex')}` as Sha256Id;
      chunks.push([id, chunk.length]);
      if (writing.has(id) || index.find(digest) !== null) continue;
      writing.add(id);
      queue.push({ digest, bytes: chunk.length, coded: codeChunk(chunk) });
      if (queue.length >= codedAtOnce) await writeFirst();
    }
    while (queue.length > 0) await writeFirst();
    await writer.finish();
  } catch (error) {
    await Promise.allSettled(queue.map(({ coded }) => coded));
    await writer.abandon();
    throw error;
  }
  return { chunks, newBytes: writer.newBytes };
}

/**
 * The bytes of a chunk list, chunk by chunk, each checked against its digest.
 * @throws HoldoutError `STORE_CORRUPT`, `IO`
 */
export async function* readChunks(
  root: string,
  index: ChunkIndex,
  chunks: Iterable<readonly [Sha256Id, number]>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new PackReader(root);
  try {
    for (const [id, bytes] of chunks) {
      const digest = digestBytesOf(id);
      if (index.find(digest) === null) await index.refresh();
      const place = index.find(digest);
      if (place === null) {
        throw new HoldoutError('STORE_CORRUPT', `chunk ${id} is in no pack that can be read`, { hint });
      }
      const chunk = decodeChunk(place.codec, await reader.read(place), place.bytes);
      if (chunk?.length !== bytes || !createHash('sha256').update(chunk).digest().equals(digest)) {
        const file = filePath(root, 'pack', place.pack);
        throw new HoldoutError('STORE_CORRUPT', `chunk ${id} does not match its id, in pack ${place.pack}`, {
          file,
          hint,
        });
      }
      yield chunk;
    }
  } finally {
    await reader.close();
  }
}

/** Reads from packs, one open at a time: neighbours in a file are mostly neighbours in a pack. */
class PackReader {
  private readonly root: string;
  private current: { readonly pack: Sha256Id; readonly handle: FileHandle } | null = null;

  constructor(root: string) {
    this.root = root;
  }

  async read(place: ChunkPlace): Promise<Uint8Array> {
    const path = filePath(this.root, 'pack', place.pack);
    try {
      if (this.current?.pack !== place.pack) {
        await this.close();
        this.current = { pack: place.pack, handle: await open(path, 'r') };
      }
      const bytes = new Uint8Array(place.storedBytes);
      const { bytesRead } = await this.current.handle.read(bytes, 0, bytes.length, place.offset);
      return bytes.subarray(0, bytesRead);
    } catch (error) {
      throw ioError('read', path, error);
    }
  }

  async close(): Promise<void> {
    await this.current?.handle.close();
    this.current = null;
  }
}
