import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifyStore } from '../../dist/src/snapshots/verify.js';
import type { VerifyResult } from '../../dist/src/snapshots/verify.js';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { Store } from '../../dist/src/store/store.js';
import { isWhole } from '../../dist/src/tables/layout.js';
import type { Layout, WholePart } from '../../dist/src/tables/layout.js';
import { openStoreEngine } from '../../dist/src/snapshots/store-engine.js';
import { chatRows, Workspace } from './workspace.ts';

const text = (rows: readonly string[]): string => rows.map((row) => `${row}\n`).join('');

let space: Workspace;
beforeEach(async () => {
  space = await Workspace.make();
  await space.add('one', await space.write('one.jsonl', text(chatRows(300))));
  await space.add('two', await space.write('two.jsonl', text(chatRows(300, 2))));
  await space.add('one', await space.write('more.jsonl', text([...chatRows(300), ...chatRows(20, 3)])));
});
afterEach(() => space.remove());

async function verify(readData = true): Promise<VerifyResult> {
  const store = await Store.open(space.store.root);
  const engine = await openStoreEngine(store, { threads: 1 });
  try {
    return await verifyStore(store, { readData, engine });
  } finally {
    await engine.close();
    await store.close();
  }
}

async function filesOf(kind: string): Promise<string[]> {
  const root = join(space.store.root, kind);
  const names = await readdir(root, { recursive: true });
  const files = [];
  for (const name of names) if ((await stat(join(root, name))).isFile()) files.push(join(root, name));
  return files;
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at]! ^= 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
}

it('a sound store is said to be sound, and its rows were counted', async () => {
  expect(await verify()).toMatchObject({ ok: true, damages: [], versions: 3, rows: 620 });
});

describe('one flipped byte is found, with the versions that it touches, in', () => {
  it('every part', async () => {
    const parts = await filesOf('parts');
    expect(parts).toHaveLength(3);
    const touched = [];
    for (const path of parts) {
      const middle = Math.floor((await stat(path)).size / 2);
      await flip(path, middle);
      const { ok, damages } = await verify();
      expect(ok).toBe(false);
      expect(damages.map((damage) => damage.path)).toEqual([path]);
      touched.push(damages[0]!.touches.join());
      await flip(path, middle);
    }
    expect(touched.toSorted()).toEqual(['one@1,one@2', 'one@2', 'two@1']);
    expect((await verify()).ok).toBe(true);
  });

  for (const kind of ['digests', 'layouts', 'records']) {
    it(`every file of ${kind}`, async () => {
      for (const path of await filesOf(kind)) {
        await flip(path, 10);
        const { ok, damages } = await verify(false);
        expect(ok).toBe(false);
        expect(damages.map((damage) => damage.path)).toContain(path);
        expect(damages.some(({ touches }) => touches.length > 0)).toBe(true);
        await flip(path, 10);
      }
    });
  }

  it('a journal entry', async () => {
    const path = (await filesOf('journal')).toSorted().at(-1)!;
    await flip(path, 20);
    expect((await verify(false)).damages.map((damage) => damage.kind)).toContain('journal');
  });
});

it('a damaged or missing journal entry names its version and all that cannot be read without it', async () => {
  const [, , second = ''] = (await filesOf('journal')).toSorted();
  const bytes = await readFile(second);
  await flip(second, bytes.length - 10);
  const { ok, damages, versions } = await verify();
  expect({ ok, versions }).toEqual({ ok: false, versions: 2 });
  expect(damages).toMatchObject([{ kind: 'journal', path: second, touches: ['two@1', 'one@1', 'one@2'] }]);
  const [, first = ''] = (await filesOf('journal')).toSorted();
  await writeFile(second, bytes);
  await rm(first);
  expect((await verify()).damages).toMatchObject([
    { kind: 'journal', path: first, problem: 'missing', touches: ['one@1', 'two@1', 'one@2'] },
  ]);
});

it('a pack that was cut is named itself, not its chunks', async () => {
  const csv = Array.from({ length: 40_000 }, (_, i) => `${i},${(i * 2654435761) >>> 0}`).join('\n');
  await space.add('table', await space.write('table.csv', `a,b\n${csv}\n`), { raw: true });
  const [pack = ''] = await filesOf('packs');
  const bytes = await readFile(pack);
  await chmod(pack, 0o644);
  await writeFile(pack, bytes.subarray(0, bytes.length - 20));
  const { state, damages } = await verify(false);
  expect(state).toBe('damaged');
  expect(damages).toMatchObject([{ kind: 'pack', path: pack, problem: 'damaged', touches: ['table@1'] }]);
  expect(damages[0]?.says).toMatch(/\d+ chunks are in no pack/);
});

it('a damaged part is refused before any row of it is read', async () => {
  for (const path of await filesOf('parts')) await flip(path, Math.floor((await stat(path)).size / 2));
  await expect(space.lines('two')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
});

it('a part whose rows are not what its sidecar says is found by reading the data', async () => {
  // Files in themselves whole, put together wrongly: only the rows can tell.
  const { partRecord } = await import('../../dist/schemas/records.js');
  const { decodeLayout, encodeLayout } = await import('../../dist/src/tables/layout-file.js');
  const { store } = space;
  const state = await store.journal();
  const read = async (name: string) => {
    const entry = state.names.get(name)![0]!;
    const layout = decodeLayout(await readFile(store.filePath('layout', entry.layout!)));
    return { entry, layout, part: await store.getRecord(wholePart(layout).id, partRecord) };
  };
  const [one, two] = [await read('one'), await read('two')];
  const mixed = await store.putRecord({ ...one.part, parquet: two.part.parquet });
  const path = await store.tempPath();
  await writeFile(path, encodeLayout({ ...one.layout, parts: [{ id: mixed, rows: one.part.rows }] }));
  const { id } = await store.putFile('layout', path);
  const draft = { ...one.entry, layout: id, version: 3 };
  await store.commit(
    () => ({
      op: 'version',
      name: 'one',
      version: draft.version,
      snapshot: draft.snapshot,
      derivation: draft.derivation,
      realisation: draft.realisation,
      layout: draft.layout,
      sources: draft.sources,
    }),
    new Date(),
  );
  expect((await verify(false)).ok).toBe(true);
  const { ok, damages } = await verify();
  expect(ok).toBe(false);
  expect(damages.map((damage) => damage.id)).toContain(mixed);
  expect(damages.find((damage) => damage.id === mixed)!.touches).toContain('one@3');
});

it('a version whose rows cannot be recomputed is named, and the others are looked at', async () => {
  const { partRecord } = await import('../../dist/schemas/records.js');
  const { tableSchema } = await import('../../dist/schemas/table-schema.js');
  const { decodeLayout, encodeLayout } = await import('../../dist/src/tables/layout-file.js');
  const { store } = space;
  const { entry, record } = await space.version('one@1');
  const layout = decodeLayout(await readFile(store.filePath('layout', entry.layout!)));
  const part = await store.getRecord(wholePart(layout).id, partRecord);
  const schema = await store.getRecord(part.schema, tableSchema);
  let deep: TableSchema['columns'][number]['type'] = 'BIGINT';
  for (let level = 0; level < 13; level++) deep = { list: deep };
  // As an older version wrote them: a type that no row digest can be had under.
  const columns = [...schema.columns, { name: 'deep', type: deep }];
  const deepId = await store.putRecord({ type: 'holdout/schema@1', columns });
  const partId = await store.putRecord({ ...part, schema: deepId });
  const snapshot = await store.putRecord({ ...record, schema: deepId });
  const path = await store.tempPath();
  await writeFile(path, encodeLayout({ ...layout, parts: [{ id: partId, rows: part.rows }] }));
  const { id } = await store.putFile('layout', path);
  const { derivation, realisation, sources } = entry;
  const draft = {
    op: 'version' as const,
    name: 'deep',
    version: 1,
    snapshot,
    derivation,
    realisation,
    layout: id,
    sources,
  };
  await store.commit(() => draft, new Date());
  const { ok, state, damages, rows } = await verify();
  expect({ ok, state }).toEqual({ ok: false, state: 'unchecked' });
  expect(damages).toMatchObject([{ problem: 'unchecked', id: snapshot, touches: ['deep@1'] }]);
  expect(damages[0]?.says).toMatch(/deep@1 cannot be checked: .*12 levels/);
  expect(rows).toBe(620);
});

function wholePart({ parts: [part] }: Layout): WholePart {
  if (part === undefined || !isWhole(part)) throw new Error('no stored part');
  return part;
}
