/**
 * Which pack holds which chunk: the indexes of all packs, read once and kept in memory (about 130 bytes a chunk).
 * @module
 */
import { open } from 'node:fs/promises';
import type { Sha256Id } from '../../schemas/ids.ts';
import { ioError } from './io-error.ts';
import { listStored } from './list-stored.ts';
import { decodePackEnd, indexStart, packChunksMax, packTailBytes } from './pack-format.ts';
import type { PackIndex, PackedChunk } from './pack-format.ts';
import { filePath } from './store-paths.ts';

/** A chunk's place. */
export interface ChunkPlace extends PackedChunk {
  readonly pack: Sha256Id;
}

/** The chunks of a store's packs. */
export class ChunkIndex {
  private readonly root: string;
  private readonly packs: { readonly id: Sha256Id; readonly index: PackIndex }[] = [];
  private readonly seen = new Set<Sha256Id>();
  /** Digest as a one-byte string → pack number × packChunksMax + number in the pack. */
  private readonly places = new Map<string, number>();

  constructor(root: string) {
    this.root = root;
  }

  /** Place of a chunk in the packs known so far, or null. */
  find(digest: Uint8Array): ChunkPlace | null {
    const place = this.places.get(keyOf(digest));
    if (place === undefined) return null;
    const pack = this.packs[Math.floor(place / packChunksMax)];
    return pack === undefined ? null : { ...pack.index.chunk(place % packChunksMax), pack: pack.id };
  }

  /** Makes a pack known. */
  add(id: Sha256Id, index: PackIndex): void {
    this.seen.add(id);
    const base = this.packs.length * packChunksMax;
    this.packs.push({ id, index });
    for (let i = 0; i < index.count; i += 1) this.places.set(keyOf(index.chunk(i).digest), base + i);
  }

  /**
   * Reads the indexes of packs that other processes have added. A pack whose index is damaged counts as absent: its
   * chunks are stored again when they come again, and missed when they are read.
   * @throws HoldoutError `IO`
   */
  async refresh(): Promise<void> {
    for (const { id } of await listStored(this.root, 'pack')) {
      if (id === null || this.seen.has(id)) continue;
      const index = await readPackIndex(this.root, id);
      if (index !== null) this.add(id, index);
    }
  }
}

/**
 * The index of a pack, or null when its end is damaged.
 * @throws HoldoutError `IO`
 */
export async function readPackIndex(root: string, id: Sha256Id): Promise<PackIndex | null> {
  const path = filePath(root, 'pack', id);
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      const tail = Buffer.alloc(Math.min(packTailBytes, size));
      await handle.read(tail, 0, tail.length, size - tail.length);
      const start = indexStart(size, tail);
      if (start === null) return null;
      const end = Buffer.alloc(size - start);
      const { bytesRead } = await handle.read(end, 0, end.length, start);
      return bytesRead === end.length ? decodePackEnd(size, end) : null;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw ioError('read', path, error);
  }
}

function keyOf(digest: Uint8Array): string {
  return Buffer.from(digest.buffer, digest.byteOffset, digest.byteLength).toString('latin1');
}
