/**
 * Values, lists and objects: JSON in, canonical row encoding v1 out (docs/FORMAT.md).
 * @module
 */
import { out, setOut, top, setTop, fail, skipBlanks, digitsOf, writeDigits } from './state.as';
import {
  NO_VALUE,
  NO_NAME,
  NO_COLON,
  NO_OBJECT_END,
  NO_LIST_END,
  DUPLICATE,
  TOO_DEEP,
  TOO_MANY_KEYS,
} from './state.as';
import { parseString, textBytes, textHead } from './string.as';
import { parseNumber } from './number.as';
import { arrangeMembers, MEMBER_BYTES } from './members.as';
import { mark, elementOf, memberOf, isName, predict, setColumn, NOWHERE, ROOT } from './trie.as';
import { FLAGS, FREE, FIRST, NEXT, SEEN, RANK, NAME_AT, NAME_BYTES, NAME_HEAD, LIST_DIGITS } from './trie.as';
import { KIND_NULL, KIND_BOOL, KIND_STRING, KIND_LIST, KIND_OBJECT } from './trie.as';

const DEPTH_MAX: i32 = 64;

/** Serial number of the last object that was opened. */
let serials: u64 = 0;

/** Parses the value that begins at `p` and stands at the path `node`, `depth` containers deep. */
function parseValue(p: usize, node: usize, depth: i32): usize {
  const c = load<u8>(p);
  if (c == 0x22) {
    mark(node, KIND_STRING);
    return parseString(p, node);
  }
  if (c == 0x7b || c == 0x5b) {
    mark(node, c == 0x7b ? KIND_OBJECT : KIND_LIST);
    if (depth >= DEPTH_MAX) return fail(TOO_DEEP, p);
    const kept: usize = (load<u32>(node, FLAGS) & FREE) != 0 ? NOWHERE : node;
    return c == 0x7b ? parseObject(p, kept, depth + 1) : parseList(p, kept, depth + 1);
  }
  if (c == 0x6e && load<u32>(p) == 0x6c6c756e) return literal(p + 4, 0x4e, node, KIND_NULL);
  if (c == 0x74 && load<u32>(p) == 0x65757274) return literal(p + 4, 0x54, node, KIND_BOOL);
  if (c == 0x66 && load<u32>(p + 1) == 0x65736c61) return literal(p + 5, 0x46, node, KIND_BOOL);
  if (c == 0x2d || (c >= 0x30 && c <= 0x39) || c == 0x49 || c == 0x4e) return parseNumber(p, node);
  return fail(NO_VALUE, p);
}

function literal(next: usize, tag: u8, node: usize, kind: u32): usize {
  mark(node, kind);
  store<u8>(out, tag);
  setOut(out + 1);
  return next;
}

function parseList(p: usize, node: usize, depth: i32): usize {
  // As with strings, the count is known last.
  const start = out;
  const guess: usize = <usize>load<u8>(node, LIST_DIGITS) + 1;
  const items = start + 2 + guess;
  setOut(items);
  let count: usize = 0;
  p = skipBlanks(p + 1);
  if (load<u8>(p) != 0x5d) {
    const element = elementOf(node);
    if (element == 0) return fail(TOO_MANY_KEYS, p);
    for (;;) {
      p = parseValue(p, element, depth);
      if (p == 0) return 0;
      count++;
      p = skipBlanks(p);
      const c = load<u8>(p);
      if (c == 0x5d) break;
      if (c != 0x2c) return fail(NO_LIST_END, p);
      p = skipBlanks(p + 1);
    }
  }
  const digits = digitsOf(count);
  if (digits != guess) {
    memory.copy(start + 2 + digits, items, out - items);
    setOut(out + digits - guess);
    store<u8>(node, <u8>(digits - 1), LIST_DIGITS);
  }
  store<u8>(start, 0x4c);
  writeDigits(start + 1, count, digits);
  store<u8>(start + 1 + digits, 0x3a);
  return p + 1;
}

/** Parses the object whose brace is at `p`. Members that are null are checked and left out. */
export function parseObject(p: usize, node: usize, depth: i32): usize {
  const start = out;
  const stack = top;
  const serial = ++serials;
  store<u8>(start, 0x4f);
  setOut(start + 1);
  let sorted = true;
  let unknown = false;
  let previous: usize = 0;
  let lastWritten: usize = 0;
  p = skipBlanks(p + 1);
  if (load<u8>(p) != 0x7d) {
    for (;;) {
      const nameAt = p;
      const segment = out;
      let member: usize = previous == 0 ? load<u32>(node, FIRST) : load<u32>(previous, NEXT);
      if (member != 0 && isName(member, p)) {
        p += <usize>load<u32>(member, NAME_BYTES) + 2;
        copyName(member);
      } else {
        if (load<u8>(p) != 0x22) return fail(NO_NAME, p);
        p = parseString(p, NOWHERE);
        if (p == 0) return 0;
        member = node == NOWHERE ? NOWHERE : memberOf(node, segment, textHead, textBytes, nameAt);
        if (member == 0) return 0;
        if (member != NOWHERE) predict(node, previous, member);
      }
      if (member == NOWHERE) {
        unknown = true;
      } else {
        if (load<u64>(member, SEEN) == serial) return fail(DUPLICATE, nameAt);
        store<u64>(member, serial, SEEN);
        previous = member;
        if (node == ROOT) setColumn(member);
      }

      p = skipBlanks(p);
      if (load<u8>(p) != 0x3a) return fail(NO_COLON, p);
      p = skipBlanks(p + 1);
      const valueAt = out;
      p = parseValue(p, member, depth);
      if (p == 0) return 0;

      const isNull = load<u8>(valueAt) == 0x4e;
      if (isNull && member != NOWHERE) {
        setOut(segment);
      } else {
        // The name of a null member that the trie does not know is kept until duplicates have been looked for.
        pushMember(segment, isNull ? 0 : out, member, nameAt);
        if (member != NOWHERE) {
          if (lastWritten != 0 && load<u32>(lastWritten, RANK) > load<u32>(member, RANK)) sorted = false;
          lastWritten = member;
        }
      }

      p = skipBlanks(p);
      const c = load<u8>(p);
      if (c == 0x7d) break;
      if (c != 0x2c) return fail(NO_OBJECT_END, p);
      p = skipBlanks(p + 1);
    }
  }
  if (unknown || !sorted) {
    const duplicate = arrangeMembers(start + 1, stack, unknown);
    if (duplicate != 0) return fail(DUPLICATE, duplicate);
  }
  setTop(stack);
  store<u8>(out, 0x45);
  setOut(out + 1);
  return p + 1;
}

function copyName(member: usize): void {
  const from: usize = load<u32>(member, NAME_AT);
  const bytes: usize = load<u32>(member, NAME_HEAD) + load<u32>(member, NAME_BYTES);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(out + i, v128.load(from + i));
  setOut(out + bytes);
}

function pushMember(segment: usize, end: usize, member: usize, nameAt: usize): void {
  store<u32>(top, <u32>segment);
  store<u32>(top, <u32>end, 4);
  store<u32>(top, <u32>member, 8);
  store<u32>(top, <u32>nameAt, 12);
  setTop(top + MEMBER_BYTES);
}
