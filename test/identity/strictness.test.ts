import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson, recordBytes, recordId } from '../../dist/src/identity/canonical-json.js';
import { digestBytesOf, formatSetRoot, formatTableId, hexOf, sha256IdOf } from '../../dist/src/identity/ids.js';
import { encodeJsonText } from '../../dist/src/identity/json-value.js';
import {
  LIST_LEVELS_MAX,
  rowDigestSql,
  rowPreimageSql,
  valuePreimageSql,
} from '../../dist/src/identity/row-encoding-sql.js';
import { encodeRow, encodeValue, type Value } from '../../dist/src/identity/row-encoding.js';
import { quoteIdentifier, quoteString } from '../../dist/src/identity/sql-text.js';
import type { Column, ColumnType, TableSchema } from '../../dist/schemas/table-schema.js';
import type { Sha256Id } from '../../dist/schemas/ids.js';
import { openDatabase, type TestDatabase } from './duckdb.ts';

const structs = (levels: number): ColumnType =>
  levels === 0 ? 'INTEGER' : { struct: [{ name: 'a', type: structs(levels - 1) }] };
const map = (...entries: readonly (readonly [Value, Value])[]): Value => ({ kind: 'map', entries });
const at = (column: number): Error => expect.objectContaining({ code: 'INPUT_INVALID', place: { column } }) as Error;
const schemaOf = (...columns: readonly Column[]): TableSchema => ({ type: 'holdout/schema@1', columns });

describe('quoting', () => {
  it('doubles quotes, and keeps everything else as it is', () => {
    expect(quoteIdentifier('a"; DROP TABLE x; --')).toBe('"a""; DROP TABLE x; --"');
    expect(quoteString("it's \\ \n")).toBe("'it''s \\ \n'");
  });

  it('refuses what SQL text cannot carry', () => {
    for (const text of ['a\0', '\ud83d', '\ude00\ud83d']) {
      expect(() => quoteIdentifier(text)).toThrow(TypeError);
      expect(() => quoteString(text)).toThrow(TypeError);
    }
  });
});

describe('canonical JSON', () => {
  it('is RFC 8785: the example of its section 3.2.2, and names in UTF-16 order', () => {
    const example = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(example)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    expect(canonicalJson({ '\uffff': 1, '\u{1f600}': 2, '1': 3, '\r': 4 })).toBe(
      '{"\\r":4,"1":3,"\u{1f600}":2,"\uffff":1}',
    );
    expect(canonicalJson([-0, 1e21, 5e-324])).toBe('[0,1e+21,5e-324]');
  });

  it('does not depend on the order in which members were set', () => {
    expect(recordId({ type: 'a', b: [1, { d: 1, c: 2 }] })).toBe(recordId({ b: [1, { c: 2, d: 1 }], type: 'a' }));
    expect(recordId({ type: 'a' })).toBe(sha256IdOf(recordBytes({ type: 'a' })));
    expect(new TextDecoder().decode(recordBytes({ type: 'é' }))).toBe('{"type":"é"}');
  });

  it('refuses what JSON cannot say', () => {
    const holes: number[] = [];
    holes.length = 1;
    const wrong: readonly unknown[] = [
      undefined,
      { a: undefined },
      [undefined],
      holes,
      NaN,
      [Infinity],
      1n,
      () => 1,
      Symbol('a'),
      { [Symbol('a')]: 1 },
      '\ud83d',
      { '\ude00': 1 },
      new Date(0),
      new Map(),
      new Uint8Array(1),
    ];
    for (const value of wrong) expect(() => canonicalJson(value)).toThrow(TypeError);
  });
});

describe('ids', () => {
  it('give back the digest that they were made of', () => {
    const id = sha256IdOf(new Uint8Array(0));
    expect(id).toBe('sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(hexOf(id)).toBe(id.slice(7));
    expect(Buffer.from(digestBytesOf(id)).toString('hex')).toBe(hexOf(id));
  });

  it('commit to the row count and to their own kind', () => {
    const root = new Uint8Array(32);
    const digests = [formatTableId(1, root), formatTableId(2, root), formatSetRoot(1, root)].map(hexOf);
    expect(new Set(digests).size).toBe(3);
    for (const rows of [-1, 0.5, NaN, 2 ** 53]) expect(() => formatTableId(rows, root)).toThrow(RangeError);
    expect(() => formatSetRoot(1, new Uint8Array(31))).toThrow(RangeError);
  });

  it('are refused when they are none', () => {
    const hex = 'a'.repeat(64);
    for (const text of ['', hex, `sha256:${hex}a`, `sha256:${hex.toUpperCase()}`, `md5:${hex}`, `sha256:${hex}\n`]) {
      expect(() => hexOf(text as Sha256Id)).toThrow(TypeError);
    }
  });
});

describe('the reference encoder refuses', () => {
  const nested = (levels: number): Value => (levels === 0 ? 1n : [nested(levels - 1)]);

  it('what has no encoding', () => {
    for (const value of ['\ud83d', map([null, 1n]), map(['a', 1n]), map([1n, 1n], [1, 2n])]) {
      expect(() => encodeValue(value)).toThrow(TypeError);
    }
    const day = 86_400_000_000_000n;
    const ranges: readonly Value[] = [10n ** 38n, -(10n ** 38n), { kind: 'time', nanoseconds: day + 1n }, nested(65)];
    for (const value of ranges) expect(() => encodeValue(value)).toThrow(RangeError);
    expect(encodeValue(nested(64))).toBe(`${'L1:'.repeat(64)}I1;`);
  });

  it('a name given twice, even for null', () => {
    const twice = [
      ['a', 1n],
      ['a', null],
    ] as const;
    expect(() => encodeRow(twice)).toThrow(TypeError);
    expect(() => encodeValue({ kind: 'object', members: twice })).toThrow(TypeError);
  });
});

describe('generated SQL refuses', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase(2);
  });
  afterAll(() => database.close());

  it('infinite dates and times, though concat would swallow them', async () => {
    for (const type of ['DATE', 'TIMESTAMP', 'TIMESTAMP_NS', 'TIMESTAMPTZ'] as const) {
      for (const infinite of ['infinity', '-infinity']) {
        const sql = rowDigestSql(schemaOf({ name: 'v', type }));
        await expect(database.rows(`SELECT ${sql} FROM (SELECT '${infinite}'::${type} AS v)`)).rejects.toThrow(
          /infinite/,
        );
      }
    }
  });

  it('a map that holds a key twice, and JSON that does', async () => {
    const map = { map: { key: 'VARCHAR', value: 'JSON' } } as const;
    const from = `(SELECT from_json('{"a":1,"a":2}', '"MAP(VARCHAR,JSON)"') AS v)`;
    await expect(database.rows(`SELECT ${valuePreimageSql(map, 'v')} FROM ${from}`)).rejects.toThrow(/key twice/);
    const json = `(SELECT '{"x":[{"a":1,"a":2}]}'::JSON AS v)`;
    await expect(database.rows(`SELECT ${valuePreimageSql('JSON', 'v')} FROM ${json}`)).rejects.toThrow(/twice/);
  });

  it('names that DuckDB cannot hold apart', () => {
    const a = { name: 'a', type: 'INTEGER' } as const;
    const upper = { name: 'A', type: 'INTEGER' } as const;
    expect(() => rowPreimageSql(schemaOf(a, upper))).toThrow(TypeError);
    expect(() => rowPreimageSql(schemaOf({ name: 'v', type: { struct: [a, upper] } }))).toThrow(TypeError);
    expect(() => rowPreimageSql(schemaOf({ name: 'a\0', type: 'INTEGER' }))).toThrow(TypeError);
    expect(() =>
      rowPreimageSql(schemaOf({ name: 'É', type: 'INTEGER' }, { name: 'é', type: 'INTEGER' })),
    ).not.toThrow();
  });

  it('types without an encoding, or too deep to bind', async () => {
    expect(() => valuePreimageSql({ map: { key: 'JSON', value: 'JSON' } }, 'v')).toThrow(TypeError);
    const lists = (levels: number): ColumnType => (levels === 0 ? 'INTEGER' : { list: lists(levels - 1) });
    expect(() => valuePreimageSql(lists(LIST_LEVELS_MAX + 1), 'v')).toThrow(/deeper/);
    const deepest = `${'['.repeat(LIST_LEVELS_MAX)}1${']'.repeat(LIST_LEVELS_MAX)}`;
    const sql = valuePreimageSql(lists(LIST_LEVELS_MAX), 'v');
    expect(await database.rows(`SELECT ${sql} FROM (SELECT ${deepest} AS v)`)).toEqual([
      [`${'L1:'.repeat(LIST_LEVELS_MAX)}I1;`],
    ]);
    expect(() => valuePreimageSql(structs(65), 'v')).toThrow(/deeper/);
  });

  it('nothing that a struct of the allowed depth holds', async () => {
    const value = `${"{'a': ".repeat(64)}1${'}'.repeat(64)}`;
    expect(await database.rows(`SELECT ${valuePreimageSql(structs(64), 'v')} FROM (SELECT ${value} AS v)`)).toEqual([
      [`${'OS1:a'.repeat(64)}I1;${'E'.repeat(64)}`],
    ]);
  });

  it('nothing of its own references: columns can be named through any expression', async () => {
    const schema = schemaOf({ name: 'a', type: 'INTEGER' }, { name: 'b', type: 'VARCHAR' });
    const sql = rowPreimageSql(schema, (column) => `t.${quoteIdentifier(`${column} of t`)}`);
    const from = `(SELECT 1 AS "a of t", NULL::VARCHAR AS "b of t") t`;
    expect(await database.rows(`SELECT ${sql} FROM ${from}`)).toEqual([['holdout-row-v1:OS1:aI1;E']]);
  });
});

describe('the JSON reader', () => {
  it('says where it stopped, in characters', () => {
    expect(() => encodeJsonText('{"\u{1f600}": tru}')).toThrow(at(7));
    expect(() => encodeJsonText('[1, 2')).toThrow(at(6));
    expect(() => encodeJsonText('[01]')).toThrow(at(2));
  });

  it('keeps hostile names as names', () => {
    expect(encodeJsonText('{"__proto__":1,"constructor":2}')).toBe('OS9:__proto__I1;S11:constructorI2;E');
  });

  it('stops at 64 levels, however deep the text', () => {
    const limit = expect.objectContaining({ code: 'LIMIT' }) as Error;
    expect(() => encodeJsonText('['.repeat(1_000_000))).toThrow(limit);
    expect(() => encodeJsonText('{"a":'.repeat(65))).toThrow(limit);
  });
});
