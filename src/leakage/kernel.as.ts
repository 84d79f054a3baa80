// The scan of the training text (AssemblyScript; compiled by `npm run kernels`). It reads raw JSON lines, finds word
// tokens as tokens.ts defines them (JSON escapes decoded here, no JSON parser), and looks every run of tokens
// of the wanted lengths up in a table of the eval items' runs. What it hands out is a superset: runs that cross the
// border of a string, keys, numbers and hash collisions are dropped later, on the tokens. It never misses one.
//
// Memory is laid out by kernel.ts. Text is followed by at least 72 blank bytes and ends with a newline.
import { AMPERSAND, BACKSLASH, after, decode, decoded, isAlphanumeric, takeCodePoint } from './characters.as';
import { takeAmpersand } from './entities.as';
import { hasText, isBlank } from './line-text.as';
import { beginLine, collectTo, collectedTo, countRow, gatheredHigh, gatheredTo, gramCount, hadTokens } from './run-table.as';
import { hitCap, hitCount, lookUpGathered, setGatheredTo } from './run-table.as';
import { hashAscii } from './token-hash.as';
import { addByte, flush, tokenBytes } from './token-part.as';

export { setFoldTable } from './characters.as';
export { setTable, setOutput, takenHits, takenHitRows, rowsSeen, rowsWithoutText } from './run-table.as';
export { clearHits, clearRows, setGathering, addRun } from './run-table.as';

/** Character by character from `at` until a plain ASCII place where no token is open; returns that place. */
function slow(at: usize): usize {
  let first = true;
  while (true) {
    const c: u32 = load<u8>(at);
    if (c < 0x80 && c != BACKSLASH && c != AMPERSAND) {
      if (!isAlphanumeric(c)) {
        flush();
        return at;
      }
      if (!first && tokenBytes == 0) return at;
      addByte(c | 0x20);
      at++;
      first = false;
      continue;
    }
    first = false;
    decode(at);
    if (decoded == AMPERSAND) {
      at = takeAmpersand(after);
    } else if (decoded == BACKSLASH) {
      // A backslash in the text itself: with an n after it, a newline that was escaped twice.
      flush();
      at = after;
      decode(at);
      if (decoded == 0x6e) at = after;
    } else {
      const next = after;
      takeCodePoint(decoded);
      at = next;
    }
  }
}

// @ts-ignore: decorator
@inline
function isIn(v: v128, from: u8, count: u8): v128 {
  return v128.lt<u8>(v128.sub<u8>(v, v128.splat<u8>(from)), v128.splat<u8>(count));
}

// @ts-ignore: decorator
@inline
function isWord(v: v128): u64 {
  return <u64>(<u32>v128.bitmask<u8>(v128.or(isIn(v128.or(v, v128.splat<u8>(0x20)), 0x61, 26), isIn(v, 0x30, 10))));
}

// @ts-ignore: decorator
@inline
function isSpecial(v: v128): u64 {
  // The sign bit marks a byte past ASCII; equality sets it for the other two.
  const special = v128.or(v, v128.or(v128.eq<u8>(v, v128.splat<u8>(0x5c)), v128.eq<u8>(v, v128.splat<u8>(0x26))));
  return <u64>(<u32>v128.bitmask<u8>(special));
}

// @ts-ignore: decorator
@inline
function isNewline(v: v128): u64 {
  return <u64>(<u32>v128.bitmask<u8>(v128.eq<u8>(v, v128.splat<u8>(10))));
}

// @ts-ignore: decorator
@inline
function below(bit: u64): u64 {
  return bit >= 64 ? ~(<u64>0) : ((<u64>1) << bit) - 1;
}

/**
 * Scans `length` bytes of whole lines. Returns how many it took: fewer where the room for hits may not suffice for
 * another line.
 */
export function scan(text: usize, length: usize): usize {
  const end = text + length;
  let at = text;
  let lineStart = text;
  let tokenStart: usize = 0;
  let hitsBefore = hitCount;
  beginLine();
  while (at < end) {
    const v0 = v128.load(at);
    const v1 = v128.load(at, 16);
    const v2 = v128.load(at, 32);
    const v3 = v128.load(at, 48);
    let word = isWord(v0) | (isWord(v1) << 16) | (isWord(v2) << 32) | (isWord(v3) << 48);
    let special = isSpecial(v0) | (isSpecial(v1) << 16) | (isSpecial(v2) << 32) | (isSpecial(v3) << 48);
    let newline = isNewline(v0) | (isNewline(v1) << 16) | (isNewline(v2) << 32) | (isNewline(v3) << 48);
    let limit: u64 = 64;
    let goSlow = false;
    while (special != 0) {
      const i = ctz(special);
      const c: u32 = load<u8>(at + <usize>i);
      const next: u32 = load<u8>(at + <usize>i, 1);
      if (c == BACKSLASH) {
        if (next == 0x75 || (next == BACKSLASH && load<u8>(at + <usize>i, 2) == BACKSLASH && load<u8>(at + <usize>i, 3) == 0x75)) {
          goSlow = true;
          limit = i;
          break;
        }
        // The letter of \n or \t is no text; nor is the n after a backslash of the text itself.
        const width: u64 = next == BACKSLASH && load<u8>(at + <usize>i, 2) == 0x6e ? 3 : 2;
        if (i + width > 64) {
          limit = i;
          break;
        }
        const clear = ~(below(width) << i);
        word &= clear;
        special &= clear;
      } else if (c == AMPERSAND && !isAlphanumeric(next) && next != 0x23 && next != BACKSLASH) {
        special &= special - 1;
      } else {
        goSlow = true;
        limit = i;
        break;
      }
    }
    const inside = below(limit);
    word &= inside;
    newline &= inside;
    const before = (word << 1) | <u64>(tokenStart != 0);
    let starts = word & ~before;
    let ends = before & ~word & inside;
    for (;;) {
      // A newline ends a token, too: those that end before it, or at it, are of its line.
      const line = newline == 0 ? ends : ends & (newline ^ (newline - 1));
      ends ^= line;
      let left = line;
      let out = gatheredTo;
      if (tokenStart != 0 && left != 0) {
        store<u64>(out, hashAscii(tokenStart, at + <usize>ctz(left)));
        out += 8;
        left &= left - 1;
        tokenStart = 0;
      }
      while (left != 0) {
        store<u64>(out, hashAscii(at + <usize>ctz(starts), at + <usize>ctz(left)));
        out += 8;
        left &= left - 1;
        starts &= starts - 1;
      }
      setGatheredTo(out);
      if (newline == 0) break;
      const place = at + <usize>ctz(newline);
      newline &= newline - 1;
      endLine(lineStart, place, text, hitsBefore);
      lineStart = place + 1;
      hitsBefore = hitCount;
      if (hitCount + gramCount > hitCap && lineStart < end) return lineStart - text;
      beginLine();
    }
    if (starts != 0) tokenStart = at + <usize>ctz(starts);
    if (gatheredTo >= gatheredHigh) lookUpGathered();
    at += <usize>limit;
    if (goSlow) {
      at = slow(tokenStart == 0 ? at : tokenStart);
      tokenStart = 0;
    }
  }
  return length;
}

function endLine(start: usize, end: usize, text: usize, hitsBefore: u32): void {
  lookUpGathered();
  if (!hadTokens() && isBlank(start, end)) return;
  countRow(hasText(start, end), hitCount > hitsBefore, <u32>(start - text), <u32>(end - start));
}

/** Writes the hashes of the tokens of one line to `out`; returns how many. */
export function tokenHashes(text: usize, length: usize, out: usize): u32 {
  collectTo(out);
  const end = text + length;
  let at = text;
  while (at < end) {
    at = slow(at);
    if (!isAlphanumeric(load<u8>(at))) at++;
  }
  flush();
  return <u32>((collectedTo() - out) >> 3);
}
