import { chmod, mkdir, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Sha256Id } from '../../dist/schemas/ids.js';
import { snapshotRecord } from '../../dist/schemas/records.js';
import { tableSchema } from '../../dist/schemas/table-schema.js';
import { sha256IdOf } from '../../dist/src/identity/ids.js';
import { Store } from '../../dist/src/store/store.js';
import { noon, putBytes, putVersion, schemaOf, scratchFolder, scratchStore } from './scratch.ts';

const nowhere = `sha256:${'0'.repeat(64)}` as Sha256Id;

describe('a store', () => {
  it('is found from any folder below it, and not from one beside it', async () => {
    const folder = await scratchFolder();
    await mkdir(join(folder, 'project/a/b'), { recursive: true });
    await mkdir(join(folder, 'other'));
    const { root } = await Store.init(join(folder, 'project/.holdout'), { holdoutVersion: '1', now: noon });
    expect(await Store.find(join(folder, 'project/a/b'))).toBe(root);
    expect(await Store.find(join(folder, 'project'))).toBe(root);
    expect(await Store.find(join(folder, 'other'))).toBeNull();
  });

  it('is made once, and keeps itself out of Git', async () => {
    const store = await scratchStore();
    await expect(Store.init(store.root, { holdoutVersion: '1', now: noon })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await readFile(join(store.root, '.gitignore'), 'utf8')).toBe('*\n');
    expect((await store.journal()).entries).toMatchObject([{ op: 'init', seq: 1, previous: null }]);
  });

  it('whose making was interrupted is completed by the next init', async () => {
    const store = await scratchStore();
    await rm(join(store.root, 'config.json'));
    await expect(Store.open(store.root)).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
    const again = await Store.init(store.root, { holdoutVersion: '2', now: noon });
    expect((await again.journal()).entries).toMatchObject([{ op: 'init', holdout: '0.0.0-test' }]);
  });

  it.each([
    ['a newer format', '{"type":"holdout/store@2"}', /format 2/, /newer version/],
    ['a damaged config', '{"type":"h', /damaged/, /config|folder/],
  ])('of %s is refused with what to do', async (_, text, message, hint) => {
    const { root } = await scratchStore();
    await chmod(join(root, 'config.json'), 0o644);
    await writeFile(join(root, 'config.json'), text);
    const error: unknown = await Store.open(root).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'STORE_UNUSABLE' });
    expect(error).toMatchObject({ message: expect.stringMatching(message), hint: expect.stringMatching(hint) });
  });
});

describe('a record', () => {
  it('comes back as it was, under the digest of its canonical JSON, and is stored once', async () => {
    const store = await scratchStore();
    const id = await store.putRecord(schemaOf('text'));
    expect(await store.putRecord(schemaOf('text'))).toBe(id);
    expect(id).toBe(
      sha256IdOf(Buffer.from('{"columns":[{"name":"text","type":"VARCHAR"}],"type":"holdout/schema@1"}')),
    );
    expect(await store.getRecord(id, tableSchema)).toEqual(schemaOf('text'));
    expect(await store.resolveRecordPrefix(id.slice(7, 14))).toEqual([id]);
    expect(await store.resolveRecordPrefix(id.slice(0, 14))).toEqual([id]);
    expect(await store.resolveRecordPrefix('../..')).toEqual([]);
  });

  it('of another type than expected, or of none, is refused', async () => {
    const store = await scratchStore();
    const id = await store.putRecord(schemaOf('text'));
    await expect(store.getRecord(id, snapshotRecord)).rejects.toThrow(/holdout\/schema@1.*not what is expected/);
    await expect(store.putRecord({ type: 'holdout/other@1' } as never)).rejects.toThrow(TypeError);
    await expect(store.putRecord({ ...schemaOf('a'), extra: 1 } as never)).rejects.toThrow(TypeError);
  });

  it('that is missing or was altered is STORE_CORRUPT', async () => {
    const store = await scratchStore();
    const id = await store.putRecord(schemaOf('text'));
    await expect(store.getRecord(nowhere, tableSchema)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    const path = store.filePath('record', id);
    await chmod(path, 0o644);
    await writeFile(path, (await readFile(path, 'utf8')).replace('text', 'tent'));
    await expect(store.getRecord(id, tableSchema)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      place: { file: path },
    });
    // Who has the right bytes mends it.
    await store.putRecord(schemaOf('text'));
    expect(await store.getRecord(id, tableSchema)).toEqual(schemaOf('text'));
  });
});

describe('a path', () => {
  it.each([
    ['sha256:../../../../etc/passwd'],
    [`sha256:${'0'.repeat(63)}/`],
    [`sha256:${'0'.repeat(64)}/..`],
    [`sha256:${'0'.repeat(64)}\n`],
    [`sha256:${'A'.repeat(64)}`],
    [`md5:${'0'.repeat(64)}`],
    [`holdout-table-v1:${'0'.repeat(64)}`],
    ['0'.repeat(64)],
    [''],
  ])('is made of no text but a digest: %j', async (id) => {
    const store = await scratchStore();
    expect(() => store.filePath('record', id as Sha256Id)).toThrow(TypeError);
    await expect(store.getRecord(id as Sha256Id, tableSchema)).rejects.toThrow(TypeError);
  });

  it('of a digest lies inside the store', async () => {
    const store = await scratchStore();
    expect(store.filePath('part', nowhere)).toBe(join(store.root, 'parts', '00', `${'0'.repeat(64)}.parquet`));
  });
});

describe('a file', () => {
  it('is kept read-only under its digest, once, and leaves no temporary file', async () => {
    const store = await scratchStore();
    const put = await putBytes(store, 'part', 'rows');
    expect(put).toEqual({ id: sha256IdOf(Buffer.from('rows')), bytes: 4 });
    const before = await stat(store.filePath('part', put.id));
    expect(before.mode & 0o222).toBe(0);
    expect(await putBytes(store, 'part', 'rows')).toEqual(put);
    expect((await stat(store.filePath('part', put.id))).ino).toBe(before.ino);
    expect(await readdir(dirname(await store.tempPath()))).toEqual([]);
    expect(await store.stats()).toMatchObject({ parts: 4, digests: 0 });
  });

  it('of the wrong size in its place is replaced by one that is right', async () => {
    const store = await scratchStore();
    const { id } = await putBytes(store, 'part', 'rows');
    await chmod(store.filePath('part', id), 0o644);
    await writeFile(store.filePath('part', id), 'ro');
    expect(await store.checkFile('part', id)).toBe('damaged');
    await putBytes(store, 'part', 'rows');
    expect(await store.checkFile('part', id)).toBe('ok');
    expect(await store.checkFile('digests', id)).toBe('missing');
  });

  it('is hashed again when it looks other than when it was last hashed, by another process too', async () => {
    const store = await scratchStore();
    const { id } = await putBytes(store, 'part', 'rows');
    await store.ensureIntact('part', id);
    await store.close();
    const path = store.filePath('part', id);
    const { mtime } = await stat(path);
    await chmod(path, 0o644);
    await writeFile(path, 'sows');
    await utimes(path, mtime, mtime);
    const other = await Store.open(store.root);
    await expect(other.ensureIntact('part', id)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      place: { file: path },
    });
    await expect(other.ensureIntact('part', nowhere)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('that cannot be placed fails with the path and the reason, and nothing is half-stored', async () => {
    const store = await scratchStore();
    const id = sha256IdOf(Buffer.from('rows'));
    const folder = dirname(store.filePath('part', id));
    await writeFile(folder, 'in the way');
    await expect(putBytes(store, 'part', 'rows')).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining(folder),
    });
    await rm(folder);
    expect(await store.checkFile('part', id)).toBe('missing');
    await putBytes(store, 'part', 'rows');
    expect(await store.checkFile('part', id)).toBe('ok');
  });
});

describe('temporary files', () => {
  it('go with the store that made them; those of dead processes when the store is opened', async () => {
    const store = await scratchStore();
    await writeFile(await store.tempPath('.x'), 'mine');
    const mine = (await readdir(join(store.root, 'tmp')))[0] ?? '';
    const [machine = ''] = mine.split('-');
    const old = new Date(Date.now() - 25 * 3600_000);
    for (const name of [`${machine}-2147483646-${'0'.repeat(16)}`, `${'f'.repeat(16)}-1-${'0'.repeat(16)}`, 'old']) {
      await mkdir(join(store.root, 'tmp', name));
    }
    await utimes(join(store.root, 'tmp', 'old'), old, old);
    await Store.open(store.root);
    expect((await readdir(join(store.root, 'tmp'))).sort()).toEqual(
      [mine, `${'f'.repeat(16)}-1-${'0'.repeat(16)}`].sort(),
    );
    await store.close();
    expect(await readdir(join(store.root, 'tmp'))).toEqual([`${'f'.repeat(16)}-1-${'0'.repeat(16)}`]);
  });
});

describe('the memory of source files', () => {
  it('knows an unchanged file, and no file that changed or may have', async () => {
    const store = await scratchStore();
    const path = join(store.projectRoot, 'rows.jsonl');
    const digest = sha256IdOf(Buffer.from('rows'));
    const remember = async (): Promise<void> => {
      const sources = await store.sourceCache();
      const look = await sources.look(path);
      if (look !== null) await sources.remember(look, digest);
      await sources.save();
    };
    const known = async (): Promise<Sha256Id | null> => (await store.sourceCache()).known(path);

    expect(await known()).toBeNull();
    await writeFile(path, 'rows');
    await remember();
    // Written within two seconds of the look: a later write might not show.
    expect(await known()).toBeNull();
    const past = new Date(Date.now() - 10_000);
    await utimes(path, past, past);
    await remember();
    expect(await known()).toBe(digest);
    await writeFile(path, 'sows');
    await utimes(path, past, past);
    expect(await known()).toBeNull();
    await remember();
    await writeFile(join(store.root, 'cache', 'sources.json'), 'damaged');
    expect(await known()).toBeNull();
  });
});

it('the memory of source files forgets those that are gone', async () => {
  const store = await scratchStore();
  const file = join(store.root, 'cache', 'sources.json');
  const paths = ['a', 'b'].map((name) => join(store.projectRoot, name));
  for (const path of paths) {
    await writeFile(path, path);
    const sources = await store.sourceCache();
    const look = await sources.look(path);
    if (look !== null) await sources.remember(look, sha256IdOf(Buffer.from(path)));
    await sources.save();
    if (path === paths[0]) await rm(path);
  }
  const remembered = await readFile(file, 'utf8');
  expect(paths.map((path) => remembered.includes(JSON.stringify(path)))).toEqual([false, true]);
});

describe('the journal', () => {
  it('refuses an entry that names what is not stored, or a version out of turn', async () => {
    const store = await scratchStore();
    await expect(store.commit(() => ({ op: 'pin', pin: nowhere }), noon)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const draft = await putVersion(store, 'a');
    await expect(store.commit((state) => ({ ...draft(state), version: 7 }) as never, noon)).rejects.toThrow(RangeError);
    expect(await store.commit(() => null, noon)).toBeNull();
    expect((await store.journal()).seq).toBe(1);
  });

  it('folds to versions, layouts, reports and pins', async () => {
    const store = await scratchStore();
    const draft = await putVersion(store, 'a');
    await store.commit(draft, noon);
    const before = await store.journal();
    const [version] = before.names.get('rows') ?? [];
    const snapshot = await store.getRecord(version?.snapshot ?? nowhere, snapshotRecord);
    expect([...before.layouts]).toEqual([[`${snapshot.table} ${snapshot.schema}`, version?.layout]]);
    const layout = await putBytes(store, 'layout', 'another');
    const { table, schema } = snapshot;
    await store.commit(() => ({ op: 'layout', table, schema, layout: layout.id }), noon);
    await store.commit(() => ({ op: 'report', report: schema }), noon);
    await store.commit(() => ({ op: 'pin', pin: schema }), noon);
    const after = await store.journal();
    expect(after.layouts.get(`${table} ${schema}`)).toBe(layout.id);
    expect([after.seq, after.reports.length, after.pins.length]).toEqual([5, 1, 1]);
    // A state is a value: what came later does not change it.
    expect([before.seq, before.entries.length, before.pins.length]).toEqual([2, 2, 0]);
  });

  it('is the same with its cache, without it, and with a damaged or foreign one', async () => {
    const store = await scratchStore();
    await store.commit(await putVersion(store, 'a'), noon);
    const pin = await store.putRecord(schemaOf('a'));
    for (let i = 0; i < 300; i += 1) await store.commit(() => ({ op: 'pin', pin }), noon);
    const cache = join(store.root, 'cache', 'journal.json');
    const text = await readFile(cache, 'utf8');
    const state = await store.journal();
    const folded = async (): Promise<unknown> => (await Store.open(store.root)).journal();
    expect(await folded()).toEqual(state);
    await writeFile(cache, text.slice(0, -1));
    expect(await folded()).toEqual(state);
    const other = await scratchStore();
    await mkdir(join(other.root, 'cache'));
    await writeFile(join(other.root, 'cache', 'journal.json'), text);
    expect((await other.journal()).seq).toBe(1);
    await rm(cache);
    expect(await folded()).toEqual(state);
  });

  it('says which entry is torn, missing, or from elsewhere', async () => {
    const store = await scratchStore();
    const pin = await store.putRecord(schemaOf('a'));
    for (let i = 0; i < 3; i += 1) await store.commit(() => ({ op: 'pin', pin }), noon);
    const entry = (seq: number): string => join(store.root, 'journal', `${String(seq).padStart(12, '0')}.jsonl`);
    const texts = await Promise.all([2, 3, 4].map((seq) => readFile(entry(seq))));
    const attempt = async (): Promise<unknown> => (await Store.open(store.root)).journal();
    const put = async (seq: number, bytes: Uint8Array | undefined): Promise<void> => {
      await rm(entry(seq), { force: true });
      if (bytes !== undefined) await writeFile(entry(seq), bytes);
    };
    await put(4, texts[2]?.subarray(0, 50));
    await expect(attempt()).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringMatching(/entry 4.*torn/),
    });
    await put(4, texts[1]);
    await expect(attempt()).rejects.toThrow(/entry 4.*it is entry 3/);
    await put(4, texts[2]);
    await put(3, undefined);
    await expect(attempt()).rejects.toThrow(/entry 3.*missing/);
    const other = await scratchStore();
    await other.commit(() => null, noon);
    const foreign = await other.putRecord(schemaOf('a'));
    for (let i = 0; i < 2; i += 1) await other.commit(() => ({ op: 'report', report: foreign }), noon);
    await put(3, await readFile(entry(3).replace(store.root, other.root)));
    await expect(attempt()).rejects.toThrow(/entry 3.*does not follow/);
    await put(3, texts[1]);
    await attempt();
  });
});
