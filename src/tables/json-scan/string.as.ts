/**
 * Strings: decoded and checked in one pass, sixteen bytes at a time where nothing is special, written as `S<n>:…`.
 * @module
 */
import { out, setOut, fail, digitsOf, writeDigits } from './state.as';
import { BAD_UTF8, LONE_SURROGATE, BAD_ESCAPE, RAW_CONTROL } from './state.as';
import { STRING_DIGITS } from './trie.as';

/** The last string's text: its length in bytes, and the length of the `S<n>:` before it. */
export let textBytes: usize = 0;
export let textHead: usize = 0;

/** Where escapes and characters past ASCII are written next; set by the helpers below. */
let to: usize = 0;

/** Parses the string whose opening quote is at `p`. */
export function parseString(p: usize, node: usize): usize {
  // The length comes first but is known last: room is left for as many digits as it had here the last time.
  const start = out;
  const guess: usize = <usize>load<u8>(node, STRING_DIGITS) + 1;
  const text = start + 2 + guess;
  let at = text;
  p++;
  for (;;) {
    const bytes = v128.load(p);
    v128.store(at, bytes);
    // As signed numbers the control characters and the bytes past ASCII are both below the space.
    const special = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c))),
        i8x16.lt_s(bytes, i8x16.splat(0x20)),
      ),
    );
    if (special == 0) {
      p += 16;
      at += 16;
      continue;
    }
    const plain: usize = ctz(special);
    p += plain;
    at += plain;
    const c = load<u8>(p);
    if (c == 0x22) break;
    to = at;
    if (c == 0x5c) p = decodeEscape(p);
    else if (c >= 0x80) p = copyCharacters(p);
    else return fail(RAW_CONTROL, p);
    if (p == 0) return 0;
    at = to;
  }
  const length = at - text;
  const digits = digitsOf(length);
  if (digits != guess) {
    memory.copy(start + 2 + digits, text, length);
    store<u8>(node, <u8>(digits - 1), STRING_DIGITS);
  }
  store<u8>(start, 0x53);
  writeDigits(start + 1, length, digits);
  store<u8>(start + 1 + digits, 0x3a);
  textBytes = length;
  textHead = digits + 2;
  setOut(start + 2 + digits + length);
  return p + 1;
}

/** Copies the run of characters past ASCII at `p`; overlong forms, surrogates and > U+10FFFF are refused. */
function copyCharacters(p: usize): usize {
  let at = to;
  for (;;) {
    const four = load<u32>(p);
    const c = four & 0xff;
    if (c < 0x80) break;
    const second = (four >> 8) & 0xff;
    if (c < 0xe0) {
      if (c < 0xc2 || (second & 0xc0) != 0x80) return fail(BAD_UTF8, p);
      store<u16>(at, <u16>four);
      p += 2;
      at += 2;
    } else if (c < 0xf0) {
      if ((four & 0xc0c000) != 0x808000) return fail(BAD_UTF8, p);
      if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second >= 0xa0)) return fail(BAD_UTF8, p);
      store<u32>(at, four);
      p += 3;
      at += 3;
    } else {
      if (c > 0xf4 || (four & 0xc0c0c000) != 0x80808000) return fail(BAD_UTF8, p);
      if ((c == 0xf0 && second < 0x90) || (c == 0xf4 && second >= 0x90)) return fail(BAD_UTF8, p);
      store<u32>(at, four);
      p += 4;
      at += 4;
    }
  }
  to = at;
  return p;
}

function decodeEscape(p: usize): usize {
  let c: u32 = load<u8>(p + 1);
  if (c == 0x75) return decodeUnicode(p);
  if (c == 0x6e) c = 0x0a;
  else if (c == 0x74) c = 0x09;
  else if (c == 0x72) c = 0x0d;
  else if (c == 0x62) c = 0x08;
  else if (c == 0x66) c = 0x0c;
  else if (c != 0x22 && c != 0x5c && c != 0x2f) return fail(BAD_ESCAPE, p);
  store<u8>(to, <u8>c);
  to += 1;
  return p + 2;
}

function decodeUnicode(p: usize): usize {
  const unit = fourHex(p + 2);
  if (unit < 0) return fail(BAD_ESCAPE, p);
  let code: u32 = unit;
  let next = p + 6;
  if (code >= 0xd800 && code < 0xe000) {
    if (code >= 0xdc00 || load<u16>(next) != 0x755c) return fail(LONE_SURROGATE, p);
    const low = fourHex(next + 2);
    if (low < 0) return fail(BAD_ESCAPE, next);
    if (low < 0xdc00 || low >= 0xe000) return fail(LONE_SURROGATE, p);
    code = 0x10000 + ((code - 0xd800) << 10) + (<u32>low - 0xdc00);
    next += 6;
  }
  if (code < 0x80) {
    store<u8>(to, <u8>code);
    to += 1;
  } else if (code < 0x800) {
    store<u8>(to, <u8>(0xc0 | (code >> 6)));
    store<u8>(to + 1, <u8>(0x80 | (code & 63)));
    to += 2;
  } else if (code < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (code >> 12)));
    store<u8>(to + 1, <u8>(0x80 | ((code >> 6) & 63)));
    store<u8>(to + 2, <u8>(0x80 | (code & 63)));
    to += 3;
  } else {
    store<u8>(to, <u8>(0xf0 | (code >> 18)));
    store<u8>(to + 1, <u8>(0x80 | ((code >> 12) & 63)));
    store<u8>(to + 2, <u8>(0x80 | ((code >> 6) & 63)));
    store<u8>(to + 3, <u8>(0x80 | (code & 63)));
    to += 4;
  }
  return next;
}

/** The number that four hex digits at `p` make, −1 where one is none. */
function fourHex(p: usize): i32 {
  let value: i32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const c: i32 = load<u8>(p + i);
    if (c >= 0x30 && c <= 0x39) value = (value << 4) | (c - 0x30);
    else if ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66) value = (value << 4) | ((c | 0x20) - 0x57);
    else return -1;
  }
  return value;
}
