/**
 * What the parsing functions share: where the next output byte goes, the stack of members of open objects, the failure.
 * A parsing function returns the address behind what it read, 0 after a failure.
 * @module
 */

/** Address of the next byte of output. */
export let out: usize = 0;
export function setOut(at: usize): void {
  out = at;
}

/** Top of the stack of members; each is {segment, end, node, name's address in the input}. */
export let top: usize = 0;
export function setTop(at: usize): void {
  top = at;
}

/** Offset in the file of the block's first byte. */
export let fileBase: f64 = 0;
export function setFileBase(offset: f64): void {
  fileBase = offset;
}

export let failCode: i32 = 0;
export let failAt: usize = 0;

/** Records why the line is refused, and where; refusals.ts has the words in the order of these codes. */
export function fail(code: i32, at: usize): usize {
  failCode = code;
  failAt = at;
  return 0;
}
export function clearFail(): void {
  failCode = 0;
}

export const NOT_OBJECT = 1;
export const NO_VALUE = 2;
export const NO_NAME = 3;
export const NO_COLON = 4;
export const NO_OBJECT_END = 5;
export const NO_LIST_END = 6;
export const TRAILING = 7;
export const BAD_UTF8 = 8;
export const LONE_SURROGATE = 9;
export const BAD_ESCAPE = 10;
export const RAW_CONTROL = 11;
export const BAD_NUMBER = 12;
export const INTEGER_TOO_LONG = 13;
export const FLOAT_OVERFLOW = 14;
export const DUPLICATE = 15;
export const TOO_DEEP = 16;
export const TOO_MANY_COLUMNS = 17;
export const TOO_MANY_KEYS = 18;

/** Address of the first byte at or after `p` that is no space, tab or carriage return. */
export function skipBlanks(p: usize): usize {
  let c = load<u8>(p);
  while (c == 0x20 || c == 0x09 || c == 0x0d) c = load<u8>(++p);
  return p;
}

export function digitsOf(value: u64): usize {
  let digits: usize = 1;
  while (value >= 10) {
    value /= 10;
    digits++;
  }
  return digits;
}

export function writeDigits(at: usize, value: u64, digits: usize): void {
  while (digits > 0) {
    digits--;
    store<u8>(at + digits, 0x30 + <u8>(value % 10));
    value /= 10;
  }
}
