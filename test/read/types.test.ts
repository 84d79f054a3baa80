import { array, assert, constantFrom, integer, oneof, property } from 'fast-check';
import { expect, test } from 'vitest';
import type { ColumnType, TableSchema } from '../../dist/schemas/table-schema.js';
import { segmentPattern } from '../../dist/src/tables/read/glob.js';
import { LineIndex } from '../../dist/src/tables/read/line-index.js';
import { parseEngineType } from '../../dist/src/tables/types/engine-type.js';
import { storedType } from '../../dist/src/tables/types/stored-type.js';
import { mergeSchemas, sameType, widenType } from '../../dist/src/tables/types/widen-schema.js';
import { useWorkplace } from './files.ts';

const place = useWorkplace();

test('type names are read as the engine prints them, odd member names and all', async () => {
  const { Engine } = await import('../../dist/src/engine/engine.js');
  const engine = await Engine.open({ tempDirectory: place.path('work'), threads: 1 });
  try {
    const select = `SELECT {'a b': 1, 'c"d': [1.5::DECIMAL(4,1)], 'e,)': MAP {'k': DATE '2024-01-01'}, 'struct': NULL::UUID[3][]} AS x,
      NULL::ENUM('a''b', ')') AS e, TIMESTAMPTZ '2024-01-01' AS z, NULL::HUGEINT AS h, NULL AS n, '1'::JSON AS j, TIMESTAMP_MS '2024-01-01' AS m`;
    const described = await engine.rows<{ column_name: string; column_type: string }>(`DESCRIBE ${select}`);
    const types = described.map(({ column_name, column_type }) =>
      storedType(parseEngineType(column_type), column_name),
    );
    expect(types).toEqual([
      {
        struct: [
          { name: 'a b', type: 'INTEGER' },
          { name: 'c"d', type: { list: { decimal: [4, 1] } } },
          { name: 'e,)', type: { map: { key: 'VARCHAR', value: 'DATE' } } },
          { name: 'struct', type: { list: { list: 'UUID' } } },
        ],
      },
      'VARCHAR',
      'TIMESTAMPTZ',
      { decimal: [38, 0] },
      expect.stringMatching(/NULL|INTEGER/),
      'JSON',
      'TIMESTAMP',
    ]);
    for (const name of ['INTERVAL', 'BIT', 'UNION(a INTEGER, b VARCHAR)', 'TIME WITH TIME ZONE', 'INTERVAL[]']) {
      expect(() => storedType(parseEngineType(name), 'x')).toThrow(/"x(\[\])?" is of type/);
    }
    expect(() => parseEngineType('STRUCT(a INTEGER')).toThrow(TypeError);
  } finally {
    await engine.close();
  }
});

test('types widen to one that holds both, or not at all', () => {
  const wide: [ColumnType, ColumnType, ColumnType | null][] = [
    ['TINYINT', 'BIGINT', 'BIGINT'],
    ['UINTEGER', 'INTEGER', 'BIGINT'],
    ['UBIGINT', 'TINYINT', { decimal: [38, 0] }],
    ['BIGINT', { decimal: [10, 2] }, { decimal: [21, 2] }],
    [{ decimal: [38, 0] }, { decimal: [38, 38] }, null],
    ['FLOAT', 'DOUBLE', 'DOUBLE'],
    ['DOUBLE', { decimal: [10, 2] }, null],
    ['VARCHAR', 'BIGINT', null],
    ['VARCHAR', 'JSON', null],
    ['JSON', 'VARCHAR', 'JSON'],
    ['JSON', 'DATE', null],
    [{ list: 'NULL' }, { list: 'DATE' }, { list: 'DATE' }],
    ['DATE', 'TIMESTAMP', null],
    ['NULL', 'BLOB', 'BLOB'],
    [
      { struct: [{ name: 'a', type: 'INTEGER' }] },
      {
        struct: [
          { name: 'b', type: 'DATE' },
          { name: 'a', type: 'NULL' },
        ],
      },
      {
        struct: [
          { name: 'a', type: 'INTEGER' },
          { name: 'b', type: 'DATE' },
        ],
      },
    ],
  ];
  for (const [held, seen, expected] of wide)
    expect(widenType(held, seen), JSON.stringify([held, seen])).toEqual(expected);
});

test('widening twice changes nothing', () => {
  const scalar = constantFrom<ColumnType>('NULL', 'BIGINT', 'UINTEGER', 'DOUBLE', 'VARCHAR', 'JSON', 'DATE', {
    decimal: [9, 2],
  });
  const type = oneof(
    scalar,
    scalar.map((list): ColumnType => ({ list })),
  );
  assert(
    property(type, type, (a, b) => {
      const wide = widenType(a, b);
      if (wide === null) return;
      expect(sameType(widenType(wide, b) ?? 'BLOB', wide)).toBe(true);
      expect(sameType(widenType(wide, a) ?? 'BLOB', wide)).toBe(true);
    }),
  );
});

function one(type: ColumnType): TableSchema {
  return { type: 'holdout/schema@1', columns: [{ name: 'a', type }] };
}

test('files whose columns disagree name the file', () => {
  expect(() => mergeSchemas(one('VARCHAR'), one('BIGINT'), 'b.parquet')).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', place: { file: 'b.parquet' } }),
  );
});

test('the line of every row is the one that it was given', () => {
  assert(
    property(array(integer({ min: 1, max: 4 })), (steps) => {
      const index = new LineIndex();
      const lines: number[] = [];
      let line = 0;
      for (const step of steps) {
        line += step;
        lines.push(line);
        index.push(line);
      }
      expect(lines.map((_, row) => index.lineOf(row))).toEqual(lines);
      expect(index.lineOf(lines.length)).toBeNull();
    }),
  );
});

test.each([
  ['*.jsonl', ['a.jsonl', '.jsonl', 'new\nline.jsonl'], ['a.json', 'a.jsonl.gz']],
  ['a?c', ['abc', 'a\u{1f600}c'], ['ac', 'abbc']],
  ['[a-c][!0-9]', ['ax', 'c-'], ['dx', 'a1', 'a']],
  ['a[b', ['a[b'], ['ab']],
  ['[]x]', [']', 'x'], ['[]x]']],
  ['a.b(c)+{d}$', ['a.b(c)+{d}$'], ['aXb(c)+{d}$']],
])('the pattern %s matches what it says', (pattern, yes, no) => {
  for (const name of yes) expect(segmentPattern(pattern).test(name), name).toBe(true);
  for (const name of no) expect(segmentPattern(pattern).test(name), name).toBe(false);
});
