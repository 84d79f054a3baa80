import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { diffTables } from '../../dist/src/snapshots/diff.js';
import { openTable } from '../../dist/src/tables/table-reader.js';
import type { DiffOptions, TableDiff } from '../../dist/src/snapshots/diff.js';
import { chatRows, Workspace } from './workspace.ts';

let space: Workspace;
beforeEach(async () => {
  space = await Workspace.make();
});
afterEach(() => space.remove());

async function diff(
  before: readonly string[],
  after: readonly string[],
  options: Partial<DiffOptions> = {},
  schema?: TableSchema,
): Promise<TableDiff> {
  await space.add('a', await space.write('a.jsonl', before.join('\n')));
  await space.add('b', await space.write('b.jsonl', after.join('\n')), schema === undefined ? {} : { schema });
  return space.read('b', async (b, engine) => {
    const { record } = await space.version('a');
    const a = await openTable(space.store, engine, record);
    return diffTables(engine, a, b, { workDirectory: space.folder, ...options });
  });
}

it('counts rows as multisets, in whatever order', async () => {
  const result = await diff(['{"x":1}', '{"x":2}', '{"x":2}', '{"x":3}'], ['{"x":2}', '{"x":1}', '{"x":4}', '{"x":1}']);
  expect(result.counts).toEqual({ added: 2, removed: 2, changed: 0, unchanged: 2 });
  expect(result.added.map(({ row, text }) => [row, text])).toEqual([
    [2, '{"x":4}'],
    [3, '{"x":1}'],
  ]);
  expect(result.removed.map(({ row, text }) => [row, text])).toEqual([
    [2, '{"x":2}'],
    [3, '{"x":3}'],
  ]);
  expect(result).toMatchObject({ same: false, sameValues: false, reordered: true });
});

it('says that the same rows in another order are the same', async () => {
  const rows = chatRows(100);
  const result = await diff(rows, rows.toReversed());
  expect(result).toMatchObject({ same: true, sameValues: true, reordered: true, added: [], removed: [], changed: [] });
});

it('pairs rows by their id and names the fields that changed', async () => {
  const result = await diff(
    ['{"id":1,"t":"a","n":1}', '{"id":2,"t":"b"}', '{"id":3,"t":"c"}'],
    ['{"id":1,"t":"a","n":2,"m":[1]}', '{"id":4,"t":"b"}', '{"id":3,"t":"c","m":null}'],
  );
  expect(result.key).toEqual(['id']);
  expect(result.counts).toEqual({ added: 1, removed: 1, changed: 1, unchanged: 1 });
  expect(result.changed).toEqual([
    {
      before: 0,
      after: 0,
      key: '{"id":1}',
      fields: [
        { name: 'n', before: '1', after: '2' },
        { name: 'm', before: null, after: '[1]' },
      ],
    },
  ]);
  expect(result.schema.map(({ name }) => name)).toEqual(['m']);
});

it('does not pair rows by a key that stands twice or is null', async () => {
  const result = await diff(
    ['{"k":1,"t":"a"}', '{"k":1,"t":"b"}', '{"k":null,"t":"c"}'],
    ['{"k":1,"t":"x"}', '{"k":null,"t":"y"}'],
    { key: ['k'] },
  );
  expect(result.counts).toEqual({ added: 2, removed: 3, changed: 0, unchanged: 0 });
  await expect(diff(['{"k":1}'], ['{"k":2}'], { key: ['nothing'] })).rejects.toMatchObject({ code: 'USAGE' });
});

it('shows no more rows than asked for, and counts them all', async () => {
  const result = await diff(chatRows(50), chatRows(40, 2), { rowsMax: 3, key: [] });
  expect(result.counts).toMatchObject({ added: 40, removed: 50 });
  expect([result.added.length, result.removed.length]).toEqual([3, 3]);
});

it('says when the same values stand under another schema', async () => {
  const schema: TableSchema = {
    type: 'holdout/schema@1',
    columns: [
      { name: 'x', type: 'BIGINT' },
      { name: 'y', type: 'DOUBLE' },
    ],
  };
  const rows = ['{"x":1,"y":1}', '{"x":2,"y":2}'];
  const result = await diff(rows, rows, {}, schema);
  expect(result).toMatchObject({ same: false, sameValues: true, sameSchema: false });
  expect(result.schema.map(({ name, after }) => [name, after])).toContainEqual(['y', 'DOUBLE']);
});

const row = (id: number, n: number): string => `{"id":${id},"n":${n}}`;

it('pairs the rows of a table in which every row changed', async () => {
  const rows = 70_000;
  const before = Array.from({ length: rows }, (_, id) => row(id, 0));
  // One row went, one came, the order is another, and one key stands twice in each table.
  const after = [...Array.from({ length: rows - 1 }, (_, id) => row(id, 1)).toReversed(), row(rows, 1)];
  const result = await diff([...before, row(7, 2)], [...after, row(7, 3)], { rowsMax: 2 });
  expect(result.counts).toEqual({ added: 3, removed: 3, changed: rows - 2, unchanged: 0 });
  expect(result.changed.map((pair) => [pair.before, pair.after, pair.key])).toEqual([
    [rows - 2, 0, `{"id":${rows - 2}}`],
    [rows - 3, 1, `{"id":${rows - 3}}`],
  ]);
  expect(result.added.map(({ text }) => text)).toEqual([row(7, 1), row(rows, 1)]);
  expect(result.removed.map(({ text }) => text)).toEqual([row(7, 0), row(rows - 1, 0)]);
});
