/**
 * Scans a file of JSON lines: row digests, what stands where, how its bytes differ from plain lines. The main thread
 * reads and hashes the file and keeps the order; the scanner does the rest, on small files in this thread.
 * @module
 */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import type { Sha256Id } from '../../../schemas/ids.ts';
import type { LineFixups } from '../../../schemas/records.ts';
import { HoldoutError } from '../../errors.ts';
import { addBlock, emptyFixups, finishFixups } from './fixups.ts';
import { mergeParts, type InferredSchema } from './inferred.ts';
import { bomBytes, named, openInput, placeOfOffset, refuseUtf16, writeAll } from './file-places.ts';
import { ScanPool } from './pool.ts';
import { LINE_BYTES_MAX, LineTooLong, readBlocks, type SpareMemory } from './read-blocks.ts';
import { refusalError } from './refusals.ts';
import type { Refusal } from './scan-block.ts';
import { hereScanner, type ScanDone, type Scanner } from './scanner.ts';
import { columnNameFault } from './schema.ts';
import { RowWeight } from '../row-weight.ts';
import { formatBytes } from '../../size-text.ts';

/** Files below this are scanned in the calling thread, unless threads or a size of blocks are asked for. */
const SMALL_FILE = 4 << 20;
const BLOCK_BYTES = 8 << 20;

/** What to scan, and how. */
export interface ScanOptions {
  readonly path: string;
  /** File that the row digests are written to, 32 bytes a row. */
  readonly tempDigests: string;
  /** Append to that file (and to `rowOffsets`): the next file of the same table. */
  readonly append?: boolean;
  /** File for the offset of each row's line, as u64le. */
  readonly rowOffsets?: string;
  /** Workers to use, of other scans too; without it they are started for this one. */
  readonly pool?: ScanPool;
  /** Number of workers where there is no pool; by default one a core, at most two. */
  readonly threads?: number;
  readonly wantSha256?: boolean;
  readonly onProgress?: (bytes: number) => void;
  /** Name of the file in errors, by default `path`. */
  readonly name?: string;
  /** Where byte `byte` of line `line` (both from 0) stands in the file that the person knows. */
  readonly placeOf?: (line: number, byte: number) => Promise<{ line: number; column: number }>;
  /** Size of a block of lines. */
  readonly blockBytes?: number;
}

/** What a scan found. */
export interface ScanResult {
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: Sha256Id | null;
  readonly schema: InferredSchema;
  readonly longestLineBytes: number;
  /** No `rowsPerGroup` consecutive rows have more bytes. */
  readonly groupBytes: number;
  /** Null where blank lines or mixed line ends are too many to list. */
  readonly fixups: LineFixups | null;
}

/**
 * Scans the file. The first line of the file that is refused is the one that is reported.
 * @throws HoldoutError INPUT_INVALID (malformed line, bad column name, UTF-16), LIMIT, NOT_FOUND, IO
 */
export async function scanLines(options: ScanOptions): Promise<ScanResult> {
  const file = await openInput(options.path);
  try {
    const { size } = await file.stat();
    if (size < SMALL_FILE && options.threads === undefined && options.blockBytes === undefined) {
      return await hereScanner.exclusive(() => scanFile(file, hereScanner, options));
    }
    if (options.pool !== undefined) {
      const { pool } = options;
      return await pool.exclusive(() => scanFile(file, pool, options));
    }
    const pool = ScanPool.open(options.threads);
    try {
      return await scanFile(file, pool, options);
    } finally {
      await pool.close();
    }
  } catch (error) {
    throw named(error, options.name ?? options.path);
  } finally {
    await file.close();
  }
}

async function scanFile(file: FileHandle, scanner: Scanner, options: ScanOptions): Promise<ScanResult> {
  const flags = options.append === true ? 'a' : 'w';
  const digests = await open(options.tempDigests, flags);
  const offsets = options.rowOffsets === undefined ? null : await open(options.rowOffsets, flags);
  const hash = options.wantSha256 === true ? createHash('sha256') : null;
  // A byte more than the file has, so that its end is seen in the first block.
  const blockBytes = Math.min(options.blockBytes ?? BLOCK_BYTES, (await file.stat()).size + 1);
  const spare: SpareMemory = [];
  const fixups = emptyFixups();
  const running: Promise<ScanDone>[] = [];
  const runningBytes: number[] = [];
  const weight = new RowWeight();
  let rows = 0;
  let bytes = 0;
  let last = 10;
  let bom = false;
  let longestLineBytes = 0;

  const takeOldest = async (): Promise<void> => {
    const oldest = running.shift();
    if (oldest === undefined) return;
    const { result, memory } = await oldest;
    const blockLength = runningBytes.shift() ?? 0;
    if (result.refusal !== null) throw await placedRefusal(result.refusal, fixups.lines, options);
    if (memory.byteLength === blockBytes) spare.push(memory);
    await writeAll(digests, result.digests);
    if (offsets !== null && result.offsets !== null) await writeAll(offsets, asUnsigned(result.offsets));
    rows += result.digests.length / 32;
    weight.add(result.digests.length / 32, blockLength);
    longestLineBytes = Math.max(longestLineBytes, result.longestLine);
    addBlock(fixups, result);
  };

  try {
    scanner.begin();
    const blocks = readBlocks(file, blockBytes, spare, (read) => {
      hash?.update(read);
    });
    try {
      for await (const whole of blocks) {
        if (bytes === 0) {
          refuseUtf16(whole, options.name ?? options.path);
          bom = bomBytes(whole) > 0;
        }
        const block = bytes === 0 && bom ? whole.subarray(3) : whole;
        const offset = bytes + whole.length - block.length;
        bytes += whole.length;
        last = whole.at(-1) ?? last;
        if (running.length >= scanner.depth) await takeOldest();
        // The scanner takes the block over.
        runningBytes.push(block.length);
        const scanning = scanner.scan({ block, offset, wantOffsets: offsets !== null });
        // Its failure is met when its turn comes.
        scanning.catch(() => undefined);
        running.push(scanning);
        options.onProgress?.(bytes);
      }
    } catch (error) {
      if (!(error instanceof LineTooLong)) throw error;
      while (running.length > 0) await takeOldest();
      throw await tooLong(fixups.lines, options);
    }
    while (running.length > 0) await takeOldest();
    const schema = (await scanner.seen()).reduce(mergeParts, { columns: [] });
    await refuseColumnNames(schema, options);
    return {
      rows,
      bytes,
      sha256: hash === null ? null : (`sha256:${hash.digest('hex')}` as Sha256Id),
      schema,
      longestLineBytes,
      groupBytes: weight.bytesMax,
      fixups: finishFixups(fixups, bom, last === 10),
    };
  } finally {
    await Promise.allSettled(running);
    await digests.close();
    await offsets?.close();
  }
}

function asUnsigned(offsets: Float64Array): Uint8Array {
  return new Uint8Array(BigUint64Array.from(offsets, (offset) => BigInt(offset)).buffer);
}

async function placedRefusal(refusal: Refusal, linesBefore: number, options: ScanOptions): Promise<HoldoutError> {
  const line = linesBefore + refusal.line;
  const place =
    options.placeOf === undefined
      ? { line: line + 1, column: refusal.character + 1 }
      : await options.placeOf(line, refusal.byte);
  return refusalError(refusal, { file: options.name ?? options.path, ...place }, options.placeOf !== undefined);
}

async function tooLong(line: number, options: ScanOptions): Promise<HoldoutError> {
  const place = options.placeOf === undefined ? { line: line + 1 } : { line: (await options.placeOf(line, 0)).line };
  return new HoldoutError('LIMIT', `the row is longer than ${formatBytes(LINE_BYTES_MAX)}`, {
    file: options.name ?? options.path,
    ...place,
    hint: 'Keep such content in files of its own and name them in the row, or split the row.',
  });
}

async function refuseColumnNames(schema: InferredSchema, options: ScanOptions): Promise<void> {
  const fault = columnNameFault(schema);
  if (fault === null) return;
  const at = await placeOfOffset(options.path, fault.at);
  const place =
    options.placeOf === undefined
      ? { line: at.line + 1, column: at.character + 1 }
      : await options.placeOf(at.line, at.byte);
  throw new HoldoutError('INPUT_INVALID', fault.says, {
    file: options.name ?? options.path,
    ...place,
    hint: fault.hint,
  });
}
