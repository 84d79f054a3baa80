/**
 * Characters of a JSON string: decoded, and folded by the table of fold-table.ts.
 * @module
 */
import { addCodePoint, flush } from './token-part.as';

export const BACKSLASH: u32 = 0x5c;
export const AMPERSAND: u32 = 0x26;

const SINGLE: u32 = 1 << 24;
const LIST: u32 = 1 << 25;
const CODE_POINT: u32 = 0x1fffff;

let pageOf: usize = 0;
let pages: usize = 0;
let lists: usize = 0;

/** Sets the places of the fold table. */
export function setFoldTable(pageOfAt: usize, pagesAt: usize, listsAt: usize): void {
  pageOf = pageOfAt;
  pages = pagesAt;
  lists = listsAt;
}

/** The character that was decoded last, and where the next begins. */
export let decoded: u32 = 0;
export let after: usize = 0;

/** Whether an ASCII character is a letter or digit. */
// @ts-ignore: decorator
@inline
export function isAlphanumeric(c: u32): bool {
  return (c | 0x20) - 0x61 < 26 || c - 0x30 < 10;
}

/** Value of a hexadecimal digit. */
export function hexValue(c: u32): u32 {
  return c <= 0x39 ? c - 0x30 : (c | 0x20) - 0x57;
}

function hex4(at: usize): u32 {
  return (hexValue(load<u8>(at)) << 12) | (hexValue(load<u8>(at, 1)) << 8) | (hexValue(load<u8>(at, 2)) << 4) | hexValue(load<u8>(at, 3));
}

/** Decodes the character of a JSON string at `at` to `decoded`, its end to `after`. */
export function decode(at: usize): void {
  const c: u32 = load<u8>(at);
  if (c < 0x80) {
    if (c != BACKSLASH) {
      decoded = c;
      after = at + 1;
      return;
    }
    const d: u32 = load<u8>(at, 1);
    after = at + 2;
    if (d != 0x75) {
      // \" \\ \/ stand for themselves; \b \f \n \r \t all separate, as a newline does.
      decoded = isAlphanumeric(d) ? 10 : d;
      return;
    }
    decoded = hex4(at + 2);
    after = at + 6;
    if ((decoded & 0xf800) == 0xd800) {
      if (decoded < 0xdc00 && load<u8>(after) == BACKSLASH && load<u8>(after, 1) == 0x75) {
        const low = hex4(after + 2);
        if ((low & 0xfc00) == 0xdc00) {
          decoded = 0x10000 + ((decoded & 0x3ff) << 10) + (low & 0x3ff);
          after += 6;
          return;
        }
      }
      decoded = 10;
    }
    return;
  }
  if (c < 0xe0) {
    decoded = ((c & 31) << 6) | (load<u8>(at, 1) & 63);
    after = at + 2;
  } else if (c < 0xf0) {
    decoded = ((c & 15) << 12) | ((<u32>load<u8>(at, 1) & 63) << 6) | (load<u8>(at, 2) & 63);
    after = at + 3;
  } else {
    decoded = ((c & 7) << 18) | ((<u32>load<u8>(at, 1) & 63) << 12) | ((<u32>load<u8>(at, 2) & 63) << 6) | (load<u8>(at, 3) & 63);
    after = at + 4;
  }
}

/** What the fold table has for a character. */
export function foldEntry(cp: u32): u32 {
  if (cp > 0x10ffff) return 0;
  const page: u32 = load<u16>(pageOf + (<usize>(cp >> 8) << 1));
  return load<u32>(pages + (<usize>((page << 8) | (cp & 255)) << 2));
}

function takeEntry(entry: u32): void {
  if (entry == 1) return;
  if (entry == 0) {
    flush();
  } else if (entry & SINGLE) {
    flush();
    addCodePoint(entry & CODE_POINT);
    flush();
  } else {
    addCodePoint(entry & CODE_POINT);
  }
}

/** Adds a character, folded, to the token, or ends the token at it. */
export function takeCodePoint(cp: u32): void {
  const entry = foldEntry(cp);
  if (!(entry & LIST)) {
    takeEntry(entry);
    return;
  }
  const list = lists + (<usize>(entry & 0xffffff) << 2);
  const count = load<u32>(list);
  for (let i: u32 = 1; i <= count; i++) takeEntry(load<u32>(list + (<usize>i << 2)));
}
