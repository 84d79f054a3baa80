/**
 * Which parts of the store hold rows of a new table? Told by samples of row digests that are chosen by content: the
 * same row is in every sample or in none, so that a few kilobytes a part answer for millions of rows. A sample only
 * proposes; rows are borrowed by whole digests.
 * @module
 */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { Store } from '../store/store.ts';
import { readDigests } from './digest-file.ts';
import type { DigestFile } from './digest-file.ts';

/** Digests of a table or part: of every row, or of those whose last `shift` bits are zero. */
export interface DigestSample {
  readonly shift: number;
  /** The first 48 bits of each digest. */
  readonly keys: Float64Array;
}

const sampledShift = 6;
/** Tables up to this many rows are sampled whole. */
const wholeRowsMax = 16_384;

/** The sample of a file of row digests. */
export async function sampleOf(file: DigestFile): Promise<DigestSample> {
  const shift = file.rows <= wholeRowsMax ? 0 : sampledShift;
  const keys: number[] = [];
  await readDigests(file, 0, file.rows, (digests) => {
    for (let at = 0; at < digests.length; at += 32) {
      if (lowBitsZero(digests[at + 5]!, shift)) keys.push(digests.readUIntBE(at, 6));
    }
  });
  return { shift, keys: Float64Array.from(keys) };
}

// The bits that choose stand inside the key, so that a whole sample can be thinned to a sparse one.
function lowBitsZero(byte: number, shift: number): boolean {
  return (byte & ((1 << shift) - 1)) === 0;
}

/** How many rows of `other` the sampled table holds, by estimate. */
export function estimateShared(known: ReadonlySet<number>, knownShift: number, other: DigestSample): number {
  const shift = Math.max(knownShift, other.shift);
  let shared = 0;
  for (const key of other.keys) if (key % 2 ** shift === 0 && known.has(key)) shared++;
  return shared * 2 ** shift;
}

/** The sample of a part's sidecar: kept in the store's cache folder, made again when missing. */
export async function partSample(store: Store, digests: Sha256Id, rows: number): Promise<DigestSample> {
  const path = join(store.root, 'cache', 'samples', digests.slice('sha256:'.length));
  try {
    const bytes = await readFile(path);
    const [shift] = bytes;
    if (shift !== undefined && (bytes.length - 1) % 8 === 0) {
      return { shift, keys: new Float64Array(Uint8Array.prototype.slice.call(bytes, 1).buffer) };
    }
  } catch {
    // Not cached, or not readable: the sidecar has it.
  }
  await store.ensureIntact('digests', digests);
  const sample = await sampleOf({ path: store.filePath('digests', digests), rows });
  await keepSample(store, path, sample);
  return sample;
}

async function keepSample(store: Store, path: string, sample: DigestSample): Promise<void> {
  const { buffer, byteOffset, byteLength } = sample.keys;
  try {
    await mkdir(dirname(path), { recursive: true });
    const temporary = await store.tempPath('.sample');
    await writeFile(
      temporary,
      Buffer.concat([Uint8Array.of(sample.shift), new Uint8Array(buffer, byteOffset, byteLength)]),
    );
    await rename(temporary, path);
  } catch {
    // A cache that cannot be written is only slower.
  }
}
