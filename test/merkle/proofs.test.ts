import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TableId } from '../../dist/schemas/ids.js';
import { formatTableId } from '../../dist/src/identity/ids.js';
import {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
  type ConsistencyProof,
  type InclusionProof,
} from '../../dist/src/merkle/table-proofs.js';
import { tableTree } from '../../dist/src/merkle/table-tree.js';

const digestOf = (i: number): Buffer => createHash('sha256').update(`row ${i}`).digest();
const all = Buffer.concat(Array.from({ length: 64 * 21 }, (_, i) => digestOf(i)));
const first = (rows: number): Buffer => all.subarray(0, rows * 32);

function idOf(digests: Uint8Array): TableId {
  const { rows, root } = tableTree(digests);
  return formatTableId(rows, root);
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const place = at % bytes.length;
  changed[place] = (changed[place] ?? 0) ^ (1 << (at % 8));
  return changed;
}

/** Each way to spoil a list of nodes: a bit, one left out, one more, two swapped. */
function spoiltPaths(path: readonly Uint8Array[], seed: number): readonly (readonly Uint8Array[])[] {
  const at = path.length === 0 ? 0 : seed % path.length;
  const spoilt: (readonly Uint8Array[])[] = [
    [...path, digestOf(seed)],
    [digestOf(seed), ...path],
  ];
  if (path.length > 0) {
    spoilt.push(path.map((node, i) => (i === at ? flip(node, seed) : node)));
    spoilt.push(path.filter((_, i) => i !== at));
    spoilt.push(path.map((node, i) => (i === at ? node.subarray(0, 31) : node)));
  }
  if (path.length > 1) spoilt.push(path.toReversed());
  return spoilt;
}

const size = fc.oneof(
  fc.integer({ min: 1, max: 64 * 21 }),
  fc.integer({ min: 1, max: 21 }).map((n) => n * 64),
);
const seed = fc.nat(1e6);

describe('inclusion', () => {
  it('holds for every row, and for no other row, digest, table or spoilt proof', () => {
    fc.assert(
      fc.property(size, seed, (rows, n) => {
        const row = n % rows;
        const table = idOf(first(rows));
        const proof = inclusionProof(first(rows), row);
        const digest = digestOf(row);
        expect(verifyInclusion(table, digest, proof)).toBe(true);

        expect(verifyInclusion(table, digestOf(-1), proof)).toBe(false);
        expect(verifyInclusion(table, digest.subarray(0, 31), proof)).toBe(false);
        expect(verifyInclusion(idOf(all.subarray(32, 32 + rows * 32 - 32)), digest, proof)).toBe(false);
        const spoilt: InclusionProof[] = [
          ...spoiltPaths(proof.path, n).map((path) => ({ ...proof, path })),
          { ...proof, leaf: flip(proof.leaf, n) },
          { ...proof, leaf: proof.leaf.subarray(0, -32) },
          { ...proof, rows: proof.rows + 1 },
          { ...proof, rows: proof.rows - 1 },
          { ...proof, row: proof.row + 1 },
          { ...proof, row: proof.row + 64 },
          { ...proof, row: proof.row - 1 },
          { ...proof, row: proof.row + 0.5 },
          { ...proof, row: NaN },
        ];
        for (const bad of spoilt) expect(verifyInclusion(table, digest, bad)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('cannot be asked for a row that is not there', () => {
    for (const row of [-1, 3, 0.5, NaN]) expect(() => inclusionProof(first(3), row)).toThrow(RangeError);
    expect(() => inclusionProof(new Uint8Array(0), 0)).toThrow(RangeError);
  });
});

describe('consistency', () => {
  it('holds between a table and itself with more rows, and for no other table or spoilt proof', () => {
    fc.assert(
      fc.property(size, size, seed, (a, b, n) => {
        const [few, many] = [Math.min(a, b), Math.max(a, b)];
        const [older, newer] = [idOf(first(few)), idOf(first(many))];
        const proof = consistencyProof(first(many), few);
        expect(verifyConsistency(older, newer, proof)).toBe(true);

        const other = flip(first(few), n);
        expect(verifyConsistency(idOf(other), newer, proof)).toBe(false);
        // The other table with its own root in the proof: the nodes must still refuse it.
        const forged = { ...proof, firstRoot: tableTree(other).root };
        expect(verifyConsistency(idOf(other), newer, forged)).toBe(false);
        if (few !== many) {
          const rewritten = flip(first(many), n % (few * 32));
          const forgedLater = { ...proof, secondRoot: tableTree(rewritten).root };
          expect(verifyConsistency(older, idOf(rewritten), forgedLater)).toBe(false);
          expect(verifyConsistency(older, idOf(rewritten), consistencyProof(rewritten, few))).toBe(false);
          expect(verifyConsistency(newer, older, proof)).toBe(false);
        }
        const spoilt: ConsistencyProof[] = [
          ...spoiltPaths(proof.path, n).map((path) => ({ ...proof, path })),
          { ...proof, firstRows: few + 1 },
          { ...proof, firstRows: few - 1 },
          { ...proof, secondRows: many + 1 },
          { ...proof, firstRoot: flip(proof.firstRoot, n) },
          { ...proof, secondRoot: flip(proof.secondRoot, n) },
          { ...proof, tail: Buffer.concat([proof.tail, digestOf(n)]) },
          { ...proof, following: Buffer.concat([proof.following, digestOf(n)]) },
        ];
        if (proof.tail.length > 0) spoilt.push({ ...proof, tail: flip(proof.tail, n) });
        if (proof.following.length > 0) spoilt.push({ ...proof, following: flip(proof.following, n) });
        for (const bad of spoilt) expect(verifyConsistency(older, newer, bad)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('says nothing about the empty table', () => {
    expect(() => consistencyProof(first(3), 0)).toThrow(RangeError);
    expect(() => consistencyProof(first(3), 4)).toThrow(RangeError);
    const proof = { ...consistencyProof(first(3), 3), firstRows: 0, firstRoot: tableTree(new Uint8Array(0)).root };
    expect(verifyConsistency(idOf(new Uint8Array(0)), idOf(first(3)), proof)).toBe(false);
  });
});
