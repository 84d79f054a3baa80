/**
 * Whether a line of JSON holds any text.
 * @module
 */
import { BACKSLASH, after, decode, decoded, foldEntry, isAlphanumeric } from './characters.as';

const QUOTE: u32 = 0x22;

/** Whether a line holds a string, not counting keys, with a token character in it. */
export function hasText(at: usize, end: usize): bool {
  let before: u32 = 0;
  while (at < end) {
    const c: u32 = load<u8>(at++);
    if (c != QUOTE) {
      if (c > 0x20) before = c;
      continue;
    }
    const isValue = before == 0x3a || before == 0x5b; // : [
    let has = false;
    for (;;) {
      const d: u32 = load<u8>(at);
      if (d == QUOTE || at >= end) break;
      if (d < 0x80 && d != BACKSLASH) {
        if (isAlphanumeric(d)) has = true;
        at++;
      } else {
        decode(at);
        if (foldEntry(decoded) > 1) has = true;
        at = after;
      }
      if (has && isValue) return true;
    }
    at++;
    if (has && before == 0x2c) {
      let next = at;
      while (load<u8>(next) <= 0x20 && next < end) next++;
      if (load<u8>(next) != 0x3a) return true;
    }
    before = c;
  }
  return false;
}

/** Whether a line is blank. */
export function isBlank(at: usize, end: usize): bool {
  for (; at < end; at++) if (load<u8>(at) > 0x20) return false;
  return true;
}
