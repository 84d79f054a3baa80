/**
 * Numbers. Without fraction and exponent: an exact integer, written as `I…;`. Otherwise an IEEE double: `I…;` where it
 * is integral and at most 2^53, `D` and its bits where not.
 * @module
 */
import { out, setOut, fail, digitsOf, writeDigits, BAD_NUMBER, INTEGER_TOO_LONG, FLOAT_OVERFLOW } from './state.as';
import { mark, flag, FLAGS, KIND_INT, KIND_FLOAT, INT_BIG, INT_NEGATIVE, INT_UNSIGNED, INT_WIDE } from './trie.as';

/** JavaScript's correctly rounded `Number(text)`, for the spellings that the exact short way below does not cover. */
declare function parseDouble(at: usize, bytes: usize): f64;

const POWERS = memory.data<f64>([
  1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
  1e21, 1e22,
]);
const TWO_53: u64 = 1 << 53;
const INT64_MAX: u64 = 0x7fff_ffff_ffff_ffff;
const TEN_19: u64 = 10_000_000_000_000_000_000;

/** Parses the number at `p`; `NaN`, `Infinity` and `-Infinity` as Python writes them are floats. */
export function parseNumber(p: usize, node: usize): usize {
  const start = p;
  const negative = load<u8>(p) == 0x2d;
  if (negative) p++;
  const first = load<u8>(p);
  if (first == 0x49 || first == 0x4e) return parseWord(start, p, negative, node);
  if (first < 0x30 || first > 0x39) return fail(BAD_NUMBER, start);

  const whole = p;
  let mantissa: u64 = 0;
  let c: u32 = first;
  do {
    mantissa = mantissa * 10 + (c - 0x30);
    c = load<u8>(++p);
  } while (c - 0x30 <= 9);
  const wholeDigits = p - whole;
  if (first == 0x30 && wholeDigits > 1) return fail(BAD_NUMBER, start);
  if (c != 0x2e && (c | 0x20) != 0x65) {
    if (wholeDigits > 38) return fail(INTEGER_TOO_LONG, start);
    classify(mantissa, wholeDigits, first, negative, node);
    writeInteger(start, p, negative && mantissa == 0 && wholeDigits == 1);
    return p;
  }

  // Significant digits: leading zeros do not count, so 0.0001 has one.
  let digits: usize = first == 0x30 ? 0 : wholeDigits;
  let exponent: i32 = 0;
  if (c == 0x2e) {
    const fraction = ++p;
    c = load<u8>(p);
    if (c - 0x30 > 9) return fail(BAD_NUMBER, start);
    do {
      mantissa = mantissa * 10 + (c - 0x30);
      if (digits > 0 || c != 0x30) digits++;
      c = load<u8>(++p);
    } while (c - 0x30 <= 9);
    exponent = -(<i32>(p - fraction));
  }
  if ((c | 0x20) == 0x65) {
    c = load<u8>(++p);
    const down = c == 0x2d;
    if (down || c == 0x2b) c = load<u8>(++p);
    if (c - 0x30 > 9) return fail(BAD_NUMBER, start);
    let power: i32 = 0;
    do {
      if (power < 100_000) power = power * 10 + <i32>(c - 0x30);
      c = load<u8>(++p);
    } while (c - 0x30 <= 9);
    exponent += down ? -power : power;
  }
  mark(node, KIND_FLOAT);
  let value: f64;
  if (digits <= 19 && mantissa <= TWO_53 && exponent >= -22 && exponent <= 22) {
    // Both operands are exact, so one correctly rounded operation gives the correctly rounded double (Clinger).
    value = <f64>mantissa;
    if (exponent < 0) value /= load<f64>(POWERS + ((<usize>-exponent) << 3));
    else value *= load<f64>(POWERS + ((<usize>exponent) << 3));
    if (negative) value = -value;
  } else {
    value = parseDouble(start, p - start);
    if (abs(value) == Infinity) return fail(FLOAT_OVERFLOW, start);
  }
  writeDouble(value);
  return p;
}

function parseWord(start: usize, p: usize, negative: bool, node: usize): usize {
  mark(node, KIND_FLOAT);
  // "Infi" "nity" as one number; "NaN" as three bytes.
  if (load<u64>(p) == 0x7974696e69666e49) {
    writeDouble(negative ? -Infinity : Infinity);
    return p + 8;
  }
  if (!negative && (load<u32>(p) & 0xffffff) == 0x4e614e) {
    writeDouble(NaN);
    return p + 3;
  }
  return fail(BAD_NUMBER, start);
}

/** Records how large integers get here: it decides the column's type. */
function classify(magnitude: u64, digits: usize, first: u8, negative: bool, node: usize): void {
  mark(node, KIND_INT);
  let flags: u32 = negative ? INT_NEGATIVE : 0;
  if (digits > 15) {
    // Up to 19 digits the magnitude is exact. One of 20 digits that begins with 1 has wrapped around, to less than
    // 10^19, exactly when it is past 2^64.
    const exact = digits < 20;
    const fits64 = exact || (digits == 20 && first == 0x31 && magnitude >= TEN_19);
    if (!exact || magnitude > TWO_53) flags |= INT_BIG;
    if (negative) {
      if (!exact || magnitude > INT64_MAX + 1) flags |= INT_WIDE;
    } else if (!exact || magnitude > INT64_MAX) {
      flags |= fits64 ? INT_UNSIGNED : INT_WIDE;
    }
  }
  if ((load<u32>(node, FLAGS) & flags) != flags) flag(node, flags);
}

function writeInteger(start: usize, end: usize, minusZero: bool): void {
  const from = minusZero ? start + 1 : start;
  const bytes = end - from;
  store<u8>(out, 0x49);
  v128.store(out + 1, v128.load(from));
  if (bytes > 16) {
    v128.store(out + 17, v128.load(from + 16));
    v128.store(out + 33, v128.load(from + 32));
  }
  store<u8>(out + 1 + bytes, 0x3b);
  setOut(out + 2 + bytes);
}

function writeDouble(value: f64): void {
  if (abs(value) <= <f64>TWO_53 && trunc(value) == value) {
    store<u8>(out, 0x49);
    let at = out + 1;
    if (value < 0) store<u8>(at++, 0x2d);
    const magnitude = <u64>abs(value);
    const digits = digitsOf(magnitude);
    writeDigits(at, magnitude, digits);
    store<u8>(at + digits, 0x3b);
    setOut(at + digits + 1);
    return;
  }
  const bits: u64 = value != value ? 0x7ff8000000000000 : reinterpret<u64>(value);
  const bytes = i64x2.splat(bswap<u64>(bits));
  const low = v128.and(bytes, i8x16.splat(15));
  const high = v128.and(i8x16.shr_u(bytes, 4), i8x16.splat(15));
  const nibbles = v128.shuffle<u8>(high, low, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const hex = i8x16(0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46);
  store<u8>(out, 0x44);
  v128.store(out + 1, v128.swizzle(hex, nibbles));
  setOut(out + 17);
}
