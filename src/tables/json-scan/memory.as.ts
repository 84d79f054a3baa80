/**
 * Where the kernel keeps things in linear memory. Nothing is allocated: regions lie at fixed places, and the last
 * four move with the size of the block. Untouched pages cost no memory.
 *
 *   nodes | hash slots | names | rows | blanks | input | members | output and, past it, scratch
 *
 * @module
 */

/** Most distinct paths in a file; past it the file is refused. */
export const NODES_MAX: usize = 1 << 18;
export const NODE_BYTES: usize = 88;
export const NODES: usize = 0x10000;

export const SLOTS_MAX: usize = 1 << 19;
export const SLOTS: usize = NODES + NODES_MAX * NODE_BYTES;

export const NAMES: usize = SLOTS + SLOTS_MAX * 4;
export const NAMES_BYTES: usize = 1 << 26;

/** Rows and blank lines that wait to be taken by JavaScript: 12 bytes each. */
export const WAITING_MAX: u32 = 1 << 14;
export const ROWS: usize = NAMES + NAMES_BYTES;
export const BLANKS: usize = ROWS + WAITING_MAX * 12;

/** Zero bytes behind the input, so that 16 bytes can be read at its last byte. */
const SLACK: usize = 64;
export const INPUT: usize = BLANKS + WAITING_MAX * 12 + SLACK;

/** Output is handed over when this much waits: little enough to be hashed while it is in the cache. */
export const OUTPUT_WAITING: usize = 1 << 18;

export let MEMBERS: usize = 0;
export let OUTPUT: usize = 0;

/**
 * Makes room for a block. The worst case is one line that fills it: a member needs 5 bytes of JSON (`"":1,`), and 4
 * bytes (`1.5,`) can encode to 17; sorting members needs a second copy.
 * @returns the address of the input, 0 where memory cannot grow so far
 */
export function reserve(inputBytes: usize): usize {
  MEMBERS = (INPUT + inputBytes + SLACK + 15) & ~15;
  OUTPUT = (MEMBERS + (inputBytes / 5 + 16) * 16 + 15) & ~15;
  const end: u64 = <u64>OUTPUT + OUTPUT_WAITING + 2 * ((<u64>inputBytes * 17) / 4 + 4096);
  const pages = <i32>((end + 0xffff) >> 16);
  if (end > 0xffff0000) return 0;
  if (pages > memory.size() && memory.grow(pages - memory.size()) < 0) return 0;
  return INPUT;
}
