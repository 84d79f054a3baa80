/**
 * The table of runs, and what is looked up in it. Open addressing, keys beside ids. A filter in front of it (two bits of
 * one word a run) keeps almost all probes in the cache. Runs of one, two and four tokens are whole fields, and few: a
 * gate of their last tokens keeps most tokens from being looked up in these lengths at all.
 * @module
 */
import { BASE, SEED } from './token-hash.as';

let keys: usize = 0;
let ids: usize = 0;
let slotMask: u32 = 0;
let filter: usize = 0;
let filterShift: u64 = 0;
let gate: usize = 0;
let lengths: u32 = 0;
export let gramCount: u32 = 0;

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
export let hitCap: u32 = 0;
export let hitCount: u32 = 0;
let hitRows: usize = 0;
let hitRowCount: u32 = 0;
let stamps: usize = 0;
let stamp: u32 = 0;
let rowCount: u32 = 0;
let textlessRows: u32 = 0;

/** Sets the places of what is handed out. */
export function setOutput(hitsAt: usize, cap: u32, hitRowsAt: usize, stampsAt: usize): void {
  hits = hitsAt;
  hitCap = cap;
  hitRows = hitRowsAt;
  stamps = stampsAt;
}
/** Hits that wait to be taken. */
export function takenHits(): u32 {
  return hitCount;
}
/** Rows with hits that wait to be taken. */
export function takenHitRows(): u32 {
  return hitRowCount;
}
/** Rows counted so far. */
export function rowsSeen(): u32 {
  return rowCount;
}
/** Those of them without text. */
export function rowsWithoutText(): u32 {
  return textlessRows;
}
/** Forgets hits and hit rows, but goes on counting rows. */
export function clearHits(): void {
  hitCount = 0;
  hitRowCount = 0;
}
/** Counts rows from zero. */
export function clearRows(): void {
  rowCount = 0;
  textlessRows = 0;
}

// Hashes of the line's tokens, gathered and then looked up together; and the hashes of the runs of one to four tokens
// that end at the last one looked up.
let gathered: usize = 0;
export let gatheredHigh: usize = 0;
export let gatheredTo: usize = 0;
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

/** Notes that tokens were gathered up to here. */
// @ts-ignore: decorator
@inline
export function setGatheredTo(at: usize): void {
  gatheredTo = at;
}

let collectAt: usize = 0;
let collecting: bool = false;

/** Writes the hashes of tokens to `out` from now on, instead of looking runs up. */
export function collectTo(out: usize): void {
  collecting = true;
  collectAt = out;
}

/** Ends that; the end of what was written. */
export function collectedTo(): usize {
  collecting = false;
  return collectAt;
}

/** Begins a line: no run crosses from the one before, and each run counts anew. */
export function beginLine(): void {
  run1 = 0;
  run2 = 0;
  run3 = 0;
  run4 = 0;
  lineHasTokens = false;
  stamp++;
}

/** Whether the line had a token. */
export function hadTokens(): bool {
  return lineHasTokens;
}

/** Counts a row; `offset` and `length` say where it stands, and are noted where it had hits. */
export function countRow(hasText: bool, hasHits: bool, offset: u32, length: u32): void {
  if (!hasText) textlessRows++;
  if (hasHits) {
    const at = hitRows + <usize>hitRowCount * 12;
    store<u32>(at, rowCount);
    store<u32>(at, offset, 4);
    store<u32>(at, length, 8);
    hitRowCount++;
  }
  rowCount++;
}

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
export function lookUpGathered(): void {
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

/** Takes the hash of a token: it is gathered, or handed out where tokens are collected. */
export function emit(t: u64): void {
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
