/**
 * The hash of a token and of a run of tokens. An ASCII token is hashed in place, eight bytes at a time.
 * @module
 */
export const SEED: u64 = 0x9e3779b97f4a7c15;
const MIX: u64 = 0xff51afd7ed558ccd;
const FINISH: u64 = 0xc4ceb9fe1a85ec53;
/** A run's hash is its tokens' hashes as digits of this base. */
export const BASE: u64 = 0xd6e8feb86659fd93;

// @ts-ignore: decorator
@inline
export function mixIn(h: u64, chunk: u64): u64 {
  h = (h ^ chunk) * MIX;
  return h ^ (h >> 29);
}

// @ts-ignore: decorator
@inline
export function finish(h: u64, bytes: u64): u64 {
  h = (h ^ bytes) * FINISH;
  return h ^ (h >> 32);
}

/** Hash of an ASCII token in place, lower-cased on the way. */
// @ts-ignore: decorator
@inline
export function hashAscii(start: usize, end: usize): u64 {
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
