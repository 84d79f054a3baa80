/**
 * JSON documents (a list of rows, an object that holds one, a single object) as files of one row a line, which are
 * then scanned like any other; errors and rows still name the lines of the document.
 * @module
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Sha256Id } from '../../../schemas/ids.ts';
import { HoldoutError } from '../../errors.ts';
import { bomBytes, named, openInput, placeOfOffset, refuseUtf16, writeAll } from './file-places.ts';
import { LINE_BYTES_MAX } from './read-blocks.ts';
import { refusalError } from './refusals.ts';
import { hereScanner } from './scanner.ts';
import { beginSplit, endSplit, feedSplit, SplitFault, type SplitOutput, type SplitState } from './splitter.ts';
import { formatBytes } from '../../size-text.ts';

const CHUNK_BYTES = 1 << 20;

/** A document that has been cut into rows. */
export interface SplitDocument {
  /** `array`: a list of rows; `rows`: an object with rows under `key`; `object`: an object that is the only row. */
  readonly form: 'array' | 'rows' | 'object';
  readonly key: string | null;
  readonly rows: number;
  /** Of the document itself. */
  readonly bytes: number;
  readonly sha256: Sha256Id;
  /** Offset in the document of each row's first byte. */
  readonly starts: Float64Array;
  /** The document's line, from 1, on which a row (from 0) begins. */
  readonly lineOfRow: (row: number) => number;
  /** Where a byte of the row on a line (both from 0) of the spool stands in the document; for `scanLines`. */
  readonly placeOf: (line: number, byte: number) => Promise<{ line: number; column: number }>;
}

/** Options of `splitDocument`. */
export interface SplitOptions {
  /** Name of the document in errors, by default its path. */
  readonly name?: string;
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Writes the document's rows to `spoolPath`, one a line.
 * @throws HoldoutError INPUT_INVALID for a malformed document or one with several lists of objects, LIMIT, NOT_FOUND
 */
export async function splitDocument(
  path: string,
  spoolPath: string,
  options: SplitOptions = {},
): Promise<SplitDocument> {
  const name = options.name ?? path;
  const starts = growing((length) => new Float64Array(length));
  const lines = growing((length) => new Uint32Array(length));
  const output: SplitOutput = {
    out: new Uint8Array(2 * CHUNK_BYTES),
    skeleton: new Uint8Array(1 << 12),
    keys: [],
    onRow: (offset, line) => {
      starts.push(offset);
      lines.push(line);
    },
  };
  const hash = createHash('sha256');
  const spool = await open(spoolPath, 'w');
  let bytes = 0;
  try {
    const state = await feedFile(path, name, output, {
      after: async (fed, raw) => {
        hash.update(raw);
        bytes += raw.length;
        await writeAll(spool, output.out.subarray(0, fed.outLength));
        fed.outLength = 0;
        if (fed.skeletonLength > LINE_BYTES_MAX) throw tooLarge(name);
        options.onProgress?.(bytes);
        return true;
      },
    });
    endSplit(state);
    if (output.keys.length > 1) throw severalLists(output.keys, name);
    const skeleton = output.skeleton.subarray(0, state.skeletonLength);
    const form = state.form === 'array' ? 'array' : output.keys.length === 1 ? 'rows' : 'object';
    if (form === 'rows') await checkSkeleton(path, name, skeleton);
    if (form === 'object') {
      const start = await locate(path, (at) => at.skeletonLength > 0);
      output.onRow(start, (await placeOfOffset(path, start)).line);
      await writeAll(spool, skeleton);
      await writeAll(spool, Buffer.from('\n'));
    }
    const rowLines = lines.taken();
    return {
      form,
      key: form === 'rows' ? keyText(output.keys[0]) : null,
      rows: rowLines.length,
      bytes,
      sha256: `sha256:${hash.digest('hex')}` as Sha256Id,
      starts: starts.taken(),
      lineOfRow: (row) => (rowLines[row] ?? 0) + 1,
      placeOf: async (row, byte) =>
        form === 'object'
          ? placeWhere(path, (at) => at.skeletonLength > byte)
          : placeWhere(path, (at) => at.rows > row + 1 || (at.rows === row + 1 && at.rowBytes - at.rowFrom > byte)),
    };
  } catch (error) {
    if (!(error instanceof SplitFault)) throw named(error, name);
    const place = await placeOfOffset(path, error.offset);
    throw new HoldoutError('INPUT_INVALID', error.message, {
      file: name,
      line: place.line + 1,
      column: place.character + 1,
      hint: 'The file must hold one JSON list of objects, or an object with one such list; or one object a line.',
    });
  } finally {
    await spool.close();
  }
}

interface Feeding {
  /** Called before and after each chunk; feeding goes on while `after` says so. */
  before?(state: SplitState, chunk: Uint8Array): void;
  after(state: SplitState, raw: Uint8Array): Promise<boolean>;
}

async function feedFile(path: string, name: string, output: SplitOutput, feeding: Feeding): Promise<SplitState> {
  const file = await openInput(path);
  const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let state: SplitState | null = null;
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return state ?? beginSplit(0);
      const raw = buffer.subarray(0, bytesRead);
      let chunk = raw;
      if (state === null) {
        refuseUtf16(raw, name);
        state = beginSplit(bomBytes(raw));
        chunk = raw.subarray(bomBytes(raw));
      }
      feeding.before?.(state, chunk);
      feedSplit(state, output, chunk);
      if (!(await feeding.after(state, raw))) return state;
    }
  } finally {
    await file.close();
  }
}

/** Offset of the byte of the document at which the reading first reached what is asked; its end when it never does. */
async function locate(path: string, reached: (state: SplitState) => boolean): Promise<number> {
  const output: SplitOutput = { out: new Uint8Array(0), skeleton: new Uint8Array(0), keys: [], onRow: () => undefined };
  let kept = { ...beginSplit(0) };
  let keptKeys = 0;
  let chunk: Uint8Array = new Uint8Array(0);
  const state = await feedFile(path, path, output, {
    before: (at, next) => {
      at.outLength = 0;
      kept = { ...at };
      keptKeys = output.keys.length;
      chunk = Uint8Array.from(next);
    },
    after: async (at) => !reached(at),
  });
  if (!reached(state)) return state.fed;
  output.keys.length = keptKeys;
  for (let i = 0; i < chunk.length && !reached(kept); i++) feedSplit(kept, output, chunk.subarray(i, i + 1));
  return kept.fed - 1;
}

async function placeWhere(
  path: string,
  reached: (state: SplitState) => boolean,
): Promise<{ line: number; column: number }> {
  const place = await placeOfOffset(path, await locate(path, reached));
  return { line: place.line + 1, column: place.character + 1 };
}

/** Holds what stands around the rows to the same rules as rows: duplicate keys, UTF-8, numbers. */
async function checkSkeleton(path: string, name: string, skeleton: Uint8Array): Promise<void> {
  const { result } = await hereScanner.exclusive(async () => {
    hereScanner.begin();
    return hereScanner.scan({ block: new Uint8Array(skeleton), offset: 0, wantOffsets: false });
  });
  const { refusal } = result;
  if (refusal === null) return;
  const place = await placeWhere(path, (at) => at.skeletonLength > refusal.byte);
  throw refusalError(refusal, { file: name, ...place });
}

function severalLists(keys: readonly string[], name: string): HoldoutError {
  const names = keys.map(keyText).map((key) => `"${key}"`);
  return new HoldoutError('INPUT_INVALID', `several members hold lists of objects: ${names.join(', ')}`, {
    file: name,
    hint: 'Write the rows that are meant to a file of their own, one object a line.',
  });
}

function tooLarge(name: string): HoldoutError {
  return new HoldoutError('LIMIT', `what stands around the rows is larger than ${formatBytes(LINE_BYTES_MAX)}`, {
    file: name,
    hint: 'Write the rows to a file of their own, one object a line.',
  });
}

/** The text of a member name from its JSON, as it stands when that is malformed. */
function keyText(json: string | undefined): string {
  try {
    return String(JSON.parse(json ?? '""'));
  } catch {
    return json ?? '';
  }
}

interface Growing<T> {
  push(value: number): void;
  taken(): T;
}

/** A list of numbers in a typed array that doubles when it is full. */
function growing<T extends Float64Array | Uint32Array>(make: (length: number) => T): Growing<T> {
  let values = make(1024);
  let length = 0;
  return {
    push: (value) => {
      if (length === values.length) {
        const larger = make(length * 2);
        larger.set(values);
        values = larger;
      }
      values[length++] = value;
    },
    taken: () => values.subarray(0, length) as T,
  };
}
