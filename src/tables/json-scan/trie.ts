/**
 * Reads what the kernel saw out of its memory. The offsets are those of trie.as.ts.
 * @module
 */
import type { Inferred, InferredMember, InferredSchema } from './inferred.ts';
import type { Kernel } from './kernel.ts';

const KINDS = 0;
const FLAGS = 4;
const NAME_AT = 8;
const NAME_BYTES = 12;
const NAME_HEAD = 16;
const ELEMENT = 28;
const FIRST_MEMBER = 32;
const SIBLING = 40;
const FIRST_SEEN = 80;

const INTEGER_FLAGS = 15;
const FREE = 16;

/** What was seen since the kernel's last `begin`. */
export function readTrie(kernel: Kernel): InferredSchema {
  return { columns: readMembers(kernel.bytes(), kernel.wasm.rootAt()) };
}

function readNode(memory: Buffer, node: number): Inferred {
  const flags = memory.readUInt32LE(node + FLAGS);
  const free = (flags & FREE) !== 0;
  const element = memory.readUInt32LE(node + ELEMENT);
  return {
    kinds: memory.readUInt32LE(node + KINDS),
    integers: flags & INTEGER_FLAGS,
    free,
    element: free || element === 0 ? null : readNode(memory, element),
    members: free ? [] : readMembers(memory, node),
  };
}

function readMembers(memory: Buffer, node: number): readonly InferredMember[] {
  const members: InferredMember[] = [];
  for (let at = memory.readUInt32LE(node + FIRST_MEMBER); at !== 0; at = memory.readUInt32LE(at + SIBLING)) {
    const text = memory.readUInt32LE(at + NAME_AT) + memory.readUInt32LE(at + NAME_HEAD);
    members.push({
      name: memory.toString('utf8', text, text + memory.readUInt32LE(at + NAME_BYTES)),
      at: memory.readDoubleLE(at + FIRST_SEEN),
      seen: readNode(memory, at),
    });
  }
  return members;
}
