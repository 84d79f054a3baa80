/**
 * Walks the messages of an Arrow IPC stream to its end mark: a stream that was cut between two messages reads as a
 * shorter one in every reader.
 * @module
 */
import { Message } from 'apache-arrow/ipc/metadata/message';
import type { FileHandle } from 'node:fs/promises';
import { HoldoutError } from '../../errors.ts';

const metadataBytesMax = 256 * 1024 * 1024;

/**
 * Checks that a stream is whole.
 * @throws HoldoutError `INPUT_INVALID` when it ends inside a message, or before its end mark, or bytes follow it.
 */
export async function checkArrowStream(file: FileHandle, bytes: number, name: string): Promise<void> {
  const prefix = Buffer.alloc(8);
  let at = 0;
  while (at < bytes) {
    const { bytesRead } = await file.read(prefix, 0, 8, at);
    if (bytesRead < 8) throw cut(name);
    const length = prefix.readInt32LE(4);
    if (prefix.readUInt32LE(0) !== 0xffffffff || length < 0 || length > metadataBytesMax) {
      throw new HoldoutError('INPUT_INVALID', `byte ${at} begins no Arrow message`, { file: name });
    }
    at += 8;
    if (length === 0) {
      if (at === bytes) return;
      throw new HoldoutError('INPUT_INVALID', 'other bytes follow the end of the Arrow stream', { file: name });
    }
    if (at + length > bytes) throw cut(name);
    const metadata = Buffer.alloc(length);
    await file.read(metadata, 0, length, at);
    at += length + Message.decode(metadata).bodyLength;
    if (at > bytes) throw cut(name);
  }
  throw cut(name);
}

/** Checks that a file of the Arrow file format has its footer. */
export async function checkArrowFile(file: FileHandle, bytes: number, name: string): Promise<void> {
  const tail = Buffer.alloc(10);
  if (bytes < 18) throw cut(name);
  await file.read(tail, 0, 10, bytes - 10);
  const footer = tail.readInt32LE(0);
  if (tail.toString('latin1', 4) !== 'ARROW1' || footer <= 0 || footer > bytes - 18) throw cut(name);
}

function cut(name: string): HoldoutError {
  return new HoldoutError('INPUT_INVALID', 'the Arrow file is cut: its end is missing', {
    file: name,
    hint: 'Write or copy it again; a writer must be closed for the end to be written.',
  });
}
