/**
 * A token that has to be decoded or folded is hashed byte by byte as it is built; the hash is that of token-hash.as.ts.
 * @module
 */
import { emit } from './run-table.as';
import { SEED, finish, mixIn } from './token-hash.as';

let partHash: u64 = SEED;
let part: u64 = 0;
let partBytes: u64 = 0;
/** Bytes of the token that is being built. */
export let tokenBytes: u64 = 0;

/** Adds a byte to it. */
export function addByte(byte: u32): void {
  part |= (<u64>byte) << (partBytes * 8);
  tokenBytes++;
  if (++partBytes == 8) {
    partHash = mixIn(partHash, part);
    part = 0;
    partBytes = 0;
  }
}

/** Adds a character to it, as UTF-8. */
export function addCodePoint(cp: u32): void {
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
export function flush(): void {
  if (tokenBytes == 0) return;
  if (partBytes > 0) partHash = mixIn(partHash, part);
  const h = finish(partHash, tokenBytes);
  partHash = SEED;
  part = 0;
  partBytes = 0;
  tokenBytes = 0;
  emit(h);
}
