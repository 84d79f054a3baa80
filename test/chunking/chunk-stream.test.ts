import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkStream } from '../../dist/src/chunking/chunk-stream.js';
import { chunkBytesMax, chunkBytesMin } from '../../dist/src/chunking/cut-point.js';
import { gearTable } from '../../dist/src/chunking/gear-table.js';
import { collect } from '../store/scratch.ts';

/** Bytes that look random and are the same in every run. */
function noise(bytes: number, seed: string): Uint8Array {
  const blocks: Buffer[] = [];
  for (let i = 0; i * 32 < bytes; i += 1) blocks.push(createHash('sha256').update(`${seed} ${i}`).digest());
  return Uint8Array.from(Buffer.concat(blocks).subarray(0, bytes));
}

async function chunksOf(pieces: Iterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  return collect(chunkStream(pieces));
}

const digestsOf = (chunks: readonly Uint8Array[]): readonly string[] =>
  chunks.map((chunk) => createHash('sha256').update(chunk).digest('hex'));

const sample = noise(8 * 1024 * 1024, 'sample');

describe('chunks', () => {
  it('joined are the input, between the least and the largest size, 64 KiB on average', async () => {
    expect(new Set(sample.subarray(0, 65536)).size).toBe(256);
    const chunks = await chunksOf([sample]);
    expect(Buffer.concat(chunks).equals(sample)).toBe(true);
    const sizes = chunks.slice(0, -1).map(({ length }) => length);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(chunkBytesMin);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(chunkBytesMax);
    expect(chunks.length).toBeGreaterThan(100);
    expect(chunks.length).toBeLessThan(160);
  });

  it('do not depend on how the stream was split', async () => {
    const whole = digestsOf(await chunksOf([sample]));
    const pieces = fc.array(fc.integer({ min: 0, max: 700_000 }), { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(pieces, async (sizes) => {
        const split: Uint8Array[] = [];
        for (let at = 0, i = 0; at < sample.length; i += 1) {
          const size = i < 200 ? (sizes[i % sizes.length] ?? 0) : sample.length;
          split.push(sample.subarray(at, at + size));
          at += size;
        }
        expect(digestsOf(await chunksOf(split))).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  it('are few that a small edit touches', async () => {
    const before = new Set(digestsOf(await chunksOf([sample])));
    expect(before.size).toBeGreaterThan(100);
    const places = fc.integer({ min: 0, max: sample.length });
    const edits = fc.tuple(places, fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 0, max: 50 }));
    let most = 0;
    await fc.assert(
      fc.asyncProperty(edits, async ([at, inserted, removed]) => {
        const edited = [sample.subarray(0, at), inserted, sample.subarray(at + removed)];
        const fresh = digestsOf(await chunksOf(edited)).filter((digest) => !before.has(digest));
        most = Math.max(most, fresh.length);
        expect(fresh.length).toBeLessThanOrEqual(6);
      }),
      { numRuns: 30 },
    );
    expect(most).toBeGreaterThan(0);
  });

  it('of an input without any variety end at the largest size', async () => {
    const sizes = (await chunksOf([new Uint8Array(1_000_000)])).map(({ length }) => length);
    expect(sizes).toEqual([chunkBytesMax, chunkBytesMax, chunkBytesMax, 1_000_000 - 3 * chunkBytesMax]);
  });

  it('of nothing are none, of little are one', async () => {
    expect(await chunksOf([])).toEqual([]);
    expect(await chunksOf([new Uint8Array(0)])).toEqual([]);
    expect(await chunksOf([Uint8Array.of(1), Uint8Array.of(2, 3)])).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it('cut where they always did: another table or rule is another format', async () => {
    const table = gearTable();
    expect(table[0]).toBe(createHash('sha256').update('holdout-gear-v1:\0').digest().readUInt32BE(0));
    expect(table[255]).toBe(createHash('sha256').update('holdout-gear-v1:\x1f').digest().readUInt32BE(28));
    const chunks = await chunksOf([sample]);
    const golden = createHash('sha256').update(digestsOf(chunks).join('\n')).digest('hex');
    expect([chunks.length, golden]).toEqual([127, '2a03e8b814a6d03a2afce7bd9f461a9887ce56af90f6651269d9b208fa5d70cc']);
  });

  it('are what the rule says, byte by byte', async () => {
    const table = gearTable();
    let start = 0;
    for (const chunk of (await chunksOf([sample])).slice(0, 20)) {
      const isCut = (at: number): boolean => {
        let hash = 0n;
        for (const byte of sample.subarray(at - 32, at)) hash = ((hash << 1n) + BigInt(table[byte] ?? 0)) & 0xffffffffn;
        return hash < 131072n;
      };
      let end = start + chunkBytesMin;
      while (!isCut(end) && end < start + chunkBytesMax) end += 1;
      expect(chunk.length).toBe(end - start);
      start = end;
    }
  });
});
