/**
 * Puts the members of an object into the order of their names' UTF-8 bytes, by heap sort over the stack of members.
 * @module
 */
import { out, setOut, top } from './state.as';
import { compareBytes, RANK } from './trie.as';

export const MEMBER_BYTES: usize = 16;

/**
 * Rewrites the members whose encodings begin at `content` and whose entries begin at `stack`. Those with `end` 0 (null
 * members of objects that the trie does not keep) are dropped.
 * @param byName compare names, not ranks: some member is not in the trie; duplicates are looked for
 * @returns 0, or the address of the first name that repeats an earlier one
 */
export function arrangeMembers(content: usize, stack: usize, byName: bool): usize {
  const count = (top - stack) / MEMBER_BYTES;
  if (count <= 24) insertionSort(stack, count, byName);
  else heapSort(stack, count, byName);
  if (byName) {
    const duplicate = firstDuplicate(stack, count);
    if (duplicate != 0) return duplicate;
  }
  const bytes = out - content;
  const copy = (out + 15) & ~15;
  memory.copy(copy, content, bytes);
  const shift = copy - content;
  let at = content;
  for (let entry = stack; entry < top; entry += MEMBER_BYTES) {
    const segment: usize = load<u32>(entry);
    const end: usize = load<u32>(entry, 4);
    if (end == 0) continue;
    memory.copy(at, segment + shift, end - segment);
    at += end - segment;
  }
  setOut(at);
  return 0;
}

function compare(a: usize, b: usize, byName: bool): i32 {
  if (!byName) return <i32>load<u32>(load<u32>(a, 8), RANK) - <i32>load<u32>(load<u32>(b, 8), RANK);
  const aText = nameText(a);
  const aBytes = nameBytes;
  const bText = nameText(b);
  const order = compareBytes(aText, aBytes, bText, nameBytes);
  return order != 0 ? order : <i32>load<u32>(a, 12) - <i32>load<u32>(b, 12);
}

let nameBytes: usize = 0;
/** Address of the text of the entry's name `S<n>:…`; its length goes to `nameBytes`. */
function nameText(entry: usize): usize {
  let at: usize = load<u32>(entry) + 1;
  nameBytes = 0;
  for (; load<u8>(at) != 0x3a; at++) nameBytes = nameBytes * 10 + (load<u8>(at) - 0x30);
  return at + 1;
}

function firstDuplicate(stack: usize, count: usize): usize {
  let first: usize = 0;
  for (let i: usize = 1; i < count; i++) {
    const entry = stack + i * MEMBER_BYTES;
    const text = nameText(entry);
    const bytes = nameBytes;
    const before = nameText(entry - MEMBER_BYTES);
    if (compareBytes(text, bytes, before, nameBytes) != 0) continue;
    const at: usize = load<u32>(entry, 12);
    if (first == 0 || at < first) first = at;
  }
  return first;
}

function insertionSort(stack: usize, count: usize, byName: bool): void {
  for (let i: usize = 1; i < count; i++) {
    const entry = v128.load(stack + i * MEMBER_BYTES);
    const spare = stack + count * MEMBER_BYTES;
    v128.store(spare, entry);
    let at = stack + i * MEMBER_BYTES;
    while (at > stack && compare(at - MEMBER_BYTES, spare, byName) > 0) {
      v128.store(at, v128.load(at - MEMBER_BYTES));
      at -= MEMBER_BYTES;
    }
    v128.store(at, entry);
  }
}

function heapSort(stack: usize, count: usize, byName: bool): void {
  for (let i = <isize>(count / 2) - 1; i >= 0; i--) sink(stack, i, count, byName);
  for (let end = count - 1; end > 0; end--) {
    swap(stack, stack + end * MEMBER_BYTES);
    sink(stack, 0, end, byName);
  }
}

function sink(stack: usize, index: usize, count: usize, byName: bool): void {
  for (;;) {
    let child: usize = 2 * index + 1;
    if (child >= count) return;
    let at = stack + child * MEMBER_BYTES;
    if (child + 1 < count && compare(at, at + MEMBER_BYTES, byName) < 0) {
      child++;
      at += MEMBER_BYTES;
    }
    if (compare(stack + index * MEMBER_BYTES, at, byName) >= 0) return;
    swap(stack + index * MEMBER_BYTES, at);
    index = child;
  }
}

function swap(a: usize, b: usize): void {
  const entry = v128.load(a);
  v128.store(a, v128.load(b));
  v128.store(b, entry);
}
