/**
 * HTML entities in a text, as tokens.ts reads them.
 * @module
 */
import { after, decode, decoded, hexValue, takeCodePoint } from './characters.as';

/** Whether a name is known: up to eight ASCII letters, the first lowest. */
function entityName(name: u64): bool {
  return (
    name == 0x706d61 || // amp
    name == 0x746c || // lt
    name == 0x7467 || // gt
    name == 0x746f7571 || // quot
    name == 0x736f7061 || // apos
    name == 0x7073626e || // nbsp
    name == 0x687361646e || // ndash
    name == 0x687361646d || // mdash
    name == 0x6f7571736c || // lsquo
    name == 0x6f75717372 || // rsquo
    name == 0x6f7571646c || // ldquo
    name == 0x6f75716472 || // rdquo
    name == 0x70696c6c6568 || // hellip
    name == 0x6c6c7562 // bull
  );
}

/** The character that the reference read last names, and whether it was `amp;`. */
let referred: u32 = 0;
let again: bool = false;

/** Reads `#39;`, `#x27;` or `amp;` at `at` (after the ampersand); sets `referred` and `after` where there is one. */
function readReference(at: usize): bool {
  decode(at);
  if (decoded == 0x23) return readNumber(after);
  let name: u64 = 0;
  for (let i: u64 = 0; i < 7; i++) {
    if (decoded == 0x3b) {
      if (!entityName(name)) return false;
      again = name == 0x706d61;
      referred = 32;
      return true;
    }
    const letter = decoded | 0x20;
    if (decoded >= 0x80 || letter - 0x61 >= 26) return false;
    name |= (<u64>letter) << (i * 8);
    decode(after);
  }
  return false;
}

function readNumber(at: usize): bool {
  again = false;
  decode(at);
  const hex = (decoded | 0x20) == 0x78;
  if (hex) decode(after);
  const digitsMax: u32 = hex ? 6 : 7;
  let value: u32 = 0;
  let digits: u32 = 0;
  while (decoded != 0x3b) {
    const isDigit = decoded - 0x30 < 10;
    const isHex = hex && (decoded | 0x20) - 0x61 < 6;
    if (digits == digitsMax || decoded >= 0x80 || !(isDigit || isHex)) return false;
    value = hex ? (value << 4) | hexValue(decoded) : value * 10 + (decoded - 0x30);
    digits++;
    decode(after);
  }
  if (digits == 0) return false;
  referred = value > 0x10ffff || (value & 0x1ff800) == 0xd800 ? 32 : value;
  return true;
}

/** Takes what follows an ampersand that ended at `at`; returns where to go on. */
export function takeAmpersand(at: usize): usize {
  let end = at;
  let cp: u32 = 32;
  // `&amp;lt;` is `&lt;` escaped once more: after `amp;` another reference may follow.
  do {
    if (!readReference(end)) break;
    cp = referred;
    end = after;
  } while (again);
  takeCodePoint(cp);
  return end;
}
