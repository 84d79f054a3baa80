/**
 * Writes chunks into packs. A pack appears under its digest when it is full or the writer finishes, never before.
 * @module
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { CodedChunk } from './chunk-codec.ts';
import type { ChunkIndex } from './chunk-index.ts';
import { writeAll } from './durable-files.ts';
import { ioError } from './io-error.ts';
import { decodePackEnd, encodePackEnd, packBytesMax, packChunksMax, packHeader } from './pack-format.ts';
import type { PackedChunk } from './pack-format.ts';
import { putFile } from './stored-files.ts';
import type { TempFolder } from './temp-folder.ts';

interface OpenPack {
  readonly path: string;
  readonly handle: FileHandle;
  readonly chunks: PackedChunk[];
  bytes: number;
}

/** Appends chunks to packs of at most 64 MiB. */
export class PackWriter {
  /** Bytes of the packs finished so far. */
  newBytes = 0;
  private readonly root: string;
  private readonly temp: TempFolder;
  private readonly index: ChunkIndex;
  private current: OpenPack | null = null;

  constructor(root: string, temp: TempFolder, index: ChunkIndex) {
    this.root = root;
    this.temp = temp;
    this.index = index;
  }

  /** @throws HoldoutError `IO` */
  async append(digest: Uint8Array, bytes: number, { codec, stored }: CodedChunk): Promise<void> {
    const full = this.current !== null && this.current.bytes + stored.length > packBytesMax;
    if (full || this.current?.chunks.length === packChunksMax) await this.finish();
    this.current ??= await this.begin();
    const pack = this.current;
    await writeAll(pack.handle, stored).catch((error: unknown) => Promise.reject(ioError('write', pack.path, error)));
    pack.chunks.push({ digest, offset: pack.bytes, storedBytes: stored.length, bytes, codec });
    pack.bytes += stored.length;
  }

  /** Places the open pack durably, and makes its chunks known. @throws HoldoutError `IO` */
  async finish(): Promise<void> {
    const pack = this.current;
    if (pack === null) return;
    const end = encodePackEnd(pack.chunks);
    try {
      await writeAll(pack.handle, end);
    } catch (error) {
      throw ioError('write', pack.path, error);
    }
    this.current = null;
    await pack.handle.close();
    const { id, bytes } = await putFile(this.root, this.temp, 'pack', pack.path);
    const index = decodePackEnd(bytes, end);
    if (index === null) throw new Error('the pack just written has no readable index');
    this.index.add(id, index);
    this.newBytes += bytes;
  }

  /** Drops the open pack, if any. */
  async abandon(): Promise<void> {
    const pack = this.current;
    if (pack === null) return;
    this.current = null;
    await pack.handle.close();
    await this.temp.discard(pack.path);
  }

  private async begin(): Promise<OpenPack> {
    const path = await this.temp.path('.pack');
    const handle = await open(path, 'wx', 0o600).catch((error: unknown) =>
      Promise.reject(ioError('create', path, error)),
    );
    // Set before the header is written: should that fail, `abandon` closes the file.
    this.current = { path, handle, chunks: [], bytes: packHeader.length };
    await writeAll(handle, packHeader).catch((error: unknown) => Promise.reject(ioError('write', path, error)));
    return this.current;
  }
}
