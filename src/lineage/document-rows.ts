/**
 * Rows of a raw JSON document (a list of rows, an object that holds one, a single object): where they begin and how long
 * they are. The document is cut again as it was when it was read: out of the bytes that the store keeps, or of the file,
 * where it is still there as it was.
 * @module
 */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { BlobRecord } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { rawBytes } from '../snapshots/raw-files.ts';
import type { Store } from '../store/store.ts';
import { bomBytes } from '../tables/json-scan/file-places.ts';
import { type SplitOutput, beginSplit, feedSplit } from '../tables/json-scan/splitter.ts';
import { type RawLine, rawTextBytesMax } from './raw-lines.ts';
import { hasDigest } from './read-again.ts';
import type { BlobPlace, ReadFile } from './read-files.ts';
import type { RowPlace } from './row-source.ts';

/** A row of a document; `line` is the one on which it begins. */
export interface DocumentRow extends RawLine {
  /** From 0. */
  readonly row: number;
  /** The line on which it ends, from 1. */
  readonly lastLine: number;
}

/** A raw file, and where it was. */
export type RawDocument = Pick<ReadFile, 'blob' | 'path'>;

/** What documents are read with. */
export interface DocumentAccess {
  readonly store: Store;
  readonly engine: Engine;
}

/** Whether a file is such a document, as it stood. */
export function isDocument({ format, compression }: BlobRecord): boolean {
  return format === 'json' && compression === 'none';
}

/**
 * These rows (from 0), by number; the document is read up to the last of them. Null where its bytes are nowhere.
 * @throws HoldoutError as the store does
 */
export async function documentRows(
  access: DocumentAccess,
  file: RawDocument,
  wanted: readonly number[],
): Promise<ReadonlyMap<number, DocumentRow> | null> {
  const bytes = await documentBytes(access, file);
  if (bytes === null) return null;
  const left = new Set(wanted);
  const found = new Map<number, DocumentRow>();
  if (left.size === 0) return found;
  for await (const row of rowsOf(bytes, file.blob, (number) => left.has(number))) {
    found.set(row.row, row);
    left.delete(row.row);
    if (left.size === 0) break;
  }
  return found;
}

/**
 * A place with the line on which its row begins, where that is known of such a document and no other row begins there: of
 * a document on one line the number of the row says more.
 * @throws HoldoutError as the store does
 */
export async function lineOfDocument(access: DocumentAccess, at: BlobPlace): Promise<RowPlace> {
  if (at.line !== null || !isDocument(at.blob)) return at;
  const beside = [at.row - 1, at.row + 1].filter((row) => row >= 0 && row < at.blob.rows);
  const rows = await documentRows(access, { blob: at.blob, path: at.file }, [at.row, ...beside]);
  const line = rows?.get(at.row)?.line ?? null;
  return { ...at, line: beside.some((row) => rows?.get(row)?.line === line) ? null : line };
}

/**
 * The rows that have a part on a line (from 1), at most two: nobody can mean one of them by it. Null where the bytes of the
 * document are nowhere.
 * @throws HoldoutError as the store does
 */
export async function documentRowsOn(
  access: DocumentAccess,
  file: RawDocument,
  line: number,
): Promise<readonly DocumentRow[] | null> {
  const bytes = await documentBytes(access, file);
  if (bytes === null) return null;
  const found: DocumentRow[] = [];
  for await (const row of rowsOf(bytes, file.blob, () => true)) {
    if (row.line > line || found.length === 2) break;
    if (row.lastLine >= line) found.push(row);
  }
  return found;
}

async function documentBytes(
  { store, engine }: DocumentAccess,
  { blob, path }: RawDocument,
): Promise<AsyncIterable<Uint8Array> | null> {
  if (blob.content.kind !== 'digest') return rawBytes(store, engine, blob);
  const file = resolve(store.projectRoot, path);
  try {
    const known = await (await store.sourceCache()).known(file);
    const isSame = known === null ? await hasDigest(file, blob) : known === blob.sha256;
    return isSame ? (createReadStream(file) as AsyncIterable<Buffer>) : null;
  } catch {
    // A file that is gone, or cannot be read any more, only tells less.
    return null;
  }
}

/** A row that was begun, and its bytes so far. */
interface OpenRow {
  readonly row: number;
  readonly offset: number;
  readonly line: number;
  readonly held: Buffer[];
  heldBytes: number;
}

async function* rowsOf(
  chunks: AsyncIterable<Uint8Array>,
  blob: BlobRecord,
  wanted: (row: number) => boolean,
): AsyncGenerator<DocumentRow> {
  let state: ReturnType<typeof beginSplit> | null = null;
  let open: OpenRow | null = null;
  let count = 0;
  let ended: DocumentRow[] = [];
  /** The bytes that are fed, and the offset of their first. */
  let bytes: Buffer = Buffer.alloc(0);
  let base = 0;
  const hold = (row: OpenRow, end: number): void => {
    const part = bytes.subarray(Math.max(0, row.offset - base), end - base);
    const room = part.subarray(0, rawTextBytesMax - row.heldBytes);
    row.held.push(Buffer.from(room));
    row.heldBytes += room.length;
  };
  const finish = (row: OpenRow, end: number, lastLine: number): DocumentRow => {
    const { row: number, offset, line, held } = row;
    const length = end - offset;
    const text = Buffer.concat(held).subarray(0, length).toString();
    return { row: number, line, lastLine, offset, bytes: length, text, cut: length > rawTextBytesMax };
  };
  const output: SplitOutput = {
    out: new Uint8Array(0),
    skeleton: new Uint8Array(0),
    keys: [],
    onRow(offset, line) {
      open = wanted(count) ? { row: count, offset, line: line + 1, held: [], heldBytes: 0 } : null;
      count += 1;
    },
    onRowEnd(end) {
      if (open === null) return;
      hold(open, end);
      ended.push(finish(open, end, state!.line + 1));
      open = null;
    },
  };
  /** Of a document that is one object: from its first bracket to its last. */
  let whole: OpenRow | null = null;
  let wholeEnd = 0;
  let wholeLastLine = 1;
  let line = 1;
  for await (const chunk of chunks) {
    bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const skipped = state === null ? bomBytes(bytes) : 0;
    state ??= beginSplit(skipped);
    state.outLength = 0;
    const fed = bytes.subarray(skipped);
    feedSplit(state, output, fed);
    if (blob.rows === 1) {
      const first = fed.findIndex(isNotSpace);
      if (whole === null) line += newlines(first < 0 ? fed : fed.subarray(0, first));
      if (first >= 0) {
        whole ??= { row: 0, offset: base + skipped + first, line, held: [], heldBytes: 0 };
        const behind = fed.findLastIndex(isNotSpace) + 1;
        wholeEnd = base + skipped + behind;
        wholeLastLine = state.line + 1 - newlines(fed.subarray(behind));
      }
      if (whole !== null) hold(whole, base + bytes.length);
    }
    // An event of the splitter may have opened one: the type of `open` knows nothing of that.
    const begun = open as OpenRow | null;
    if (begun !== null) hold(begun, base + bytes.length);
    base += bytes.length;
    yield* ended;
    ended = [];
  }
  if (count === 0 && whole !== null && wanted(0)) yield finish(whole, wholeEnd, wholeLastLine);
}

function isNotSpace(byte: number): boolean {
  return byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09;
}

function newlines(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + (byte === 0x0a ? 1 : 0), 0);
}
