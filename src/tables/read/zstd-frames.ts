/**
 * Walks the frame and block headers of a zstd file to its end (RFC 8878), without unpacking: a file that was cut after a
 * block looks whole to an unpacker.
 * @module
 */
import type { FileHandle } from 'node:fs/promises';
import { HoldoutError } from '../../errors.ts';

/** A frame that holds data. */
export interface ZstdFrame {
  /** Offset of its end. */
  readonly end: number;
  readonly start: number;
  /** Unpacked size, where the frame says it. */
  readonly contentBytes: number | null;
  /** Lower 32 bits of the XXH64 of the unpacked bytes, where the frame carries it. */
  readonly checksum: number | null;
}

const frameMagic = 0xfd2fb528;

/**
 * The frames of a file, skippable ones left out.
 * @throws HoldoutError `INPUT_INVALID` when the file ends inside a frame, or bytes stand between frames.
 */
export async function walkZstdFrames(file: FileHandle, bytes: number, name: string): Promise<ZstdFrame[]> {
  const frames: ZstdFrame[] = [];
  const window = new Window(file, bytes, name);
  let at = 0;
  while (at < bytes) {
    const magic = await window.uint(at, 4);
    if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) {
      at += 8 + (await window.uint(at + 4, 4));
      if (at > bytes) throw cut(name);
      continue;
    }
    if (magic !== frameMagic) {
      throw new HoldoutError('INPUT_INVALID', `byte ${at} begins no zstd frame: other bytes follow the data`, {
        file: name,
      });
    }
    const frame = await walkFrame(window, at);
    frames.push(frame);
    at = frame.end;
  }
  return frames;
}

async function walkFrame(window: Window, start: number): Promise<ZstdFrame> {
  const descriptor = await window.uint(start + 4, 1);
  const single = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? (single ? 1 : 0) : 1 << sizeFlag;
  const sizeAt = start + 5 + (single ? 0 : 1) + dictionaryBytes;
  let contentBytes: number | null = null;
  if (sizeBytes > 0) contentBytes = (await window.uint(sizeAt, sizeBytes)) + (sizeBytes === 2 ? 256 : 0);
  let at = sizeAt + sizeBytes;
  for (;;) {
    const header = await window.uint(at, 3);
    const type = (header >> 1) & 3;
    // A block of type 1 is one byte, repeated; type 3 is reserved, and the unpacker refuses it.
    at += 3 + (type === 1 ? 1 : header >> 3);
    if ((header & 1) === 1) break;
  }
  const checksum = (descriptor & 4) === 0 ? null : await window.uint(at, 4);
  if (checksum !== null) at += 4;
  window.mustHold(at);
  return { start, end: at, contentBytes, checksum };
}

function cut(name: string): HoldoutError {
  return new HoldoutError('INPUT_INVALID', 'the zstd file is cut: it ends inside a frame', {
    file: name,
    hint: 'Copy or download it again.',
  });
}

/** Little-endian numbers at any offset, read through a buffer. */
class Window {
  readonly #file: FileHandle;
  readonly #bytes: number;
  readonly #name: string;
  readonly #buffer = Buffer.alloc(1 << 16);
  #first = 0;
  #held = 0;

  constructor(file: FileHandle, bytes: number, name: string) {
    this.#file = file;
    this.#bytes = bytes;
    this.#name = name;
  }

  mustHold(end: number): void {
    if (end > this.#bytes) throw cut(this.#name);
  }

  async uint(offset: number, length: number): Promise<number> {
    this.mustHold(offset + length);
    if (offset < this.#first || offset + length > this.#first + this.#held) {
      const { bytesRead } = await this.#file.read(this.#buffer, 0, this.#buffer.length, offset);
      this.#first = offset;
      this.#held = bytesRead;
      if (bytesRead < length) throw cut(this.#name);
    }
    const at = offset - this.#first;
    return length === 8 ? Number(this.#buffer.readBigUInt64LE(at)) : this.#buffer.readUIntLE(at, length);
  }
}
