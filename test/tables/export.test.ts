import { readFile, readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tableSchema } from '../../dist/schemas/table-schema.js';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { HoldoutError } from '../../dist/src/errors.js';
import { exportTable } from '../../dist/src/tables/export.js';
import type { ExportFormat, ExportOptions, ExportResult } from '../../dist/src/tables/export.js';
import { readTable } from '../../dist/src/tables/read/read-table.js';
import { chatRows, Workspace } from '../snapshots/workspace.ts';

let space: Workspace;
beforeEach(async () => {
  space = await Workspace.make();
});
afterEach(() => space.remove());

async function exported(
  version: string,
  path: string,
  options: Partial<ExportOptions> & { format: ExportFormat },
): Promise<ExportResult> {
  const { record } = await space.version(version);
  return space.read(version, async (reader, engine) => {
    // `tempPath` is where the store's engine may write.
    const workDirectory = dirname(await space.store.tempPath());
    return exportTable(engine, reader, space.path(path), {
      workDirectory,
      threads: 1,
      verify: record.table,
      ...options,
    });
  });
}

interface OldReader {
  getCursor(): { next(): Promise<{ id: string } | null> };
  close(): Promise<void>;
}

const schema: TableSchema = {
  type: 'holdout/schema@1',
  columns: [
    { name: 'id', type: 'BIGINT' },
    { name: 'text', type: 'VARCHAR' },
    { name: 'score', type: 'DOUBLE' },
    { name: 'small', type: 'FLOAT' },
    { name: 'day', type: 'DATE' },
    { name: 'clock', type: 'TIME' },
    { name: 'at', type: 'TIMESTAMP' },
    { name: 'exact', type: 'TIMESTAMP_NS' },
    { name: 'instant', type: 'TIMESTAMPTZ' },
    { name: 'uuid', type: 'UUID' },
    { name: 'bytes', type: 'BLOB' },
    { name: 'price', type: { decimal: [12, 3] } },
    { name: 'huge', type: { decimal: [38, 0] } },
    { name: 'free', type: 'JSON' },
    { name: 'list', type: { list: { list: 'VARCHAR' } } },
    {
      name: 'struct',
      type: {
        struct: [
          { name: 'a.b', type: 'BIGINT' },
          { name: 'when', type: { list: 'DATE' } },
        ],
      },
    },
    { name: 'flag', type: 'BOOLEAN' },
    { name: 'nothing', type: 'NULL' },
  ],
};
const rows = [
  '{"id":1,"text":"a,\\"b\\"\\n\\r\\u0000é","score":0.1,"small":0.5,"day":"2024-02-29","clock":"01:02:03.000004","at":"1969-12-31T23:59:59.999999",' +
    '"exact":"2024-01-02T03:04:05.123456789","instant":"2024-01-02T03:04:05.5+02:00","uuid":"01234567-89ab-cdef-0123-456789abcdef",' +
    '"bytes":"AP8=","price":"-0.050","huge":-12345678901234567890123456789012345678,"free":{"b":[1,2.5,null],"a":12345678901234567890},' +
    '"list":[["x",null],[],null],"struct":{"a.b":-1,"when":["2020-01-01",null]},"flag":false}',
  '{"id":-9223372036854775808,"text":"","score":NaN,"free":"text","list":[],"struct":{},"price":"123456789.125"}',
  '{"text":"\\ufeffmark","score":-Infinity,"free":null,"flag":true}',
  '{}',
];

describe('an export read again has the table id of what was exported', () => {
  for (const format of ['jsonl', 'json', 'csv', 'parquet', 'arrow'] as const) {
    // JSON has neither NaN nor infinities.
    const held =
      format === 'jsonl' || format === 'json' ? rows.map((row) => row.replace(/NaN|-Infinity/, '2.5')) : rows;

    it(`${format}, values of every kind, with the schema beside it`, async () => {
      await space.add('kinds', await space.write('kinds.jsonl', held.join('\n')), { schema });
      const { path, schemaPath } = await exported('kinds', `out.${format}`, { format });
      const declared =
        schemaPath === null
          ? undefined
          : (tableSchema.parse(JSON.parse(await readFile(schemaPath, 'utf8'))) as TableSchema);
      const again = await space.add('again', path, declared === undefined ? {} : { schema: declared });
      expect(again.table).toBe((await space.version('kinds')).record.table);
    });

    it(`${format}, rows scattered over parts`, async () => {
      const all = chatRows(400);
      await space.add('chat', await space.write('all.jsonl', all.join('\n')));
      await space.add(
        'chat',
        await space.write(
          'some.jsonl',
          all
            .filter((_, i) => i % 3 !== 1)
            .toReversed()
            .join('\n'),
        ),
      );
      const { path, rows: count } = await exported('chat', `out.${format}`, { format });
      expect(count).toBe(267);
      const options = format === 'csv' ? { schema: await schemaOf('chat') } : {};
      expect((await space.add('again', path, options)).table).toBe((await space.version('chat')).record.table);
    });

    it(`${format}, no rows at all`, async () => {
      await space.add('none', await space.write('none.jsonl', rows.join('\n')), { schema });
      await space.add('none', await space.write('empty.jsonl', ''), { schema });
      await exported('none', `out.${format}`, { format });
    });
  }
});

async function schemaOf(version: string): Promise<TableSchema> {
  return space.read(version, (reader) => Promise.resolve(reader.schema));
}

it('JSON lines have every column in order, null for absent', async () => {
  await space.add('data', await space.write('data.jsonl', '{"b":"x","a":1.0}\n{"c":[],"b":null}\n{"a":2}'));
  const { path, schemaPath } = await exported('data', 'out.jsonl', { format: 'jsonl' });
  expect(schemaPath).toBeNull();
  const names = (await schemaOf('data')).columns.map(({ name }) => name);
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  for (const line of lines) expect([...line.matchAll(/"(\w)":/g)].map(([, name]) => name)).toEqual(names);
  expect(lines[1]).toContain('"b":null');
});

it('a JSON file is one list that any reader takes, a row a line', async () => {
  const all = chatRows(30);
  await space.add('chat', await space.write('all.jsonl', all.join('\n')));
  const { path } = await exported('chat', 'out.json', { format: 'json' });
  const text = await readFile(path, 'utf8');
  expect(JSON.parse(text)).toEqual(all.map((row) => JSON.parse(row) as unknown));
  expect(text.split('\n')).toHaveLength(all.length + 3);
  await space.add('none', await space.write('none.jsonl', ''), {});
  await exported('none', 'none.json', { format: 'json' });
  expect(JSON.parse(await readFile(space.path('none.json'), 'utf8'))).toEqual([]);
});

it('a file that is there is not overwritten without force, and nothing is left behind', async () => {
  await space.add('data', await space.write('data.jsonl', '{"a":1}\n'));
  await space.write('out.jsonl', 'mine');
  await expect(exported('data', 'out.jsonl', { format: 'jsonl' })).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await readFile(space.path('out.jsonl'), 'utf8')).toBe('mine');
  await exported('data', 'out.jsonl', { format: 'jsonl', force: true });
  expect(await readFile(space.path('out.jsonl'), 'utf8')).toBe('{"a":1}\n');
  expect((await readdir(space.folder)).toSorted()).toEqual(['.holdout', 'data.jsonl', 'out.jsonl']);
});

it('an export that does not read back as the table leaves nothing', async () => {
  await space.add('data', await space.write('data.jsonl', '{"a":1}\n'));
  const other = await space.add('other', await space.write('other.jsonl', '{"a":2}\n'));
  const failed = exported('data', 'out.jsonl', { format: 'jsonl', verify: other.table });
  await expect(failed).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  expect(await readdir(space.folder)).not.toContain('out.jsonl');
});

it('a Parquet export says the same to a reader that is not DuckDB', async () => {
  const rows = chatRows(30);
  await space.add('chat', await space.write('chat.jsonl', rows.join('\n')));
  const { path } = await exported('chat', 'out.parquet', { format: 'parquet' });
  const read = await parquetReadObjects({ file: await asyncBufferFromFile(path), compressors });
  expect(read).toEqual(rows.map((row) => JSON.parse(row) as unknown));
});

it('--parquet-compat is read by a reader that knows neither zstd nor new types', async () => {
  await space.add('chat', await space.write('chat.jsonl', chatRows(30).join('\n')));
  const { path } = await exported('chat', 'out.parquet', { format: 'parquet', parquetCompat: true });
  // @ts-expect-error: the package has no types.
  const old = (await import('parquetjs-lite')) as { ParquetReader: { openFile(path: string): Promise<OldReader> } };
  const reader = await old.ParquetReader.openFile(path);
  const cursor = reader.getCursor();
  const ids: string[] = [];
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) ids.push(row.id);
  await reader.close();
  expect(ids).toEqual(chatRows(30).map((row) => (JSON.parse(row) as { id: string }).id));
  const again = await readTable([path], { workDirectory: space.folder, threads: 1 });
  expect(again.table).toBe((await space.version('chat')).record.table);
  await again.dispose();
});

describe('what a format cannot hold is refused before anything is written', () => {
  it.each([
    ['{"a":"x","b":NaN}', 'b', 'NaN', 'step: derive: {columns: {b: '],
    ['{"a":"NaN: \\"-Infinity","b":-Infinity}', 'b', '-Infinity', 'step: derive: {columns: {b: '],
    ['{"a":"x","c":{"b":[1,{"b":Infinity}]},"d":"NaN"}', 'c', 'Infinity', '.parquet and .arrow hold it'],
  ])('JSON: numbers that JSON does not have: %s', async (row, column, word, hint) => {
    const lines = ['{"a":"NaN","b":0.5}', '{"a":"Infinity"}', row, '{"b":NaN}'];
    await space.add('odd', await space.write('odd.jsonl', lines.join('\n')));
    for (const format of ['jsonl', 'json'] as const) {
      await expect(exported('odd', `out.${format}`, { format })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: `row 3: column "${column}" holds ${word}, which JSON does not have`,
        hint: expect.stringContaining(hint) as string,
      });
    }
    expect((await readdir(space.folder)).toSorted()).toEqual(['.holdout', 'odd.jsonl']);
    await exported('odd', 'out.parquet', { format: 'parquet' });
    expect((await space.rawFiles('odd', 'raw'))[0]?.toString()).toBe(lines.join('\n'));
  });

  it('CSV: nulls in the only column, which would be blank lines', async () => {
    await space.add('one', await space.write('one.jsonl', '{"a":"x"}\n{"a":null}\n{"a":"y"}\n'));
    await expect(exported('one', 'out.csv', { format: 'csv' })).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('"a" is the only column and holds 1 null:') as string,
      hint: expect.stringContaining('.jsonl or .parquet') as string,
    });
    expect((await readdir(space.folder)).toSorted()).toEqual(['.holdout', 'one.jsonl']);
    await exported('one', 'out.jsonl', { format: 'jsonl' });
  });

  it.each(['csv', 'parquet', 'arrow'] as const)('%s: a table without columns', async (format) => {
    await space.add('bare', await space.write('bare.jsonl', '{}\n{}\n'));
    await expect(exported('bare', `out.${format}`, { format })).rejects.toMatchObject({
      code: 'CONFLICT',
      hint: expect.stringContaining('.jsonl') as string,
    });
    expect((await readdir(space.folder)).toSorted()).toEqual(['.holdout', 'bare.jsonl']);
    const { path } = await exported('bare', 'out.jsonl', { format: 'jsonl' });
    expect(await readFile(path, 'utf8')).toBe('{}\n{}\n');
    expect(await space.lines('bare')).toEqual(['{}', '{}']);
  });
});

it('rows that fail while they are written to Arrow fail the export, and no promise is left alone', async () => {
  await space.add('data', await space.write('data.jsonl', chatRows(50).join('\n')));
  const lonely: unknown[] = [];
  const note = (reason: unknown): number => lonely.push(reason);
  process.on('unhandledRejection', note);
  try {
    await space.read('data', async (reader, engine) => {
      async function* failing(): ReturnType<typeof reader.blocks> {
        yield* reader.blocks();
        throw new HoldoutError('IO', 'the disk went away');
      }
      const options = { format: 'arrow' as const, workDirectory: space.folder, threads: 1 };
      const failed = exportTable(engine, { ...reader, blocks: failing }, space.path('out.arrow'), options);
      await expect(failed).rejects.toMatchObject({ message: 'the disk went away' });
    });
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', note);
  }
  expect(lonely).toEqual([]);
});

it('names that begin with U+FEFF come back from every format', async () => {
  await space.add('marked', await space.write('marked.jsonl', '{"\ufeffa":"x","s":{"\ufeffb":1},"a":"y"}\n'));
  for (const format of ['jsonl', 'csv', 'parquet', 'arrow'] as const) {
    const { path, schemaPath } = await exported('marked', `out.${format}`, { format });
    if (schemaPath !== null) continue;
    const again = await readTable([path], { workDirectory: space.folder, threads: 1 });
    expect(again.schema.columns[0]?.name).toBe('\ufeffa');
    await again.dispose();
  }
});

it('a mismatch is said with the remedy that fits, without names of our own files', async () => {
  await space.add('kinds', await space.write('kinds.jsonl', '{"u":"01234567-89ab-cdef-0123-456789abcdef","d":1.5}'), {
    schema: {
      type: 'holdout/schema@1',
      columns: [
        { name: 'u', type: 'UUID' },
        { name: 'd', type: { decimal: [5, 2] } },
      ],
    },
  });
  const compat = exported('kinds', 'out.parquet', { format: 'parquet', parquetCompat: true });
  await expect(compat).rejects.toMatchObject({ hint: expect.stringContaining('leave it out') as string });
  const other = (await space.add('other', await space.write('other.jsonl', '{"a":2}\n'))).table;
  await expect(exported('kinds', 'out.csv', { format: 'csv', verify: other })).rejects.toMatchObject({
    hint: expect.not.stringContaining('parquet-compat') as string,
  });
  const nowhere = exported('kinds', 'no-folder/out.jsonl', { format: 'jsonl' });
  await expect(nowhere).rejects.toMatchObject({ message: expect.not.stringContaining('.tmp') as string });
});
