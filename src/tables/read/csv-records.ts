/**
 * Reads CSV and TSV records from bytes (RFC 4180): a field is quoted where its first byte is a quote, quotes inside are
 * doubled, lines end in LF or CRLF, mixed as they may be. Blank lines are no records. Everything else that could be read
 * in two ways is refused with its line.
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { HoldoutError } from '../../errors.ts';
import type { ErrorPlace } from '../../errors.ts';
import type { CountBytes } from './unpack.ts';

/** One record. Its arrays are used again for the next. */
export interface CsvRecord {
  /** The line, from 1, on which it begins; line ends inside quotes count. */
  line: number;
  /** How many fields it has. */
  count: number;
  bytes: Buffer;
  /** Where each field's bytes begin and end, without its quotes. */
  readonly starts: number[];
  readonly ends: number[];
  readonly quoted: boolean[];
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;

/** The longest record, in bytes. */
const recordBytesMax = 256 * 1024 * 1024;

/**
 * Visits all records of a file.
 * @throws HoldoutError `INPUT_INVALID` with line and column for what is no CSV; `LIMIT` for a record past 256 MB.
 */
export async function visitCsvRecords(
  path: string,
  options: { readonly delimiter: string; readonly name: string; readonly count: CountBytes },
  visit: (record: CsvRecord) => void | Promise<void>,
): Promise<void> {
  const file = await open(path, 'r');
  try {
    const record: CsvRecord = { line: 1, count: 0, bytes: Buffer.alloc(0), starts: [], ends: [], quoted: [] };
    const scan: Scan = { line: 1, delimiter: options.delimiter.charCodeAt(0), name: options.name };
    let buffer = Buffer.allocUnsafe(1 << 20);
    let held = 0;
    let first = true;
    for (let ended = false; !ended;) {
      if (held === buffer.length) {
        if (held >= recordBytesMax) {
          throw new HoldoutError('LIMIT', 'a record is longer than 256 MiB; a quote may be missing', {
            file: options.name,
            line: scan.line,
          });
        }
        const larger = Buffer.allocUnsafe(buffer.length * 2);
        buffer.copy(larger, 0, 0, held);
        buffer = larger;
      }
      const { bytesRead } = await file.read(buffer, held, buffer.length - held, null);
      options.count(bytesRead);
      held += bytesRead;
      ended = bytesRead === 0;
      let at = 0;
      if (first) {
        // Too little to tell a byte order mark from text.
        if (held < 3 && !ended) continue;
        first = false;
        if (
          buffer
            .subarray(0, held)
            .subarray(0, 3)
            .equals(Buffer.from([0xef, 0xbb, 0xbf]))
        )
          at = 3;
      }
      const bytes = buffer.subarray(0, held);
      while (at < held) {
        const next = readRecord(bytes, at, ended, scan, record);
        if (next < 0) break;
        checkText(bytes.subarray(at, next), record.line, options.name);
        at = next;
        if (record.count > 0) await visit(record);
      }
      // The visited records are done with; what is left of the buffer moves to its front.
      buffer.copyWithin(0, at, held);
      held -= at;
    }
  } finally {
    await file.close();
  }
}

/** The text of a field. */
export function fieldText(record: CsvRecord, index: number): string {
  const text = record.bytes.toString('utf8', record.starts[index], record.ends[index]);
  return record.quoted[index] === true ? text.replaceAll('""', '"') : text;
}

/** Where the field `index` of a record begins, or where the record ends when it has fewer; lines and columns from 1. */
export function fieldPlace(record: CsvRecord, index: number): { readonly line: number; readonly column: number } {
  const quote = (field: number): number => (record.quoted[field] === true ? 1 : 0);
  const last = record.count - 1;
  const from = (record.starts[0] ?? 0) - quote(0);
  const at = index <= last ? (record.starts[index] ?? 0) - quote(index) : (record.ends[last] ?? 0) + quote(last);
  let line = record.line;
  for (let end = record.bytes.indexOf(LF, from); end >= 0 && end < at; end = record.bytes.indexOf(LF, end + 1)) line++;
  return { line, column: columnAt(record.bytes, at) };
}

/** The column, in characters from 1, at which a byte of the record stands in its line. */
function columnAt(bytes: Buffer, at: number): number {
  const lineStart = at === 0 ? 0 : bytes.lastIndexOf(LF, at - 1) + 1;
  // A mark at the start of the file is none of its characters; the bytes of half a character count as one.
  return Array.from(bytes.toString('utf8', lineStart, at).replace(/^\ufeff/, '')).length + 1;
}

interface Scan {
  line: number;
  readonly delimiter: number;
  readonly name: string;
}

/** Reads the record at an offset; returns where the next begins, or −1 when more bytes are needed. */
function readRecord(bytes: Buffer, from: number, ended: boolean, scan: Scan, record: CsvRecord): number {
  const { delimiter } = scan;
  const length = bytes.length;
  let line = scan.line;
  let at = from;
  let count = 0;
  for (;;) {
    const quoted = bytes[at] === QUOTE;
    let end: number;
    if (quoted) {
      const start = at + 1;
      const openedOn = line;
      at = start;
      for (;;) {
        if (at >= length) {
          if (!ended) return -1;
          throw new HoldoutError('INPUT_INVALID', 'a quoted field is not closed', {
            file: scan.name,
            line: openedOn,
            column: columnAt(bytes, start - 1),
            hint: 'The quote opened in this record has no end; quotes inside a quoted field are doubled.',
          });
        }
        const byte = bytes[at];
        if (byte === LF) line++;
        if (byte !== QUOTE) at++;
        else if (bytes[at + 1] === QUOTE) at += 2;
        else if (at + 1 >= length && !ended) return -1;
        else break;
      }
      end = at;
      at++;
      record.starts[count] = start;
    } else {
      record.starts[count] = at;
      while (at < length) {
        const byte = bytes[at];
        if (byte === delimiter || byte === LF || byte === CR) break;
        at++;
      }
      end = at;
    }
    record.ends[count] = end;
    record.quoted[count] = quoted;
    count++;
    const byte = bytes[at];
    if (byte === delimiter) {
      at++;
      continue;
    }
    if (at >= length && !ended) return -1;
    if (byte === CR && at + 1 >= length && !ended) return -1;
    if (at < length) {
      if (byte === LF) at++;
      else if (byte === CR && bytes[at + 1] === LF) at += 2;
      else throw strayByte(byte, { file: scan.name, line, column: columnAt(bytes, at) });
      line++;
    }
    record.line = scan.line;
    record.bytes = bytes;
    // A line without a single byte is no record.
    record.count = count === 1 && !quoted && record.starts[0] === end ? 0 : count;
    scan.line = line;
    return at;
  }
}

function strayByte(byte: number | undefined, place: ErrorPlace): HoldoutError {
  return byte === CR
    ? new HoldoutError('INPUT_INVALID', 'a carriage return without a line feed stands outside quotes', {
        ...place,
        hint: 'End lines in LF or CRLF, or quote the field.',
      })
    : new HoldoutError('INPUT_INVALID', 'text follows a closing quote', {
        ...place,
        hint: 'Quotes inside a quoted field are doubled: "".',
      });
}

function checkText(bytes: Buffer, line: number, name: string): void {
  if (isUtf8(bytes)) return;
  let at = line;
  let column = 1;
  for (const part of splitLines(bytes)) {
    if (!isUtf8(part)) {
      column = firstBadCharacter(part);
      break;
    }
    at++;
  }
  throw new HoldoutError('INPUT_INVALID', 'the text is not valid UTF-8', {
    file: name,
    line: at,
    column,
    hint: 'Convert it first, for example: iconv -f WINDOWS-1252 -t UTF-8 FILE.',
  });
}

/** The column of the first byte that begins no character. */
function firstBadCharacter(line: Buffer): number {
  let column = 1;
  for (let at = 0; at < line.length; column++) {
    const first = line[at] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (!isUtf8(line.subarray(at, at + length))) return column;
    at += length;
  }
  return column;
}

function* splitLines(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at <= bytes.length;) {
    const end = bytes.indexOf(LF, at);
    yield bytes.subarray(at, end < 0 ? bytes.length : end);
    at = end < 0 ? bytes.length + 1 : end + 1;
  }
}
