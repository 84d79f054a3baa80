import { chmod, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Store } from '../../dist/src/store/store.js';
import { noon, partsOf, putVersion, scratchStore } from './scratch.ts';

/** All files of a store but its temporary ones and caches. */
async function filesOf(store: Store): Promise<readonly string[]> {
  const names = await readdir(store.root, { recursive: true, withFileTypes: true });
  return names
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name))
    .filter((path) => !/^(?:tmp|cache)[/\\]|^\.gitignore$|^config\.json$/.test(relative(store.root, path)));
}

async function overwrite(path: string, bytes: Uint8Array): Promise<void> {
  await chmod(path, 0o644);
  await writeFile(path, bytes);
}

async function twoVersions(): Promise<Store> {
  const store = await scratchStore();
  await store.commit(await putVersion(store, 'a'), noon);
  await store.commit(await putVersion(store, 'b'), noon);
  return store;
}

describe('verify', () => {
  it('finds a whole store whole', async () => {
    const store = await twoVersions();
    let bytes = 0;
    expect(await store.verifyStructure(partsOf)).toEqual([]);
    expect(await store.verifyFiles((more) => (bytes += more))).toEqual([]);
    const { total, journal } = await store.stats();
    expect(bytes).toBe(total - journal);
  });

  it('finds a flipped bit in every kind of file, the last journal entry included', async () => {
    const store = await twoVersions();
    const files = await filesOf(store);
    const kinds = new Set(files.map((path) => relative(store.root, path).split(/[/\\]/)[0]));
    expect(kinds).toEqual(new Set(['digests', 'journal', 'layouts', 'packs', 'parts', 'records']));
    for (const path of files) {
      const bytes = await readFile(path);
      const places = [
        0,
        bytes.length - 1,
        ...Array.from({ length: 4 }, () => Math.floor(Math.random() * bytes.length)),
      ];
      for (const at of places) {
        const flipped = Uint8Array.from(bytes);
        flipped[at]! ^= 1 << Math.floor(Math.random() * 8);
        await overwrite(path, flipped);
        const found = await store.verifyFiles();
        expect(
          found.map((damage) => damage.path),
          `bit of byte ${at} of ${path}`,
        ).toContain(path);
      }
      await overwrite(path, bytes);
    }
    expect(await store.verifyFiles()).toEqual([]);
  });

  it('finds a missing or shortened file of every kind that a version needs, and says which versions need it', async () => {
    const store = await twoVersions();
    const versions = (await store.journal()).names.get('rows') ?? [];
    const needs = new Map(
      (await Promise.all(versions.map((version) => store.neededBy(version, partsOf))))
        .flat()
        .map((need) => [need.id, need]),
    );
    expect(new Set([...needs.values()].map(({ kind }) => kind))).toEqual(
      new Set(['record', 'layout', 'part', 'digests', 'pack']),
    );
    for (const { kind, id, bytes: size } of needs.values()) {
      if (kind === 'chunk') throw new Error('a whole store lacks no chunk');
      const path = store.filePath(kind, id);
      const bytes = await readFile(path);
      await rm(path);
      const missing = await store.verifyStructure(partsOf);
      // Without a pack, its chunks are what is missing.
      expect(missing.some((damage) => damage.id === id || (kind === 'pack' && damage.kind === 'chunk'))).toBe(true);
      expect(missing.every((damage) => damage.problem === 'missing')).toBe(true);
      await writeFile(path, bytes.subarray(0, -1));
      if (size !== null || kind === 'record') {
        const short = await store.verifyStructure(partsOf);
        expect(short).toMatchObject([{ kind, id, path, problem: 'damaged' }]);
      }
      await writeFile(path, bytes);
    }
    expect(await store.verifyStructure(partsOf)).toEqual([]);
  });

  it('finds swapped files, foreign files and gaps in the journal', async () => {
    const store = await twoVersions();
    const parts = (await filesOf(store)).filter((path) => path.endsWith('.parquet'));
    const [first = '', second = ''] = parts;
    const bytes = await readFile(first);
    await overwrite(first, await readFile(second));
    expect(await store.verifyFiles()).toMatchObject([{ kind: 'part', problem: 'damaged', path: first }]);
    await overwrite(first, bytes);

    const foreign = join(first, '..', 'notes.txt');
    await writeFile(foreign, 'mine');
    expect(await store.verifyFiles()).toMatchObject([{ kind: 'part', problem: 'foreign', path: foreign }]);
    await rm(foreign);

    const entry = join(store.root, 'journal', '000000000002.jsonl');
    await rm(entry);
    expect(await store.verifyStructure(partsOf)).toMatchObject([{ kind: 'journal', problem: 'missing', path: entry }]);
  });

  it('goes past what was checked before', async () => {
    const store = await twoVersions();
    const [part = ''] = (await filesOf(store)).filter((path) => path.endsWith('.parquet'));
    await store.close();
    await overwrite(part, Buffer.from('other'));
    const again = await Store.open(store.root);
    expect(await again.verifyFiles()).toMatchObject([{ problem: 'damaged', path: part }]);
  });
});

describe('a damaged snapshot record', () => {
  it('does not close the rest of the store', async () => {
    const store = await twoVersions();
    const [version] = (await store.journal()).names.get('rows') ?? [];
    if (version === undefined) throw new Error('no version');
    await overwrite(store.filePath('record', version.snapshot), Buffer.from('{}'));
    const again = await Store.open(store.root);
    expect((await again.journal()).names.get('rows')).toHaveLength(2);
    expect((await again.verifyStructure(partsOf)).map(({ id }) => id)).toEqual([version.snapshot]);
  });
});
