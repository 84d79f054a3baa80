import { describe, expect, test } from 'vitest';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { mergeInferred, type InferredSchema } from '../../dist/src/tables/json-scan/inferred.js';
import { needsTypedRead, toTableSchema } from '../../dist/src/tables/json-scan/schema.js';
import { conformsTo, widen } from '../../dist/src/tables/json-scan/widen.js';
import { scanBytes } from './scan-text.ts';

/** What is seen in rows whose column `a` has these values. */
async function seenIn(...values: readonly string[]): Promise<InferredSchema> {
  return (await scanBytes(values.map((value) => `{"a":${value}}\n`).join(''))).schema;
}

const schemaOf = (type: TableSchema['columns'][number]['type']): TableSchema => ({
  type: 'holdout/schema@1',
  columns: [{ name: 'a', type }],
});

const members = (count: number): string => `{${Array.from({ length: count }, (_, i) => `"m${i}":1`).join(',')}}`;

describe('the type of a column', () => {
  test.each<[string[], unknown]>([
    [['null', 'null'], 'NULL'],
    [['true', 'null', 'false'], 'BOOLEAN'],
    [['1', '-1', '9223372036854775807', '-9223372036854775808'], 'BIGINT'],
    [['1', '9223372036854775808', '18446744073709551615'], 'UBIGINT'],
    [['-1', '9223372036854775808'], { decimal: [38, 0] }],
    [['18446744073709551616'], { decimal: [38, 0] }],
    [['-9223372036854775809'], { decimal: [38, 0] }],
    [['99999999999999999999'], { decimal: [38, 0] }],
    [['1.5', 'NaN', '1e300'], 'DOUBLE'],
    [['1', '2.0', '9007199254740992', '-9007199254740992'], 'DOUBLE'],
    [['1.5', '9007199254740993'], 'JSON'],
    [['9007199254740993', '1.5'], 'JSON'],
    [['"x"', 'null', '""'], 'VARCHAR'],
    [['"2024-01-02"'], 'VARCHAR'],
    [['[]', 'null'], { list: 'NULL' }],
    [['[]', '[null,1]', '[2.5]'], { list: 'DOUBLE' }],
    [['[[1],["x"]]'], { list: { list: 'JSON' } }],
    [
      ['[{"b":1}]', '[{"c":"x"}]'],
      {
        list: {
          struct: [
            { name: 'b', type: 'BIGINT' },
            { name: 'c', type: 'VARCHAR' },
          ],
        },
      },
    ],
    [
      ['{"z":1,"y":null}', '{"x":true}'],
      {
        struct: [
          { name: 'z', type: 'BIGINT' },
          { name: 'y', type: 'NULL' },
          { name: 'x', type: 'BOOLEAN' },
        ],
      },
    ],
    [['{"b":1}', '{"b":"x"}'], { struct: [{ name: 'b', type: 'JSON' }] }],
    [['{}'], 'JSON'],
    [['{"":1}'], 'JSON'],
    [['{"b\\u0000":1}'], 'JSON'],
    [['{"b":1}', '{"B":1}'], 'JSON'],
    [
      ['{"b":{"c":1,"C":2},"d":1}'],
      {
        struct: [
          { name: 'b', type: 'JSON' },
          { name: 'd', type: 'BIGINT' },
        ],
      },
    ],
    [['{}', '{"b":{}}'], { struct: [{ name: 'b', type: 'JSON' }] }],
    [['1', '"1"'], 'JSON'],
    [['[1]', '"x"'], 'JSON'],
    [['{"b":1}', '[1]'], 'JSON'],
    [['true', '1'], 'JSON'],
    [[members(201)], 'JSON'],
    [
      [`{"big":${members(201)},"small":1}`],
      {
        struct: [
          { name: 'big', type: 'JSON' },
          { name: 'small', type: 'BIGINT' },
        ],
      },
    ],
    [[members(2001)], 'JSON'],
    [[`[${members(2500)}]`], 'JSON'],
  ])('%j', async (values, type) => {
    expect(toTableSchema(await seenIn(...values))).toEqual(schemaOf(type as never));
  });

  test('200 members are a struct', async () => {
    const { columns } = toTableSchema(await seenIn(members(200)));
    expect(columns).toMatchObject([{ type: { struct: { length: 200 } } }]);
  });

  test('does not depend on how the rows are divided, at the bound of paths either', async () => {
    const rows = Array.from(
      { length: 300 },
      (_, i) => `{"a":{"k${i % 2 === 0 ? i : 300 - i}":{"p${i}":1,"q":[${i}]}}}\n`,
    ).join('');
    const wide = Array.from({ length: 700 }, (_, i) => `{"b":{"k${i}":[{"x":1}]},"a":{"k${i % 150}":1}}\n`).join('');
    for (const text of [rows, wide, rows + wide]) {
      const whole = await scanBytes(text);
      expect(await scanBytes(text, { threads: 3, blockBytes: 100 })).toEqual(whole);
    }
    expect(toTableSchema((await scanBytes(wide)).schema).columns.map(({ type }) => typeof type)).toEqual([
      'string',
      'object',
    ]);
  });
});

describe('mergeInferred', () => {
  test('is what one file with the rows of both would show', async () => {
    const one = '{"a":1,"b":{"x":1}}\n{"c":null}\n';
    const other = '{"d":"x","a":2.5}\n{"b":{"y":[1],"x":9007199254740993}}\n';
    const merged = mergeInferred((await scanBytes(one)).schema, (await scanBytes(other)).schema);
    expect(toTableSchema(merged)).toEqual(toTableSchema((await scanBytes(one + other)).schema));
  });

  test('finds columns that differ only in case between files', async () => {
    const merged = mergeInferred((await scanBytes('{"a":1}')).schema, (await scanBytes('{"A":1}')).schema);
    expect(() => toTableSchema(merged)).toThrow(/"a" and "A"/);
  });
});

describe('widen', () => {
  test.each<[unknown, string[], unknown, RegExp | null]>([
    ['BIGINT', ['1', 'null'], 'BIGINT', null],
    ['BIGINT', ['18446744073709551615'], { decimal: [38, 0] }, /BIGINT becomes DECIMAL\(38,0\)/],
    ['BIGINT', ['1.5', '2'], 'DOUBLE', /BIGINT becomes DOUBLE/],
    ['UBIGINT', ['-1'], { decimal: [38, 0] }, /UBIGINT becomes/],
    [{ decimal: [38, 0] }, ['1'], { decimal: [38, 0] }, null],
    ['DOUBLE', ['1', '2.5'], 'DOUBLE', null],
    ['NULL', ['"x"'], 'VARCHAR', /NULL becomes VARCHAR/],
    ['JSON', ['"x"', '1'], 'JSON', null],
    [{ list: 'NULL' }, ['["x"]'], { list: 'VARCHAR' }, /"a\[\]": NULL becomes VARCHAR/],
    [{ list: 'BIGINT' }, ['[]'], { list: 'BIGINT' }, null],
    [
      { struct: [{ name: 'x', type: 'BIGINT' }] },
      ['{"y":1}'],
      {
        struct: [
          { name: 'x', type: 'BIGINT' },
          { name: 'y', type: 'BIGINT' },
        ],
      },
      /"a\.y" is new: BIGINT/,
    ],
    [{ struct: [{ name: 'x', type: 'BIGINT' }] }, ['{}'], { struct: [{ name: 'x', type: 'BIGINT' }] }, null],
    [{ struct: [{ name: 'x', type: 'BIGINT' }] }, ['{"X":1}'], 'JSON', /becomes JSON/],
    ['DATE', ['"2024-01-02"'], 'DATE', null],
  ])('%j and %j make %j', async (declared, values, type, change) => {
    const seen = await seenIn(...values);
    const { schema, changes } = widen(schemaOf(declared as never), seen);
    expect(schema).toEqual(schemaOf(type as never));
    expect(conformsTo(seen, schemaOf(declared as never))).toBe(change === null);
    if (change === null) expect(changes).toEqual([]);
    else expect(changes.join('\n')).toMatch(change);
  });

  test.each<[unknown, string[], RegExp]>([
    ['BIGINT', ['"12"'], /"a" is BIGINT in the last version and holds strings here/],
    ['BIGINT', ['1.5', '9007199254740993'], /integers past ±2\^53 and fractions/],
    ['DOUBLE', ['9007199254740993'], /DOUBLE/],
    ['BOOLEAN', ['1'], /BOOLEAN/],
    ['VARCHAR', ['{"x":1}'], /objects/],
    [{ list: 'BIGINT' }, ['[true]'], /"a\[\]" is BIGINT/],
    [{ struct: [{ name: 'x', type: 'BIGINT' }] }, ['{"x":"y"}'], /"a\.x" is BIGINT/],
    ['VARCHAR', ['"x"', '1'], /integers and strings/],
  ])('%j refuses %j', async (declared, values, says) => {
    const seen = await seenIn(...values);
    expect(() => widen(schemaOf(declared as never), seen)).toThrow(says);
    expect(conformsTo(seen, schemaOf(declared as never))).toBe(false);
  });

  test('appends new columns, keeps absent ones, refuses one that differs only in case', async () => {
    const { schema, changes } = widen(schemaOf('BIGINT'), (await scanBytes('{"c":true,"b":1}')).schema);
    expect(schema.columns.map(({ name }) => name)).toEqual(['a', 'c', 'b']);
    expect(changes).toEqual(['"c" is new: BOOLEAN', '"b" is new: BIGINT']);
    const clash = (await scanBytes('{"A":1}')).schema;
    expect(() => widen(schemaOf('BIGINT'), clash)).toThrow(/differs only in case from "a"/);
  });
});

test('types that JSON has no kind for need a typed read', () => {
  for (const type of ['BIGINT', 'JSON', { list: 'VARCHAR' }, { decimal: [38, 0] }] as const) {
    expect(needsTypedRead(schemaOf(type))).toBe(false);
  }
  const typed = [
    'DATE',
    'INTEGER',
    'FLOAT',
    { decimal: [10, 2] },
    { list: 'UUID' },
    { struct: [{ name: 'x', type: 'BLOB' }] },
  ] as const;
  for (const type of typed) expect(needsTypedRead(schemaOf(type))).toBe(true);
});
