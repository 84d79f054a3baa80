/**
 * Offsets in a file as people count: lines and characters. And what is said of a file before its first line is read.
 * @module
 */
import { open, type FileHandle } from 'node:fs/promises';
import { HoldoutError } from '../../errors.ts';

/** Where an offset lies; all from 0. */
export interface FilePlace {
  readonly line: number;
  /** Bytes, and characters, of the line before it. */
  readonly byte: number;
  readonly character: number;
}

/** Finds where an offset lies by reading up to it. */
export async function placeOfOffset(path: string, offset: number): Promise<FilePlace> {
  const file = await open(path, 'r');
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  let line = 0;
  let byte = 0;
  let character = 0;
  try {
    for (let done = 0; done < offset;) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, offset - done), done);
      if (bytesRead === 0) break;
      for (const value of buffer.subarray(0, bytesRead)) {
        byte++;
        if ((value & 0xc0) !== 0x80) character++;
        if (value === 10) {
          line++;
          byte = 0;
          character = 0;
        }
      }
      done += bytesRead;
    }
  } finally {
    await file.close();
  }
  return { line, byte, character };
}

/**
 * Opens a file for reading.
 * @throws HoldoutError NOT_FOUND, IO
 */
export async function openInput(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new HoldoutError(absent ? 'NOT_FOUND' : 'IO', absent ? `there is no file ${path}` : `cannot open ${path}`, {
      file: path,
      cause: error,
    });
  }
}

/** A failure of the operating system (disk full, no permission, a folder for a file) in our words; others as they are. */
export function named(error: unknown, file: string): unknown {
  const { syscall } = error as { readonly syscall?: unknown };
  if (!(error instanceof Error) || error instanceof HoldoutError || typeof syscall !== 'string') return error;
  return new HoldoutError('IO', `reading ${file}: ${error.message}`, { file, cause: error });
}

/** Length of the byte order mark that a file beginning with these bytes has: 3 or 0. */
export function bomBytes(start: Uint8Array): 0 | 3 {
  return start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf ? 3 : 0;
}

/**
 * Refuses a file that begins as UTF-16 does, with or without its mark.
 * @throws HoldoutError INPUT_INVALID
 */
export function refuseUtf16(start: Uint8Array, file: string): void {
  const [first, second] = start;
  const marked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (!marked && !(isBracket(first) && second === 0) && !(first === 0 && isBracket(second))) return;
  throw new HoldoutError('INPUT_INVALID', 'the file is UTF-16, not UTF-8', {
    file,
    line: 1,
    column: 1,
    hint: 'Convert it first: iconv -f UTF-16 -t UTF-8 in.jsonl > out.jsonl',
  });
}

/** Writes all of the bytes where the file stands. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await file.write(bytes, at)).bytesWritten;
}

function isBracket(byte: number | undefined): boolean {
  return byte === 0x7b || byte === 0x5b;
}
