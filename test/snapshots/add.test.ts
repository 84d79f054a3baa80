import { copyFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logOf, resolveVersion } from '../../dist/src/snapshots/versions.js';
import { statusOf } from '../../dist/src/snapshots/status.js';
import { chatRows, Workspace } from './workspace.ts';

let space: Workspace;
beforeEach(async () => {
  space = await Workspace.make();
});
afterEach(() => space.remove());

const text = (rows: readonly string[]): string => rows.map((row) => `${row}\n`).join('');

describe('the raw bytes of a JSON Lines file come back exactly', () => {
  const files: Record<string, string> = {
    'with LF': '{"a":1,"b":"x"}\n{"a":2.5}\n',
    'with CRLF': '{"a":1,"b":"x"}\r\n{"a":2.5}\r\n',
    'with a byte order mark and no final newline': '\ufeff{"a":1,"b":"x"}\n{"a":2.5}',
    'with blank lines and blanks around rows': '\n  \n{"a":1,"b":"x"}\n\t\n {"a":2.5} \n\n',
    'with mixed line ends': '{"a":1}\r\n{"a":2.5}\n\r\n \r\n{"a":3}',
    'with a carriage return inside a row': '{"a":\r1}\n{"a":2}\n',
    'with a carriage return at its end': '{"a":1}\n{"a":2}\r',
    'with keys in another order, numbers spelled otherwise, escapes': '{"b":1e0,"a":"\\u0041"}\n{"a":"A","b":1.0}\n',
    'that is empty': '',
    'that is only a byte order mark': '\ufeff',
  };
  for (const [what, content] of Object.entries(files)) {
    it(what, async () => {
      await space.add('data', await space.write('data.jsonl', content));
      expect((await space.rawFiles('data', 'raw'))[0]!.toString()).toBe(content);
    });
  }

  it('even when a file of the same rows in another spelling was there first', async () => {
    const first = await space.add('one', await space.write('one.jsonl', '{"a":1,"b":"x"}\n{"a":2}\n'));
    const spelled = '{ "b":"x", "a":1.0 }\r\n\r\n{"a":2,"b":null}';
    const second = await space.add('two', await space.write('two.jsonl', spelled));
    expect(second.table).toBe(first.table);
    expect((await space.rawFiles('two', 'raw'))[0]!.toString()).toBe(spelled);
  });

  it('of each of several files', async () => {
    const paths = [await space.write('a.jsonl', '{"a":1}\r\n'), await space.write('b.jsonl', '\n{"a":2}')];
    await space.add('both', paths);
    expect((await space.rawFiles('both', 'raw')).map(String)).toEqual(['{"a":1}\r\n', '\n{"a":2}']);
  });
});

it('other files are kept by their rows, and with --raw by their bytes, too', async () => {
  const content = '[{"a": 1},\n {"a": 2}]';
  const path = await space.write('data.json', content);
  await space.add('rows', path);
  await expect(space.rawFiles('rows', 'raw')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await space.add('bytes', path, { raw: true });
  expect((await space.rawFiles('bytes', 'raw'))[0]!.toString()).toBe(content);
});

describe('a second version costs what is new of it', () => {
  const rows = chatRows(20_000);

  it('with 1 % of its rows changed: about 1 %, and both versions come back', async () => {
    const first = await space.add('chat', await space.write('v1.jsonl', text(rows)));
    const changed = rows.map((row, i) => (i % 100 === 7 ? row.replace('"score":', '"score":1') : row));
    const second = await space.add('chat', await space.write('v2.jsonl', text(changed)));
    expect(second).toMatchObject({ version: 2, rows: 20_000, created: true });
    expect(second.newBytes).toBeLessThan(first.newBytes * 0.03);
    expect(await space.lines('chat@1')).toEqual(rows);
    expect(await space.lines('chat@2')).toEqual(changed);
    expect((await space.rawFiles('chat@2', 'raw'))[0]!.toString()).toBe(text(changed));
  });

  it('shuffled: a few bytes a row', async () => {
    const first = await space.add('chat', await space.write('v1.jsonl', text(rows)));
    const shuffled = rows.map((row, i) => [(i * 7919) % rows.length, row] as const).toSorted((a, b) => a[0] - b[0]);
    const order = shuffled.map(([, row]) => row);
    expect(order).not.toEqual(rows);
    const second = await space.add('chat', await space.write('v2.jsonl', text(order)));
    expect(second.setRoot).toBe(first.setRoot);
    expect(second.table).not.toBe(first.table);
    expect(second.newBytes).toBeLessThan(rows.length * 4);
    expect(await space.lines('chat@2')).toEqual(order);
    expect((await space.rawFiles('chat@2', 'raw'))[0]!.toString()).toBe(text(order));
  });

  it('under another name, with rows taken out and others doubled', async () => {
    await space.add('chat', await space.write('v1.jsonl', text(rows)));
    const other = rows.flatMap((row, i) => (i % 3 === 0 ? [] : i % 50 === 1 ? [row, row] : [row]));
    const second = await space.add('other', await space.write('other.jsonl', text(other)));
    expect(second.newBytes).toBeLessThan(20_000);
    expect(await space.lines('other')).toEqual(other);
  });

  it('but a row that is spelled otherwise is stored as it is spelled', async () => {
    await space.add('chat', await space.write('v1.jsonl', text(rows.slice(0, 500))));
    const respelled = rows.slice(0, 500).map((row, i) => (i % 2 === 0 ? row : ` ${row.replace('"id":', '"id" :')}`));
    const file = `${text(respelled)}{"id":"new"}\n`;
    await space.add('chat', await space.write('v2.jsonl', file));
    expect((await space.rawFiles('chat@2', 'raw'))[0]!.toString()).toBe(file);
    expect((await space.rawFiles('chat@1', 'raw1'))[0]!.toString()).toBe(text(rows.slice(0, 500)));
  });
});

it('equal content makes no version, and unchanged files are not read again', async () => {
  const path = await space.write('data.jsonl', text(chatRows(50)));
  await utimes(path, new Date('2020-01-01'), new Date('2020-01-01'));
  const first = await space.add('data', path);
  expect(first).toMatchObject({ version: 1, created: true, read: true });
  expect(await space.add('data', path)).toMatchObject({ version: 1, created: false, read: false, newBytes: 0 });
  const copy = space.path('copy.jsonl');
  await copyFile(path, copy);
  const again = await space.add('data', copy);
  expect(again).toMatchObject({ version: 1, created: false, read: true, table: first.table, newBytes: 0 });
});

it('a file that comes back after another is a new version without new bytes', async () => {
  const one = await space.write('one.jsonl', text(chatRows(50)));
  const two = await space.write('two.jsonl', text(chatRows(50, 2)));
  const first = await space.add('data', one);
  await space.add('data', two);
  expect(await space.add('data', one)).toMatchObject({ version: 3, created: true, newBytes: 0, table: first.table });
});

it('the role of a name stays, and adding a column that is no item field keeps the items', async () => {
  const plain = await space.write('a.jsonl', '{"question":"What is it?"}\n{"question":"Why?"}\n');
  const first = await space.add('eval', plain, { role: 'eval' });
  expect(first.itemsRoot).not.toBeNull();
  const more = await space.write('b.jsonl', '{"question":"Why?","subject":"x"}\n{"question":"What is it?"}\n');
  const second = await space.add('eval', more);
  expect(second.itemsRoot).toBe(first.itemsRoot);
  expect(second.table).not.toBe(first.table);
  await expect(space.add('eval', plain, { role: 'train' })).rejects.toMatchObject({ code: 'CONFLICT' });
});

it('a bad name and a bad file leave the store as it was', async () => {
  const state = await space.store.journal();
  const bad = await space.write('bad.jsonl', '{"a":1}\n{"a":\n');
  await expect(space.add('data', bad)).rejects.toMatchObject({ code: 'INPUT_INVALID', place: { line: 2 } });
  await expect(space.add('a/b', bad)).rejects.toMatchObject({ code: 'USAGE' });
  expect((await space.store.journal()).seq).toBe(state.seq);
});

it('versions are named by count, by the beginning of an id, or not at all', async () => {
  const a = await space.add('data', await space.write('a.jsonl', '{"a":1}\n'));
  const b = await space.add('data', await space.write('b.jsonl', '{"a":2}\n'));
  const state = await space.store.journal();
  const versionOf = (name: string): number => resolveVersion(state, name).version;
  expect(versionOf('data')).toBe(2);
  expect(versionOf('data@1')).toBe(1);
  expect(versionOf(`data@${a.table.slice('holdout-table-v1:'.length, 28)}`)).toBe(1);
  expect(versionOf(`data@${b.snapshot.slice(7, 20)}`)).toBe(2);
  expect(versionOf(b.table)).toBe(2);
  expect(() => versionOf('data@3')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(() => versionOf('nothing')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect((await logOf(space.store, 'data')).map(({ entry }) => entry.version)).toEqual([2, 1]);
});

it('status tells unchanged, changed and missing files apart', async () => {
  const paths = [];
  for (const name of ['same', 'other', 'gone']) paths.push(await space.write(`${name}.jsonl`, `{"n":"${name}"}\n`));
  await space.add('data', paths);
  await space.write('other.jsonl', '{"n":"OTHER"}\n');
  const { rm } = await import('node:fs/promises');
  await rm(space.path('gone.jsonl'));
  const states = await statusOf(space.store);
  expect(states.map(({ path, state }) => [path, state])).toEqual([
    ['same.jsonl', 'unchanged'],
    ['other.jsonl', 'changed'],
    ['gone.jsonl', 'missing'],
  ]);
});

it('status names files that have come into a folder or pattern, and the new name of one that was renamed', async () => {
  const { mkdir, rename } = await import('node:fs/promises');
  await mkdir(space.path('folder'));
  for (const name of ['a', 'b']) await space.write(`folder/${name}.jsonl`, `{"n":"${name}"}\n`);
  const single = await space.write('single.jsonl', '{"n":"single"}\n');
  await space.add('folder', space.path('folder'));
  await space.add('pattern', space.path('folder/*.jsonl'));
  await space.add('single', single);
  expect((await statusOf(space.store)).map(({ state }) => state)).toEqual(Array(5).fill('unchanged'));
  await rename(space.path('folder/a.jsonl'), space.path('folder/z.jsonl'));
  await rename(single, space.path('moved.jsonl'));
  await space.write('folder/c.jsonl', '{"n":"c"}\n');
  const states = (await statusOf(space.store)).map(({ name, path, state, sameAs }) => [name, path, state, sameAs]);
  for (const name of ['folder', 'pattern']) {
    expect(states.filter(([of]) => of === name)).toEqual([
      [name, 'folder/a.jsonl', 'missing', 'folder/z.jsonl'],
      [name, 'folder/b.jsonl', 'unchanged', null],
      [name, 'folder/c.jsonl', 'new', null],
      [name, 'folder/z.jsonl', 'new', 'folder/a.jsonl'],
    ]);
  }
  expect(states.filter(([of]) => of === 'single')).toEqual([['single', 'single.jsonl', 'missing', 'moved.jsonl']]);
});

const data = process.env['HOLDOUT_TEST_DATA'];
describe.skipIf(!data)('real data (needs HOLDOUT_TEST_DATA)', () => {
  const files = ['dedupe-only', 'similarity-0.6', 'similarity-0.7', 'similarity-0.8', 'similarity-0.9'];
  const paths = files.map((name) => join(data ?? '', 'gpteacher', `toolformer-${name}-dataset.json`));
  for (const [what, order] of [
    ['the largest first', [0, 4, 3, 2, 1]],
    ['the smallest first', [1, 2, 3, 4, 0]],
  ] as const) {
    it(`five overlapping sets cost little more than the largest, ${what}, as versions and as names`, async () => {
      const alone = (await space.add('alone', paths[0]!)).newBytes;
      for (const sameName of [true, false]) {
        const fresh = await Workspace.make();
        let sum = 0;
        for (const index of order)
          sum += (await fresh.add(sameName ? 'tools' : `tools-${index}`, paths[index]!)).newBytes;
        expect(sum).toBeLessThanOrEqual(alone * 1.35);
        await fresh.remove();
      }
    });
  }
});
