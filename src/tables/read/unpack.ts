/**
 * Compressed files, and standard input, are written out into a spool file and checked to their last byte: a cut file
 * is refused, never read as a shorter one.
 * @module
 */
import { Decompress } from 'fzstd';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import xxhash from 'xxhash-wasm';
import type { Sha256Id } from '../../../schemas/ids.ts';
import { HoldoutError } from '../../errors.ts';
import type { InputFile } from './input-files.ts';
import type { SourceCompression } from './read-table-types.ts';
import { walkZstdFrames } from './zstd-frames.ts';

/** A file as it can be read: itself, or what it was unpacked to. */
export interface PlainFile {
  readonly path: string;
  readonly compression: SourceCompression;
  /** Size of the file as given. */
  readonly bytes: number;
  /** Digest of the file as given; null where nothing was read yet (a plain file). */
  readonly sha256: Sha256Id | null;
}

/** Called with the bytes that were read since the last call. */
export type CountBytes = (bytes: number) => void;

const bzip2 = Buffer.from('BZh');
const xz = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]);
const zip = Buffer.from([0x50, 0x4b, 0x03, 0x04]);

/**
 * Unpacks where that is needed; by content, whatever the name says.
 * @throws HoldoutError `INPUT_INVALID` for a damaged file or another compression; `IO` when it cannot be read.
 */
export async function unpackFile(
  input: InputFile,
  spoolPath: string,
  standardInput: NodeJS.ReadableStream | undefined,
  count: CountBytes,
): Promise<PlainFile> {
  if (input.path === '-') return unpackStandardInput(spoolPath, standardInput, count);
  const file = await openInput(input.path);
  try {
    const { size } = await file.stat();
    const compression = await sniffCompression(file, input.path);
    if (compression === 'none') return { path: input.path, compression, bytes: size, sha256: null };
    const sha256 = await writeUnpacked(file, size, input.path, compression, spoolPath, count);
    return { path: spoolPath, compression, bytes: size, sha256 };
  } finally {
    await file.close();
  }
}

/** Digest of a whole file. */
export async function hashFile(path: string, count: CountBytes): Promise<Sha256Id> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk);
      count(chunk.length);
    }
  } catch (cause) {
    throw readError(path, cause);
  }
  return `sha256:${hash.digest('hex')}` as Sha256Id;
}

async function unpackStandardInput(
  spoolPath: string,
  standardInput: NodeJS.ReadableStream | undefined,
  count: CountBytes,
): Promise<PlainFile> {
  if (standardInput === undefined) throw new HoldoutError('USAGE', 'standard input cannot be read here');
  const raw = `${spoolPath}.stdin`;
  const hash = createHash('sha256');
  let bytes = 0;
  const target = await open(raw, 'wx', 0o600);
  try {
    for await (const chunk of standardInput as AsyncIterable<Buffer | string>) {
      const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      hash.update(data);
      bytes += data.length;
      count(data.length);
      await target.writeFile(data);
    }
  } finally {
    await target.close();
  }
  const sha256 = `sha256:${hash.digest('hex')}` as Sha256Id;
  const file = await open(raw, 'r');
  try {
    const compression = await sniffCompression(file, 'standard input');
    if (compression === 'none') return { path: raw, compression, bytes, sha256 };
    await writeUnpacked(file, bytes, raw, compression, spoolPath, () => {});
    return { path: spoolPath, compression, bytes, sha256 };
  } finally {
    await file.close();
  }
}

async function openInput(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw readError(path, cause);
  }
}

async function sniffCompression(file: FileHandle, name: string): Promise<SourceCompression> {
  const head = Buffer.alloc(8);
  const { bytesRead } = await file.read(head, 0, head.length, 0).catch((cause: unknown) => {
    throw readError(name, cause);
  });
  const start = head.subarray(0, bytesRead);
  if (start.length >= 2 && start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  if (start.length >= 4 && start.readUInt32LE(0) === 0xfd2fb528) return 'zstd';
  if (start.length >= 4 && start.readUInt32LE(0) >= 0x184d2a50 && start.readUInt32LE(0) <= 0x184d2a5f) return 'zstd';
  for (const [magic, says, command] of [
    [bzip2, 'bzip2', 'bunzip2 -k'],
    [xz, 'xz', 'unxz -k'],
    [zip, 'zip', 'unzip'],
  ] as const) {
    if (start.subarray(0, magic.length).equals(magic)) {
      throw new HoldoutError('INPUT_INVALID', `files compressed with ${says} are not read`, {
        file: name,
        hint: `Unpack it first: ${command} FILE (gzip and zstd are read as they are).`,
      });
    }
  }
  return 'none';
}

async function writeUnpacked(
  file: FileHandle,
  size: number,
  name: string,
  compression: 'gzip' | 'zstd',
  spoolPath: string,
  count: CountBytes,
): Promise<Sha256Id> {
  const hash = createHash('sha256');
  const raw = rawChunks(file, size, (chunk) => {
    hash.update(chunk);
    count(chunk.length);
  });
  const target = await open(spoolPath, 'wx', 0o600);
  try {
    const unpacked = compression === 'gzip' ? gunzip(raw) : unzstd(raw, file, size, name);
    for await (const chunk of unpacked) await target.writeFile(chunk);
  } catch (cause) {
    throw unpackError(name, compression, cause);
  } finally {
    await target.close();
  }
  return `sha256:${hash.digest('hex')}` as Sha256Id;
}

async function* rawChunks(file: FileHandle, size: number, seen: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for (let at = 0; at < size;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(1 << 18), 0, 1 << 18, at);
    if (bytesRead === 0) throw new Error('the file became shorter while it was read');
    at += bytesRead;
    const chunk = buffer.subarray(0, bytesRead);
    seen(chunk);
    yield chunk;
  }
}

/** node:zlib checks CRC and length of each member, and refuses what follows the last one unless it is zeros. */
async function* gunzip(raw: AsyncGenerator<Buffer>): AsyncGenerator<Uint8Array> {
  const stream = createGunzip({ chunkSize: 1 << 18 });
  const feeding = pipeline(raw, stream);
  // The loop below fails with the same error; this one must not stay unhandled.
  feeding.catch(() => {});
  yield* stream as AsyncIterable<Buffer>;
  await feeding;
}

async function* unzstd(
  raw: AsyncGenerator<Buffer>,
  file: FileHandle,
  size: number,
  name: string,
): AsyncGenerator<Uint8Array> {
  const frames = await walkZstdFrames(file, size, name);
  const hashes = await xxhash();
  let at = 0;
  let chunk: Buffer = Buffer.alloc(0);
  let chunkStart = 0;
  for (const frame of frames) {
    const hash = frame.checksum === null ? null : hashes.create64();
    let unpackedBytes = 0;
    let ready: Uint8Array[] = [];
    const unpacker = new Decompress((data) => {
      ready.push(data);
    });
    at = frame.start;
    while (at < frame.end) {
      while (at >= chunkStart + chunk.length) {
        const next = await raw.next();
        chunkStart += chunk.length;
        if (next.done === true) throw new Error('unexpected end of file');
        chunk = next.value;
      }
      const end = Math.min(frame.end, chunkStart + chunk.length);
      unpacker.push(chunk.subarray(at - chunkStart, end - chunkStart), end === frame.end);
      at = end;
      for (const data of ready) {
        hash?.update(data);
        unpackedBytes += data.length;
        yield data;
      }
      ready = [];
    }
    if (frame.contentBytes !== null && frame.contentBytes !== unpackedBytes) {
      throw new Error(`a frame holds ${unpackedBytes} bytes and says ${frame.contentBytes}`);
    }
    if (hash !== null && Number(hash.digest() & 0xffffffffn) !== frame.checksum) {
      throw new Error('the checksum of a frame does not match');
    }
  }
  // What follows the last frame is skippable; it counts for the digest of the file all the same.
  while ((await raw.next()).done !== true);
}

function unpackError(name: string, compression: string, cause: unknown): HoldoutError {
  if (cause instanceof HoldoutError) return cause;
  const error = cause as NodeJS.ErrnoException;
  if (error.syscall !== undefined) return readError(name, cause);
  return new HoldoutError('INPUT_INVALID', `the ${compression} file is damaged or cut: ${error.message}`, {
    file: name,
    hint: 'Copy or download it again.',
    cause,
  });
}

/** The error for a file that the operating system would not give. */
export function readError(path: string, cause: unknown): HoldoutError {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (cause instanceof HoldoutError) return cause;
  if (code === 'ENOENT') return new HoldoutError('NOT_FOUND', 'no such file or folder', { file: path, cause });
  return new HoldoutError('IO', `cannot read "${path}": ${message}`, { file: path, cause });
}
