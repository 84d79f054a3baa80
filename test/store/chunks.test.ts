import { createHash, randomBytes } from 'node:crypto';
import { chmod, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Sha256Id } from '../../dist/schemas/ids.js';
import { Store } from '../../dist/src/store/store.js';
import { collect, scratchStore, streamOf } from './scratch.ts';

/** Text that compresses, of lines that are all different. */
function lines(count: number): Buffer {
  return Buffer.from(
    Array.from({ length: count }, (_, i) => `{"id":${i},"text":"line number ${i * 7919}"}\n`).join(''),
  );
}

async function read(store: Store, chunks: Iterable<readonly [Sha256Id, number]>): Promise<Buffer> {
  return Buffer.concat(await collect(store.readChunks(chunks)));
}

async function packsOf(store: Store): Promise<readonly string[]> {
  const items = await readdir(join(store.root, 'packs'), { recursive: true, withFileTypes: true });
  return items.filter((item) => item.isFile()).map((item) => join(item.parentPath, item.name));
}

describe('a raw file in packs', () => {
  it('comes back byte for byte, compressible or not, and empty', async () => {
    const store = await scratchStore();
    for (const bytes of [lines(40_000), randomBytes(500_000), Buffer.alloc(700_000), Buffer.alloc(0)]) {
      const { chunks } = await store.putChunks(streamOf(bytes, 100_000));
      expect(chunks.reduce((sum, [, size]) => sum + size, 0)).toBe(bytes.length);
      expect((await read(store, chunks)).equals(bytes)).toBe(true);
      expect((await read(await Store.open(store.root), chunks)).equals(bytes)).toBe(true);
    }
  });

  it('is stored compressed where that helps, and nearly as it is where it does not', async () => {
    const store = await scratchStore();
    const text = lines(40_000);
    expect((await store.putChunks(streamOf(text))).newBytes).toBeLessThan(text.length / 2);
    const noise = randomBytes(500_000);
    expect((await store.putChunks(streamOf(noise))).newBytes).toBeLessThan(noise.length * 1.01);
  });

  it('costs nothing again, and little when it changed a little, in another process too', async () => {
    const store = await scratchStore();
    const bytes = randomBytes(3_000_000);
    await store.putChunks(streamOf(bytes));
    expect((await store.putChunks(streamOf(bytes))).newBytes).toBe(0);
    const other = await Store.open(store.root);
    const edited = Buffer.concat([bytes.subarray(0, 1_500_000), Buffer.from('inserted'), bytes.subarray(1_500_000)]);
    const { chunks, newBytes } = await other.putChunks(streamOf(edited));
    expect(newBytes).toBeGreaterThan(0);
    expect(newBytes).toBeLessThan(600_000);
    expect((await read(store, chunks)).equals(edited)).toBe(true);
  });

  it('is refused when a chunk was altered or is missing, never given wrong', async () => {
    const store = await scratchStore();
    const bytes = lines(20_000);
    const { chunks } = await store.putChunks(streamOf(bytes));
    const [pack = ''] = await packsOf(store);
    const packed = await readFile(pack);
    await chmod(pack, 0o644);
    // Anywhere: in a chunk, in the index, in the footer.
    for (let at = 20; at < packed.length; at += Math.floor(packed.length / 200)) {
      const altered = Uint8Array.from(packed);
      altered[at]! ^= 0x10;
      await writeFile(pack, altered);
      await expect(read(await Store.open(store.root), chunks)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
    await rm(pack);
    await expect(read(await Store.open(store.root), chunks)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    // Added again, it is whole again.
    const again = await Store.open(store.root);
    await again.putChunks(streamOf(bytes));
    expect((await read(again, chunks)).equals(bytes)).toBe(true);
  });

  it('whose index lies about lengths is not believed', async () => {
    const store = await scratchStore();
    const { chunks } = await store.putChunks(streamOf(lines(20_000)));
    const [pack = ''] = await packsOf(store);
    const packed = await readFile(pack);
    await chmod(pack, 0o644);
    const footer = packed.length - 52;
    const index = packed.subarray(footer - packed.readUInt32BE(footer) * 48, footer);
    for (const [field, value] of [
      [32, 0xffffffff],
      [36, 0xffffffff],
      [40, 0xffffffff],
      [40, 1],
      [44, 9],
    ] as const) {
      const forged = Buffer.from(index);
      forged.writeUInt32BE(value, field);
      const digest = createHash('sha256').update(forged).digest();
      await writeFile(
        pack,
        Buffer.concat([
          packed.subarray(0, footer - index.length),
          forged,
          packed.subarray(footer, footer + 4),
          digest,
          packed.subarray(-16),
        ]),
      );
      await expect(read(await Store.open(store.root), chunks)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
  });
});
