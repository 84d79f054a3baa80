// The scan of the training text (AssemblyScript; compiled by `npm run kernels`). It reads raw JSON lines, finds word
// tokens as tokens.ts defines them (JSON escapes decoded here, no JSON parser), and looks every run of tokens
// of the wanted lengths up in a table of the eval items' runs. What it hands out is a superset: runs that cross the
// border of a string, keys, numbers and hash collisions are dropped later, on the tokens. It never misses one.
//
// Memory is laid out by kernel.ts. Text is followed by at least 72 blank bytes and ends with a newline.

const BACKSLASH: u32 = 0x5c;
const AMPERSAND: u32 = 0x26;
const QUOTE: u32 = 0x22;

const SINGLE: u32 = 1 << 24;
const LIST: u32 = 1 << 25;
const CODE_POINT: u32 = 0x1fffff;

const SEED: u64 = 0x9e3779b97f4a7c15;
const MIX: u64 = 0xff51afd7ed558ccd;
const FINISH: u64 = 0xc4ceb9fe1a85ec53;
const BASE: u64 = 0xd6e8feb86659fd93;

let pageOf: usize = 0;
let pages: usize = 0;
let lists: usize = 0;

/** Sets the places of the fold table. */
export function setFoldTable(pageOfAt: usize, pagesAt: usize, listsAt: usize): void {
  pageOf = pageOfAt;
  pages = pagesAt;
  lists = listsAt;
}

// The table of runs: open addressing, keys beside ids. A filter in front of it (two bits of one word a run) keeps almost
// all probes in the cache. Runs of one, two and four tokens are whole fields, and few: a gate of their last tokens keeps
// most tokens from being looked up in these lengths at all.
let keys: usize = 0;
let ids: usize = 0;
let slotMask: u32 = 0;
let filter: usize = 0;
let filterShift: u64 = 0;
let gate: usize = 0;
let lengths: u32 = 0;
let gramCount: u32 = 0;

/** Sets the places of the table of runs; `lengthBits` has bit n set where runs of n tokens are wanted. */
export function setTable(keysAt: usize, idsAt: usize, slots: u32, filterAt: usize, filterBits: u32, gateAt: usize, lengthBits: u32, grams: u32): void {
  keys = keysAt;
  ids = idsAt;
  slotMask = slots - 1;
  filter = filterAt;
  filterShift = 64 - (filterBits - 6);
  gate = gateAt;
  lengths = lengthBits;
  gramCount = grams;
}

// What is handed out: hits as (row, run), each run once a row; rows with hits as (row, offset, length).
let hits: usize = 0;
let hitCap: u32 = 0;
let hitCount: u32 = 0;
let hitRows: usize = 0;
let hitRowCount: u32 = 0;
let stamps: usize = 0;
let stamp: u32 = 0;
let rowCount: u32 = 0;
let textlessRows: u32 = 0;

export function setOutput(hitsAt: usize, cap: u32, hitRowsAt: usize, stampsAt: usize): void {
  hits = hitsAt;
  hitCap = cap;
  hitRows = hitRowsAt;
  stamps = stampsAt;
}
export function takenHits(): u32 {
  return hitCount;
}
export function takenHitRows(): u32 {
  return hitRowCount;
}
export function rowsSeen(): u32 {
  return rowCount;
}
export function rowsWithoutText(): u32 {
  return textlessRows;
}
/** Forgets hits and hit rows, but goes on counting rows. */
export function clearHits(): void {
  hitCount = 0;
  hitRowCount = 0;
}
export function clearRows(): void {
  rowCount = 0;
  textlessRows = 0;
}

// Hashes of the line's tokens, gathered and then looked up together; and the hashes of the runs of one to four tokens
// that end at the last one looked up.
let gathered: usize = 0;
let gatheredHigh: usize = 0;
let gatheredTo: usize = 0;
let run1: u64 = 0;
let run2: u64 = 0;
let run3: u64 = 0;
let run4: u64 = 0;
let lineHasTokens: bool = false;

/** Sets the place where tokens are gathered. */
export function setGathering(at: usize, bytes: usize): void {
  gathered = at;
  gatheredTo = at;
  // 64 bytes of text have 32 tokens at most.
  gatheredHigh = at + bytes - 32 * 8;
}

let collectAt: usize = 0;
let collecting: bool = false;

// --- hashing ---------------------------------------------------------------------------------------------------

// @ts-ignore: decorator
@inline
function mixIn(h: u64, chunk: u64): u64 {
  h = (h ^ chunk) * MIX;
  return h ^ (h >> 29);
}

// @ts-ignore: decorator
@inline
function finish(h: u64, bytes: u64): u64 {
  h = (h ^ bytes) * FINISH;
  return h ^ (h >> 32);
}

/** Hash of an ASCII token in place, lower-cased on the way. */
// @ts-ignore: decorator
@inline
function hashAscii(start: usize, end: usize): u64 {
  const size = <u64>(end - start);
  if (size > 8) return hashLong(start, end);
  const bytes = (load<u64>(start) | 0x2020202020202020) & ((~(<u64>0)) >> (64 - size * 8));
  return finish(mixIn(SEED, bytes), size);
}

function hashLong(start: usize, end: usize): u64 {
  let h = SEED;
  let rest: usize = end - start;
  let at = start;
  while (rest >= 8) {
    h = mixIn(h, load<u64>(at) | 0x2020202020202020);
    at += 8;
    rest -= 8;
  }
  if (rest > 0) h = mixIn(h, (load<u64>(at) | 0x2020202020202020) & (((<u64>1) << (<u64>rest * 8)) - 1));
  return finish(h, <u64>(end - start));
}

// The same hash, byte by byte, for tokens that have to be decoded or folded.
let partHash: u64 = SEED;
let part: u64 = 0;
let partBytes: u64 = 0;
let tokenBytes: u64 = 0;

function addByte(byte: u32): void {
  part |= (<u64>byte) << (partBytes * 8);
  tokenBytes++;
  if (++partBytes == 8) {
    partHash = mixIn(partHash, part);
    part = 0;
    partBytes = 0;
  }
}

function addCodePoint(cp: u32): void {
  if (cp < 0x80) {
    addByte(cp);
  } else if (cp < 0x800) {
    addByte(0xc0 | (cp >> 6));
    addByte(0x80 | (cp & 63));
  } else {
    if (cp < 0x10000) {
      addByte(0xe0 | (cp >> 12));
    } else {
      addByte(0xf0 | (cp >> 18));
      addByte(0x80 | ((cp >> 12) & 63));
    }
    addByte(0x80 | ((cp >> 6) & 63));
    addByte(0x80 | (cp & 63));
  }
}

/** Ends the token that is being built, if there is one. */
function flush(): void {
  if (tokenBytes == 0) return;
  if (partBytes > 0) partHash = mixIn(partHash, part);
  const h = finish(partHash, tokenBytes);
  partHash = SEED;
  part = 0;
  partBytes = 0;
  tokenBytes = 0;
  emit(h);
}

// --- runs ------------------------------------------------------------------------------------------------------

// @ts-ignore: decorator
@inline
function keyOf(run: u64, n: u64): u64 {
  const key = run + n * SEED;
  return key == 0 ? 1 : key;
}

// @ts-ignore: decorator
@inline
function filterBits(key: u64): u64 {
  return ((<u64>1) << (key & 63)) | ((<u64>1) << ((key >> 6) & 63));
}

// @ts-ignore: decorator
@inline
function probe(key: u64): void {
  const bits = filterBits(key);
  if ((load<u64>(filter + (<usize>(key >> filterShift) << 3)) & bits) == bits) lookUp(key);
}

function lookUp(key: u64): void {
  let slot = <u32>(key >> 12) & slotMask;
  for (;;) {
    const found = load<u64>(keys + (<usize>slot << 3));
    if (found == 0) return;
    if (found == key) break;
    slot = (slot + 1) & slotMask;
  }
  const id = load<u32>(ids + (<usize>slot << 2));
  const last = stamps + (<usize>id << 2);
  if (load<u32>(last) == stamp) return;
  store<u32>(last, stamp);
  const at = hits + (<usize>hitCount << 3);
  store<u32>(at, rowCount);
  store<u32>(at, id, 4);
  hitCount++;
}

/** Looks up the runs that end at the tokens gathered, and forgets these. */
function lookUpGathered(): void {
  const end = gatheredTo;
  if (end == gathered) return;
  gatheredTo = gathered;
  lineHasTokens = true;
  const has3 = (lengths & 8) != 0;
  const has5 = (lengths & 32) != 0;
  const hasWhole = (lengths & 22) != 0;
  // Before the first token of a line these are 0: what they give then is the hash of no run.
  let r1 = run1;
  let r2 = run2;
  let r3 = run3;
  let r4 = run4;
  for (let at = gathered; at < end; at += 8) {
    const token = load<u64>(at);
    const r5 = r4 * BASE + token;
    r4 = r3 * BASE + token;
    r3 = r2 * BASE + token;
    r2 = r1 * BASE + token;
    r1 = token;
    if (has3) probe(keyOf(r3, 3));
    if (has5) probe(keyOf(r5, 5));
    if (hasWhole && isGate(token)) {
      if (lengths & 2) probe(keyOf(r1, 1));
      if (lengths & 4) probe(keyOf(r2, 2));
      if (lengths & 16) probe(keyOf(r4, 4));
    }
  }
  run1 = r1;
  run2 = r2;
  run3 = r3;
  run4 = r4;
}

// @ts-ignore: decorator
@inline
function isGate(token: u64): bool {
  return ((load<u8>(gate + <usize>(token >> 51)) >> (<u8>(token >> 48) & 7)) & 1) != 0;
}

function emit(t: u64): void {
  if (collecting) {
    store<u64>(collectAt, t);
    collectAt += 8;
    return;
  }
  store<u64>(gatheredTo, t);
  gatheredTo += 8;
  if (gatheredTo >= gatheredHigh) lookUpGathered();
}

/** Puts a run of `n` token hashes (oldest first) into the table; returns its id, `newId` where it is new. */
export function addRun(at: usize, n: u32, newId: u32): u32 {
  let run: u64 = 0;
  for (let i: u32 = 0; i < n; i++) run = run * BASE + load<u64>(at + (<usize>i << 3));
  const key = keyOf(run, n);
  let slot = <u32>(key >> 12) & slotMask;
  for (;;) {
    const found = load<u64>(keys + (<usize>slot << 3));
    if (found == key) return load<u32>(ids + (<usize>slot << 2));
    if (found == 0) break;
    slot = (slot + 1) & slotMask;
  }
  store<u64>(keys + (<usize>slot << 3), key);
  store<u32>(ids + (<usize>slot << 2), newId);
  const word = filter + (<usize>(key >> filterShift) << 3);
  store<u64>(word, load<u64>(word) | filterBits(key));
  if (n != 3 && n != 5) {
    const token = load<u64>(at + (<usize>(n - 1) << 3));
    const byte = gate + <usize>(token >> 51);
    store<u8>(byte, load<u8>(byte) | (<u8>1 << <u8>((token >> 48) & 7)));
  }
  return newId;
}

// --- decoding --------------------------------------------------------------------------------------------------

let decoded: u32 = 0;
let after: usize = 0;

// @ts-ignore: decorator
@inline
function isAlphanumeric(c: u32): bool {
  return (c | 0x20) - 0x61 < 26 || c - 0x30 < 10;
}

function hexValue(c: u32): u32 {
  return c <= 0x39 ? c - 0x30 : (c | 0x20) - 0x57;
}

function hex4(at: usize): u32 {
  return (hexValue(load<u8>(at)) << 12) | (hexValue(load<u8>(at, 1)) << 8) | (hexValue(load<u8>(at, 2)) << 4) | hexValue(load<u8>(at, 3));
}

/** Decodes the character of a JSON string at `at` to `decoded`, its end to `after`. */
function decode(at: usize): void {
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

function foldEntry(cp: u32): u32 {
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

function takeCodePoint(cp: u32): void {
  const entry = foldEntry(cp);
  if (!(entry & LIST)) {
    takeEntry(entry);
    return;
  }
  const list = lists + (<usize>(entry & 0xffffff) << 2);
  const count = load<u32>(list);
  for (let i: u32 = 1; i <= count; i++) takeEntry(load<u32>(list + (<usize>i << 2)));
}

// --- entities --------------------------------------------------------------------------------------------------

/** Packs up to eight ASCII letters, first letter lowest. */
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

/** Whether the reference read last was `amp;`. */
let again: bool = false;

/** Reads `#39;`, `#x27;` or `amp;` at `at` (after the ampersand); sets `decoded` and `after` where there is one. */
function readReference(at: usize): bool {
  decode(at);
  if (decoded == 0x23) return readNumber(after);
  let name: u64 = 0;
  for (let i: u64 = 0; i < 7; i++) {
    if (decoded == 0x3b) {
      if (!entityName(name)) return false;
      again = name == 0x706d61;
      decoded = 32;
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
  decoded = value > 0x10ffff || (value & 0x1ff800) == 0xd800 ? 32 : value;
  return true;
}

/** Takes what follows an ampersand that ended at `at`; returns where to go on. */
function takeAmpersand(at: usize): usize {
  let end = at;
  let cp: u32 = 32;
  // `&amp;lt;` is `&lt;` escaped once more: after `amp;` another reference may follow.
  do {
    if (!readReference(end)) break;
    cp = decoded;
    end = after;
  } while (again);
  takeCodePoint(cp);
  return end;
}

// --- the scan --------------------------------------------------------------------------------------------------

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

/** Whether a line holds a string, not counting keys, with a token character in it. */
function hasText(at: usize, end: usize): bool {
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

function isBlank(at: usize, end: usize): bool {
  for (; at < end; at++) if (load<u8>(at) > 0x20) return false;
  return true;
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
  startLine();
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
      gatheredTo = out;
      if (newline == 0) break;
      const place = at + <usize>ctz(newline);
      newline &= newline - 1;
      endLine(lineStart, place, text, hitsBefore);
      lineStart = place + 1;
      hitsBefore = hitCount;
      if (hitCount + gramCount > hitCap && lineStart < end) return lineStart - text;
      startLine();
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

function startLine(): void {
  run1 = 0;
  run2 = 0;
  run3 = 0;
  run4 = 0;
  lineHasTokens = false;
  stamp++;
}

function endLine(start: usize, end: usize, text: usize, hitsBefore: u32): void {
  lookUpGathered();
  if (!lineHasTokens && isBlank(start, end)) return;
  if (!hasText(start, end)) textlessRows++;
  if (hitCount > hitsBefore) {
    const at = hitRows + <usize>hitRowCount * 12;
    store<u32>(at, rowCount);
    store<u32>(at, <u32>(start - text), 4);
    store<u32>(at, <u32>(end - start), 8);
    hitRowCount++;
  }
  rowCount++;
}

/** Writes the hashes of the tokens of one line to `out`; returns how many. */
export function tokenHashes(text: usize, length: usize, out: usize): u32 {
  collecting = true;
  collectAt = out;
  const end = text + length;
  let at = text;
  while (at < end) {
    at = slow(at);
    if (!isAlphanumeric(load<u8>(at))) at++;
  }
  flush();
  collecting = false;
  return <u32>((collectAt - out) >> 3);
}
