/**
 * What was seen at each path of the rows: kinds of values, members of objects in the order of their first sight,
 * elements of lists. The same nodes find duplicate names, predict the next name and know the members' sort order.
 *
 * A column with more than 2,000 paths, or 256 KiB of names, becomes free: it is JSON, and its members are no longer
 * kept. This is a property of the set of paths, so it does not depend on which worker saw which row.
 * @module
 */
import { NODES, NODES_MAX, NODE_BYTES, SLOTS, SLOTS_MAX, NAMES, NAMES_BYTES } from './memory.as';
import { fail, fileBase, TOO_MANY_COLUMNS, TOO_MANY_KEYS } from './state.as';
import { INPUT } from './memory.as';

// Fields of a node; trie.ts reads the same.
const KINDS: usize = 0;
export const FLAGS: usize = 4;
export const NAME_AT: usize = 8;
export const NAME_BYTES: usize = 12;
export const NAME_HEAD: usize = 16;
const HASH: usize = 20;
const PARENT: usize = 24;
const ELEMENT: usize = 28;
const FIRST_MEMBER: usize = 32;
const LAST_MEMBER: usize = 36;
const SIBLING: usize = 40;
const MEMBERS_SEEN: usize = 44;
export const RANK: usize = 48;
/** The member that followed this one the last time, and the first member of this object. */
export const NEXT: usize = 52;
export const FIRST: usize = 56;
const PATHS: usize = 60;
const PATH_NAMES: usize = 64;
/** Digits less one that the last length of a string, and the last count of a list, had here. */
export const STRING_DIGITS: usize = 68;
export const LIST_DIGITS: usize = 69;
/** Serial number of the object in which this member was seen last. */
export const SEEN: usize = 72;
const FIRST_SEEN: usize = 80;

export const KIND_NULL: u32 = 1;
export const KIND_BOOL: u32 = 2;
export const KIND_INT: u32 = 4;
export const KIND_FLOAT: u32 = 8;
export const KIND_STRING: u32 = 16;
export const KIND_LIST: u32 = 32;
export const KIND_OBJECT: u32 = 64;

/** Some integer is past ±2^53; negative; past int64 upward; past both 64-bit ranges. */
export const INT_BIG: u32 = 1;
export const INT_NEGATIVE: u32 = 2;
export const INT_UNSIGNED: u32 = 4;
export const INT_WIDE: u32 = 8;
/** The column's members are not kept. */
export const FREE: u32 = 16;
/** The name stands in JSON as it is: it can be compared without decoding. */
const PLAIN: u32 = 32;

const COLUMNS_MAX: u32 = 10_000;
const PATHS_MAX: u32 = 2_000;
const PATH_NAMES_MAX: u32 = 1 << 18;

/** Stands for every place whose structure is not kept; what is written to it is never read. */
export const NOWHERE: usize = NODES;
/** The row itself. */
export const ROOT: usize = NODES + NODE_BYTES;

let nodesEnd: usize = 0;
let namesEnd: usize = 0;
let column: usize = 0;
export function setColumn(member: usize): void {
  column = member;
}

/** Forgets everything: the next block is the first of another file. */
export function clearTrie(): void {
  if (nodesEnd > NODES) memory.fill(SLOTS, 0, SLOTS_MAX * 4);
  nodesEnd = ROOT + NODE_BYTES;
  namesEnd = NAMES;
  memory.fill(NODES, 0, 2 * NODE_BYTES);
}

export function mark(node: usize, kind: u32): void {
  const kinds = load<u32>(node, KINDS);
  if ((kinds & kind) == 0) store<u32>(node, kinds | kind, KINDS);
}

export function flag(node: usize, flags: u32): void {
  store<u32>(node, load<u32>(node, FLAGS) | flags, FLAGS);
}

/** The node of the list's elements, made when the first is seen. */
export function elementOf(list: usize): usize {
  if (list == NOWHERE) return NOWHERE;
  let element: usize = load<u32>(list, ELEMENT);
  if (element == 0) {
    if (!withinBudget(0)) return NOWHERE;
    element = newNode(list);
    if (element == 0) return 0;
    store<u32>(list, <u32>element, ELEMENT);
  }
  return element;
}

/** Whether the JSON text at the opening quote `p` is exactly this member's name. */
export function isName(member: usize, p: usize): bool {
  const bytes = load<u32>(member, NAME_BYTES);
  if (load<u8>(p) != 0x22 || load<u8>(p + 1 + bytes) != 0x22) return false;
  return sameBytes(load<u32>(member, NAME_AT) + load<u32>(member, NAME_HEAD), p + 1, bytes);
}

/**
 * The member of `parent` with the encoded name `S<n>:…` at `encoded`, made when it is new.
 * @returns NOWHERE when the column is or becomes free, 0 after a failure
 */
export function memberOf(parent: usize, encoded: usize, head: usize, bytes: usize, nameAt: usize): usize {
  const text = encoded + head;
  let hash: u32 = <u32>parent * 0x9e3779b1;
  for (let i: usize = 0; i < bytes; i++) hash = (hash ^ load<u8>(text + i)) * 0x01000193;
  hash ^= hash >> 15;
  let slot: usize = (<usize>hash) & (SLOTS_MAX - 1);
  for (;;) {
    const member: usize = load<u32>(SLOTS + slot * 4);
    if (member == 0) break;
    if (
      load<u32>(member, HASH) == hash &&
      <usize>load<u32>(member, PARENT) == parent &&
      <usize>load<u32>(member, NAME_BYTES) == bytes &&
      sameBytes(load<u32>(member, NAME_AT) + load<u32>(member, NAME_HEAD), text, bytes)
    ) {
      return member;
    }
    slot = (slot + 1) & (SLOTS_MAX - 1);
  }
  if (parent == ROOT) {
    if (load<u32>(ROOT, MEMBERS_SEEN) >= COLUMNS_MAX) return fail(TOO_MANY_COLUMNS, nameAt);
  } else if (!withinBudget(<u32>bytes)) {
    return NOWHERE;
  }
  if (namesEnd + head + bytes + 32 > NAMES + NAMES_BYTES) return fail(TOO_MANY_KEYS, nameAt);
  const member = newNode(parent);
  if (member == 0) return fail(TOO_MANY_KEYS, nameAt);
  memory.copy(namesEnd, encoded, head + bytes);
  store<u32>(member, <u32>namesEnd, NAME_AT);
  store<u32>(member, <u32>bytes, NAME_BYTES);
  store<u32>(member, <u32>head, NAME_HEAD);
  store<u32>(member, hash, HASH);
  store<f64>(member, fileBase + <f64>(nameAt - INPUT), FIRST_SEEN);
  namesEnd = (namesEnd + head + bytes + 16) & ~7;
  if (isPlain(text, bytes)) flag(member, PLAIN);
  store<u32>(SLOTS + slot * 4, <u32>member);
  appendMember(parent, member);
  return member;
}

/** Remembers that `member` came after `previous` (0: came first), so that the next row is not searched. */
export function predict(parent: usize, previous: usize, member: usize): void {
  const predicted: usize = (load<u32>(member, FLAGS) & PLAIN) != 0 ? member : 0;
  if (previous != 0) store<u32>(previous, <u32>predicted, NEXT);
  else if (parent != NOWHERE) store<u32>(parent, <u32>predicted, FIRST);
}

/** Order of two byte strings: negative, 0 or positive. */
export function compareBytes(a: usize, aBytes: usize, b: usize, bBytes: usize): i32 {
  const shared = min(aBytes, bBytes);
  for (let i: usize = 0; i < shared; i++) {
    const difference = <i32>load<u8>(a + i) - <i32>load<u8>(b + i);
    if (difference != 0) return difference;
  }
  return aBytes < bBytes ? -1 : aBytes > bBytes ? 1 : 0;
}

function sameBytes(a: usize, b: usize, bytes: usize): bool {
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    if (!i8x16.all_true(i8x16.eq(v128.load(a + i), v128.load(b + i)))) return false;
  }
  const rest = i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i)));
  const wanted = (1 << ((<i32>bytes) & 15)) - 1;
  return (rest & wanted) == wanted;
}

function isPlain(text: usize, bytes: usize): bool {
  for (let i: usize = 0; i < bytes; i++) {
    const c = load<u8>(text + i);
    if (c < 0x20 || c == 0x22 || c == 0x5c) return false;
  }
  return true;
}

/** Counts a path and its name against the current column, which becomes free when it has too many. */
function withinBudget(nameBytes: u32): bool {
  if ((load<u32>(column, FLAGS) & FREE) != 0) return false;
  const paths = load<u32>(column, PATHS) + 1;
  const names = load<u32>(column, PATH_NAMES) + nameBytes;
  if (paths > PATHS_MAX || names > PATH_NAMES_MAX) {
    flag(column, FREE);
    return false;
  }
  store<u32>(column, paths, PATHS);
  store<u32>(column, names, PATH_NAMES);
  return true;
}

function newNode(parent: usize): usize {
  if (nodesEnd + NODE_BYTES > NODES + NODES_MAX * NODE_BYTES) return 0;
  const node = nodesEnd;
  nodesEnd += NODE_BYTES;
  memory.fill(node, 0, NODE_BYTES);
  store<u32>(node, <u32>parent, PARENT);
  return node;
}

/** Appends to the parent's members and gives it its place in their sort order. */
function appendMember(parent: usize, member: usize): void {
  const last = load<u32>(parent, LAST_MEMBER);
  const text: usize = load<u32>(member, NAME_AT) + load<u32>(member, NAME_HEAD);
  const bytes: usize = load<u32>(member, NAME_BYTES);
  let rank: u32 = 0;
  for (let other: usize = load<u32>(parent, FIRST_MEMBER); other != 0; other = load<u32>(other, SIBLING)) {
    const otherText: usize = load<u32>(other, NAME_AT) + load<u32>(other, NAME_HEAD);
    if (compareBytes(otherText, load<u32>(other, NAME_BYTES), text, bytes) < 0) rank++;
    else store<u32>(other, load<u32>(other, RANK) + 1, RANK);
  }
  store<u32>(member, rank, RANK);
  if (last == 0) store<u32>(parent, <u32>member, FIRST_MEMBER);
  else store<u32>(last, <u32>member, SIBLING);
  store<u32>(parent, <u32>member, LAST_MEMBER);
  store<u32>(parent, load<u32>(parent, MEMBERS_SEEN) + 1, MEMBERS_SEEN);
}
