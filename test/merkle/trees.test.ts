import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { setTree, setTreeOf } from '../../dist/src/merkle/set-tree.js';
import { TableTreeBuilder, tableTree } from '../../dist/src/merkle/table-tree.js';

const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** The definition in docs/FORMAT.md, word for word. */
function naiveTableRoot(digests: readonly Buffer[]): Buffer {
  const leaves: Buffer[] = [];
  for (let i = 0; i < Math.max(1, digests.length); i += 64) {
    leaves.push(sha256(Uint8Array.of(0), ...digests.slice(i, i + 64)));
  }
  const root = (nodes: readonly Buffer[]): Buffer => {
    const [only] = nodes;
    if (nodes.length === 1 && only !== undefined) return only;
    let left = 1;
    while (left * 2 < nodes.length) left *= 2;
    return sha256(Uint8Array.of(1), root(nodes.slice(0, left)), root(nodes.slice(left)));
  };
  return root(leaves);
}

const bit = (hex: string, depth: number): number =>
  (Number.parseInt(hex[Math.floor(depth / 4)] ?? '', 16) >> (3 - (depth % 4))) & 1;

function naiveSetRoot(digests: readonly Buffer[]): Buffer {
  const counts = new Map<string, number>();
  for (const digest of digests) counts.set(digest.toString('hex'), (counts.get(digest.toString('hex')) ?? 0) + 1);
  const trie = (keys: readonly string[], depth: number): Buffer => {
    const at = Buffer.from([depth >> 8, depth & 255]);
    if (keys.length <= 64) {
      const entries = keys.map((key) => {
        const count = Buffer.alloc(8);
        count.writeBigUInt64BE(BigInt(counts.get(key) ?? 0));
        return Buffer.concat([Buffer.from(key, 'hex'), count]);
      });
      return sha256(Uint8Array.of(2), at, ...entries);
    }
    const zeros = keys.filter((key) => bit(key, depth) === 0);
    const ones = keys.filter((key) => bit(key, depth) === 1);
    return sha256(Uint8Array.of(3), at, trie(zeros, depth + 1), trie(ones, depth + 1));
  };
  return trie([...counts.keys()].sort(), 0);
}

const digestOf = (i: number): Buffer => sha256(Buffer.from(`row ${i}`));
const table = (rows: number): Buffer[] => Array.from({ length: rows }, (_, i) => digestOf(i));

describe('the table tree', () => {
  it('is the tree of its definition at every size up to 300 leaves', () => {
    for (let rows = 0; rows < 330; rows += 1) {
      expect(Buffer.from(tableTree(Buffer.concat(table(rows))).root)).toEqual(naiveTableRoot(table(rows)));
    }
    for (const rows of [64 * 127, 64 * 128, 64 * 129 + 1, 64 * 300 - 1]) {
      expect(Buffer.from(tableTree(Buffer.concat(table(rows))).root)).toEqual(naiveTableRoot(table(rows)));
    }
  });

  it('does not depend on how the rows are handed over', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 12 }), (sizes) => {
        const builder = new TableTreeBuilder();
        let rows = 0;
        for (const size of sizes) {
          builder.push(Buffer.concat(Array.from({ length: size }, (_, i) => digestOf(rows + i))));
          rows += size;
        }
        expect(builder.finish()).toEqual(tableTree(Buffer.concat(table(rows))));
      }),
      { numRuns: 50 },
    );
  });

  it('depends on the order of rows', () => {
    const [first, second] = [digestOf(1), digestOf(2)];
    expect(tableTree(Buffer.concat([first, second]))).not.toEqual(tableTree(Buffer.concat([second, first])));
  });

  it('refuses what is no whole digest, and use after the end', () => {
    const builder = new TableTreeBuilder();
    expect(() => builder.push(new Uint8Array(33))).toThrow(RangeError);
    builder.finish();
    expect(() => builder.push(new Uint8Array(32))).toThrow(TypeError);
    expect(() => builder.finish()).toThrow(TypeError);
  });
});

describe('the set tree', () => {
  /** Digests that share long prefixes, beside even ones, so that tries run deep and buckets fill. */
  const digest = fc.oneof(
    fc.nat(400).map(digestOf),
    fc.tuple(fc.nat(3), fc.nat(255), fc.nat(255)).map(([a, b, c]) => {
      const bytes = Buffer.alloc(32, 0xa5);
      bytes[4] = a;
      bytes[30] = b;
      bytes[31] = c;
      return bytes;
    }),
  );

  it('is the trie of its definition, in whatever order the rows come', () => {
    let deepest = 0;
    fc.assert(
      fc.property(fc.array(digest, { maxLength: 600, size: 'max' }), (digests) => {
        deepest = Math.max(deepest, digests.filter((bytes) => bytes[0] === 0xa5).length);
        const { rows, root } = setTree(Buffer.concat(digests));
        expect(rows).toBe(digests.length);
        expect(Buffer.from(root)).toEqual(naiveSetRoot(digests));
        expect(setTree(Buffer.concat(digests.toReversed())).root).toEqual(root);
      }),
      { numRuns: 60 },
    );
    // The generator did reach past one leaf under a shared prefix.
    expect(deepest).toBeGreaterThan(64);
  });

  it('is the same in passes of any size over digests that are read', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(digest, { maxLength: 600, size: 'max' }),
        fc.integer({ min: 1, max: 700 }),
        async (digests, windowRows) => {
          const whole = Buffer.concat(digests);
          const read = (visit: (bytes: Uint8Array) => void): Promise<void> => {
            for (let at = 0; at < whole.length; at += 96) visit(whole.subarray(at, at + 96));
            return Promise.resolve();
          };
          expect(await setTreeOf(digests.length, read, windowRows)).toEqual(setTree(whole));
          await expect(setTreeOf(digests.length + 1, read, windowRows)).rejects.toThrow(RangeError);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('tells multiplicities apart', () => {
    const [a, b] = [digestOf(1), digestOf(2)];
    const roots = [
      [a, b],
      [a, a, b],
      [a, b, b],
      [a, a, b, b],
    ].map((digests) => Buffer.from(setTree(Buffer.concat(digests)).root).toString('hex'));
    expect(new Set(roots).size).toBe(4);
  });

  it('agrees with its definition on many equal rows and on many distinct ones', () => {
    const equal = Array.from({ length: 5000 }, (_, i) => digestOf(i % 3));
    expect(Buffer.from(setTree(Buffer.concat(equal)).root)).toEqual(naiveSetRoot(equal));
    expect(Buffer.from(setTree(Buffer.concat(table(20_000))).root)).toEqual(naiveSetRoot(table(20_000)));
    // Many that share their first bytes beside more that do not: dealt once, and again in vain.
    const crowd = table(2500).map((bytes) => Buffer.concat([Buffer.alloc(6, 0x5a), bytes.subarray(6)]));
    const mixed = [...crowd, ...table(6000)];
    expect(Buffer.from(setTree(Buffer.concat(mixed)).root)).toEqual(naiveSetRoot(mixed));
  });

  it('leaves its input as it was, and refuses what is no whole digest', () => {
    const digests = Buffer.concat(table(300));
    const before = Buffer.from(digests);
    setTree(digests);
    expect(digests).toEqual(before);
    expect(() => setTree(new Uint8Array(31))).toThrow(RangeError);
  });
});
