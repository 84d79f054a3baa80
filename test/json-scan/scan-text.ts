/**
 * Scans bytes through a file of its own, which is removed afterwards.
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scanLines, type ScanOptions, type ScanResult } from '../../dist/src/tables/json-scan/scan-lines.js';

export interface Scanned extends ScanResult {
  /** Hex digest of each row. */
  readonly digests: readonly string[];
  readonly offsets: readonly number[];
}

/** Runs a task with a folder of its own. */
export async function inFolder<T>(task: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'holdout-scan-'));
  try {
    return await task(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Scans a file that holds these bytes. */
export async function scanBytes(
  content: Uint8Array | string,
  options: Partial<Omit<ScanOptions, 'path' | 'tempDigests'>> = {},
): Promise<Scanned> {
  return inFolder(async (folder) => {
    const path = join(folder, 'in.jsonl');
    const tempDigests = join(folder, 'digests');
    const rowOffsets = join(folder, 'offsets');
    await writeFile(path, content);
    const result = await scanLines({ name: 'in.jsonl', ...options, path, tempDigests, rowOffsets });
    const digests = await readFile(tempDigests);
    const offsets = await readFile(rowOffsets);
    return {
      ...result,
      digests: Array.from({ length: digests.length / 32 }, (_, i) => digests.toString('hex', i * 32, i * 32 + 32)),
      offsets: Array.from({ length: offsets.length / 8 }, (_, i) => Number(offsets.readBigUInt64LE(i * 8))),
    };
  });
}
