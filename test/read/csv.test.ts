import { describe, expect, test } from 'vitest';
import type { ColumnType } from '../../dist/schemas/table-schema.js';
import { schema, useWorkplace } from './files.ts';

const place = useWorkplace();

describe('CSV is read in one way or refused', () => {
  test.each([
    ['an empty file', '', undefined],
    ['a column named twice', 'a,b,a\n1,2,3\n', 1],
    ['columns that differ only in case', 'a,A\n1,2\n', 1],
    ['a column without name', 'a,\n1,2\n', 1],
    ['too few fields, after quoted line ends', 'a,b\n"1\n\n1",2\n3\n', 5],
    ['too many fields', 'a,b\n1,2\n3,4,\n', 3],
    ['text after a closing quote', 'a,b\n"x"y,1\n', 2],
    ['an unclosed quote', 'a,b\n1,2\n"x,1\n3,4\n', 3],
    ['a lone carriage return', 'a,b\n1,2\r3,4\n', 2],
  ])('%s', async (_what, content, line) => {
    await place.refuses(await place.write('a.csv', content), {
      code: 'INPUT_INVALID',
      place: { file: place.path('a.csv'), ...(line === undefined ? {} : { line }) },
    });
  });

  test.each([
    ['too many', 'a,b\n1,2\n"é\nx",3,"4"\n', { line: 4, column: 6 }],
    ['too few', '\ufeffa,b\nü\n', { line: 2, column: 2 }],
    ['too few, quoted', 'a,b\n"x\ny"\n', { line: 3, column: 3 }],
  ])('the place of %s fields is named in characters', async (_what, content, place_) => {
    const file = await place.write('a.csv', content);
    await place.refuses(file, { code: 'INPUT_INVALID', place: { file, ...place_ } });
  });

  test('text stays text: zeros, dates, nan, comments, blanks and quotes inside', async () => {
    const cells = ['007', '+1', '1.0', 'nan', '# no comment', ' "q" x', '2024-01-02', 'f', '1e5', '\\N', 'NULL'];
    const table = await place.read(
      await place.write('a.csv', `\ufeffa,b\r\n${cells.map((cell) => `${cell},x\n`).join('')}`),
    );
    const same = await place.read(
      await place.write('a.jsonl', cells.map((cell) => `${JSON.stringify({ a: cell, b: 'x' })}\n`).join('')),
    );
    expect(table.table).toBe(same.table);
    expect(table.schema.columns.map(({ type }) => type)).toEqual(['VARCHAR', 'VARCHAR']);
  });

  test('an empty cell is null, a quoted empty cell is empty text, a blank line is nothing', async () => {
    const table = await place.read(await place.write('a.csv', 'a,b\n,""\n\n"",\n'));
    const same = await place.read(await place.write('a.jsonl', '{"b":""}\n{"a":""}\n'));
    expect(table.table).toBe(same.table);
    expect((await place.read(await place.write('b.csv', 'a\n\n""\n\n'))).rows).toBe(1);
  });

  test('a long cell across many buffers', async () => {
    const long = `"${'x\n""'.repeat(800_000)}"`;
    const table = await place.read(await place.write('a.csv', `a,b\n${long},1\ny,2\n`));
    expect(table.rows).toBe(2);
    expect(table.sources[0]?.lineOfRow(1)).toBe(800_003);
  });

  test('files of one dataset are put together by column name', async () => {
    const table = await place.read([
      await place.write('1.csv', 'a,b\n1,2\n'),
      await place.write('2.csv', 'b,a\n4,3\n'),
    ]);
    const same = await place.read(await place.write('s.jsonl', '{"a":"1","b":"2"}\n{"a":"3","b":"4"}\n'));
    expect(table.table).toBe(same.table);
    await expect(place.read([place.path('1.csv'), await place.write('3.csv', 'A,b\n1,2\n')])).rejects.toThrow(/case/);
  });

  test('--infer proposes types by all cells of all files, and says so', async () => {
    const a = await place.write(
      '1.csv',
      'i,f,t,z,long,mixed,q,none\n1,0.5,True,007,12345678901234567890,1,"1",\n,,,,,,,\n',
    );
    const b = await place.write('2.csv', 'i,f,t,z,long,mixed,q,none\n-20,3,false,1,1,x,2,\n');
    const table = await place.read([a, b], { infer: true });
    expect(Object.fromEntries(table.schema.columns.map(({ name, type }) => [name, type]))).toEqual({
      i: 'BIGINT',
      f: 'DOUBLE',
      t: 'BOOLEAN',
      z: 'VARCHAR',
      long: 'VARCHAR',
      mixed: 'VARCHAR',
      q: 'VARCHAR',
      none: 'VARCHAR',
    });
    expect(table.readParams).toMatchObject({ inferred: true, schema: table.schema, formats: ['csv', 'csv'] });
    const again = await place.read([a, b], { schema: table.schema });
    expect(again.table).toBe(table.table);
    // The next version keeps the types, whatever its values suggest.
    const next = await place.write('3.csv', 'i,f,t,z,long,mixed,q,none\n1,2,true,3,4,5,6,7\n');
    expect((await place.read(next, { previousSchema: table.schema, infer: true })).schema).toEqual(table.schema);
    await place.refuses(
      await place.write('4.csv', 'i\n1\nx\n'),
      { code: 'INPUT_INVALID', place: { file: place.path('4.csv'), line: 3 } },
      { previousSchema: table.schema },
    );
  });

  test.each([
    ['BIGINT', '1.5'],
    ['BIGINT', '01'],
    ['DOUBLE', '1,5'],
    ['DOUBLE', 'nan'],
    ['BOOLEAN', 'yes'],
    ['DATE', '2024-1-2'],
    ['DATE', '2024-02-30'],
    ['TIMESTAMP', '2024-01-02'],
    ['TIMESTAMPTZ', '2024-01-02 03:04:05'],
    ['SMALLINT', '40000'],
    ['UUID', 'x'],
    ['BLOB', 'a'],
    ['JSON', '{"a":1,"a":2}'],
  ] as [ColumnType, string][])('%j is not %s', async (type, cell) => {
    const path = await place.write('a.csv', `n,v\n1,\n2,"${cell.replaceAll('"', '""')}"\n`);
    await place.refuses(
      path,
      { code: 'INPUT_INVALID', place: { line: 3 } },
      { schema: schema({ n: 'VARCHAR', v: type }) },
    );
  });

  test.each([['12.345'], ['1234567890'], ['x'], ['']])('%j does not fit DECIMAL(5, 2)', async (cell) => {
    const path = await place.write('a.jsonl', `{"v":"1.50"}\n{"v":${JSON.stringify(cell)}}\n`);
    await place.refuses(
      path,
      { code: 'INPUT_INVALID', place: { line: 2 } },
      { schema: schema({ v: { decimal: [5, 2] } }) },
    );
  });
});

test('what is no CSV is refused with its column', async () => {
  const bad: readonly [string, number, number][] = [
    ['a,b\né,"x"y\n', 2, 6],
    ['a,b\n1,"x\ny', 2, 3],
    ['a,b\n1,"x\ny"z\n', 3, 3],
  ];
  for (const [text, line, column] of bad) {
    const read = place.read(await place.write('bad.csv', text));
    await expect(read).rejects.toMatchObject({ place: { line, column } });
  }
  const latin = place.read(
    await place.write('latin.csv', Buffer.concat([Buffer.from('a\nxé'), Buffer.from([0xe9, 0x0a])])),
  );
  await expect(latin).rejects.toMatchObject({ place: { line: 2, column: 3 } });
});
