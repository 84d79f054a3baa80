/**
 * The scan of JSON lines, compiled to WebAssembly (`npm run kernels` writes kernel.wasm.ts). One pass over a block of
 * whole lines checks each strictly, records what stands at which path, and writes each row's canonical encoding.
 * kernel.ts is the other side of this interface.
 * @module
 */
import {
  reserve as reserveMemory,
  INPUT,
  OUTPUT,
  MEMBERS,
  ROWS,
  BLANKS,
  WAITING_MAX,
  OUTPUT_WAITING,
} from './memory.as';
import { out, setOut, setTop, setFileBase, skipBlanks, fail, clearFail } from './state.as';
import { failCode, failAt, NOT_OBJECT, TRAILING } from './state.as';
import { parseObject } from './value.as';
import { clearTrie, ROOT } from './trie.as';

const DONE = 0;
const WAITING = 1;
const REFUSED = 2;

let cursor: usize = 0;
let end: usize = 0;
let rowsWaiting: u32 = 0;
let blanksWaiting: u32 = 0;
let newlines: u32 = 0;
let crlfs: u32 = 0;
let longest: u32 = 0;

/** Makes room for a block of so many bytes; address to write it to, 0 where there is no room. */
export function reserve(bytes: usize): usize {
  return reserveMemory(bytes);
}

/** Begins another file. */
export function begin(): void {
  reserveMemory(0);
  clearTrie();
}

/** Begins a block that was written to the reserved place; `offset` is that of its first byte in the file. */
export function open(bytes: usize, offset: f64): void {
  cursor = INPUT;
  end = INPUT + bytes;
  // A line end behind the last byte stops every loop there.
  store<u8>(end, 0x0a);
  memory.fill(end + 1, 0, 31);
  setFileBase(offset);
  clearFail();
  newlines = 0;
  crlfs = 0;
  longest = 0;
}

/** Scans on: 0 the block is done, 1 rows wait to be taken and there is more, 2 a line is refused. */
export function run(): i32 {
  rowsWaiting = 0;
  blanksWaiting = 0;
  setOut(OUTPUT);
  while (cursor < end) {
    if (rowsWaiting == WAITING_MAX || blanksWaiting == WAITING_MAX || out - OUTPUT >= OUTPUT_WAITING) return WAITING;
    const line = cursor;
    let p = skipBlanks(line);
    if (load<u8>(p) == 0x0a) {
      pushBlank(line, p);
    } else {
      p = scanRow(line, p);
      if (p == 0) return REFUSED;
    }
    const crlf = p < end && p > line && load<u8>(p - 1) == 0x0d;
    if (p < end) newlines++;
    if (crlf) crlfs++;
    const bytes = <u32>(p - line) - <u32>crlf;
    if (bytes > longest) longest = bytes;
    cursor = p + 1;
  }
  return DONE;
}

/** Scans the row that begins at `p`; address of its line end, 0 where it is refused. */
function scanRow(line: usize, p: usize): usize {
  if (load<u8>(p) != 0x7b) return fail(NOT_OBJECT, p);
  const preimage = out;
  // "holdout-row-v1:" as two numbers; the sixteenth byte is overwritten.
  store<u64>(preimage, 0x2d74756f646c6f68);
  store<u64>(preimage, 0x003a31762d776f72, 8);
  setOut(preimage + 15);
  setTop(MEMBERS);
  p = parseObject(p, ROOT, 1);
  if (p == 0) return 0;
  p = skipBlanks(p);
  if (load<u8>(p) != 0x0a) return fail(TRAILING, p);
  const entry = ROWS + rowsWaiting * 12;
  store<u32>(entry, <u32>preimage);
  store<u32>(entry, <u32>out, 4);
  store<u32>(entry, <u32>(line - INPUT), 8);
  rowsWaiting++;
  return p;
}

function pushBlank(line: usize, p: usize): void {
  // The carriage return of CRLF belongs to the line end.
  const crlf = p < end && p > line && load<u8>(p - 1) == 0x0d;
  const entry = BLANKS + blanksWaiting * 12;
  store<u32>(entry, newlines);
  store<u32>(entry, <u32>(line - INPUT), 4);
  store<u32>(entry, <u32>(p - line) - <u32>crlf, 8);
  blanksWaiting++;
}

/** Address of the waiting rows' entries: {preimage, its end, offset of the line in the block}. */
export function rowsAt(): usize {
  return ROWS;
}
export function rowCount(): u32 {
  return rowsWaiting;
}
/** Address of the waiting blank lines' entries: {line number in the block, offset, bytes}. */
export function blanksAt(): usize {
  return BLANKS;
}
export function blankCount(): u32 {
  return blanksWaiting;
}
export function newlineCount(): u32 {
  return newlines;
}
export function crlfCount(): u32 {
  return crlfs;
}
export function longestLine(): u32 {
  return longest;
}
export function refusalCode(): i32 {
  return failCode;
}
/** Offset in the block of the byte that is refused. */
export function refusalAt(): u32 {
  return <u32>(failAt - INPUT);
}
/** Address of the root of what was seen; trie.ts reads on from there. */
export function rootAt(): usize {
  return ROOT;
}
