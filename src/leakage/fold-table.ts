/**
 * How each Unicode code point takes part in a word token: a versioned table instead of the running Node's Unicode, so
 * that no verdict depends on it. NFKD, case fold, combining marks and invisible characters ignored, some look-alikes
 * folded to Latin; made by generate-fold-table.mjs.
 * @module
 */
import { inflateRawSync } from 'node:zlib';
import { foldTableBase64 } from './fold-table.data.ts';

/** Entry of a character that separates tokens. */
export const SEPARATOR = 0;
/** Entry of a character that is skipped inside a token. */
export const IGNORED = 1;
/** Bit of an entry whose character is a token of its own; the low 21 bits are its folded code point. */
export const SINGLE = 1 << 24;
/** Bit of an entry that stands for several; the low 24 bits are the place of their count in `lists`. */
export const LIST = 1 << 25;

/** Two-stage table: `pages[(pageOf[cp >> 8] << 8) | (cp & 255)]` is the entry of code point `cp`. */
export interface FoldTable {
  readonly pageOf: Uint16Array;
  readonly pages: Int32Array;
  /** Count, then that many entries (letters, singles, separators), again and again. */
  readonly lists: Int32Array;
}

const PAGES = 0x1100;
let decoded: FoldTable | undefined;

/** The table, unpacked once. */
export function foldTable(): FoldTable {
  decoded ??= decodeFoldTable(inflateRawSync(Buffer.from(foldTableBase64, 'base64')));
  return decoded;
}

/** The entry of a code point. */
export function foldEntry(table: FoldTable, codePoint: number): number {
  const page = table.pageOf[codePoint >> 8] ?? 0;
  return table.pages[(page << 8) | (codePoint & 255)] ?? SEPARATOR;
}

function decodeFoldTable(bytes: Uint8Array): FoldTable {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const lists = Int32Array.from({ length: next() }, next);
  const runs = next() / 3;
  const flat = new Int32Array(PAGES << 8);
  let codePoint = 0;
  for (let run = 0; run < runs; run++) {
    const end = codePoint + next();
    const kind = next();
    const zigzag = next();
    const step = zigzag % 2 === 1 ? -(zigzag + 1) / 2 : zigzag / 2;
    if (kind >= 2 && kind <= 3) for (let at = codePoint; at < end; at++) flat[at] = runEntry(kind, step, at);
    else flat.fill(runEntry(kind, step, codePoint), codePoint, end);
    codePoint = end;
  }
  return { ...sharePages(flat), lists };
}

function runEntry(kind: number, step: number, codePoint: number): number {
  switch (kind) {
    case 4:
      return LIST | step;
    case 3:
      return SINGLE | (codePoint + step);
    case 2:
      return codePoint + step;
    default:
      return kind;
  }
}

/** Keeps equal pages once: most of Unicode is a few of them. */
function sharePages(flat: Int32Array): Pick<FoldTable, 'pageOf' | 'pages'> {
  const known = new Map<string, number>();
  const pageOf = new Uint16Array(PAGES);
  const kept: Int32Array[] = [];
  for (let page = 0; page < PAGES; page++) {
    const entries = flat.subarray(page << 8, (page + 1) << 8);
    const key = Buffer.from(entries.buffer, entries.byteOffset, entries.byteLength).toString('latin1');
    let index = known.get(key);
    if (index === undefined) {
      index = kept.length;
      known.set(key, index);
      kept.push(entries);
    }
    pageOf[page] = index;
  }
  const pages = new Int32Array(kept.length << 8);
  for (const [index, entries] of kept.entries()) pages.set(entries, index << 8);
  return { pageOf, pages };
}
