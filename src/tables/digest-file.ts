/**
 * Files of row digests: 32 bytes a row, in row order. A part's sidecar is one.
 * @module
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { HoldoutError } from '../errors.ts';
import type { RowRun } from './row-runs.ts';

/** A file of row digests. */
export interface DigestFile {
  readonly path: string;
  readonly rows: number;
}

const readRowsMax = 1 << 16;

/**
 * Visits digests `first` … `first + rows - 1` of a file in stretches; `offset` counts from `first`. The bytes are valid
 * until the next visit.
 * @throws HoldoutError `STORE_CORRUPT` when the file is shorter
 */
export async function readDigests(
  file: DigestFile,
  first: number,
  rows: number,
  visit: (digests: Buffer, offset: number) => void | Promise<void>,
): Promise<void> {
  const handle = await open(file.path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(Math.min(rows, readRowsMax) * 32);
    for (let done = 0; done < rows;) {
      const bytes = Math.min(readRowsMax, rows - done) * 32;
      let filled = 0;
      while (filled < bytes) {
        const { bytesRead } = await handle.read(buffer, filled, bytes - filled, (first + done) * 32 + filled);
        if (bytesRead === 0) {
          throw new HoldoutError('STORE_CORRUPT', `${file.path} holds fewer digests than rows`, { file: file.path });
        }
        filled += bytesRead;
      }
      await visit(buffer.subarray(0, bytes), done);
      done += bytes / 32;
    }
  } finally {
    await handle.close();
  }
}

/** Writes the digests of some rows to a new file, in order. */
export async function copyDigests(file: DigestFile, runs: readonly RowRun[], target: string): Promise<void> {
  const handle: FileHandle = await open(target, 'wx');
  try {
    for (const [first, rows] of runs) {
      await readDigests(file, first, rows, async (digests) => {
        await handle.writeFile(digests);
      });
    }
  } finally {
    await handle.close();
  }
}
