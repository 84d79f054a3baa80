import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ColumnType, TableSchema } from '../../dist/schemas/table-schema.js';
import { Workspace } from '../snapshots/workspace.js';
import { type MappedOn, mapOn } from './map-on.js';
import { StepBench, prepare } from './step-bench.js';

let workspace: Workspace;
let bench: StepBench;
beforeAll(async () => {
  workspace = await Workspace.make();
  bench = await StepBench.make();
});
afterAll(async () => {
  await workspace.remove();
  await bench.workspace.remove();
});

const some = [
  { id: 1, text: '12', tags: ['a'] },
  { id: 2, text: 'x13', tags: [] },
  { id: 3, text: null, tags: ['b', 'c'] },
  { id: 4, text: 'y', tags: [] },
];
const on = (step: string): Promise<MappedOn> => mapOn(workspace, some, step);

const typed = (type: ColumnType): TableSchema => ({ type: 'holdout/schema@1', columns: [{ name: 'v', type }] });
const filterOn = (onError: string): string =>
  `filter: {where: "CAST(substr(text, 1, 2) AS INT) > 1", on_error: ${onError}}`;

const cast = async (type: ColumnType, value: unknown, to: string, more = ''): Promise<unknown> => {
  const { rows } = await mapOn(workspace, [{ v: value }], `cast: {columns: {v: "${to}"}${more}}`, typed(type));
  return (rows[0] as { v: unknown }).v;
};

describe('a filter that goes on past rows on which it fails', () => {
  it('tells false, null and failed rows apart under any function, in many rows', async () => {
    const rows = Array.from({ length: 6000 }, (_, n) => ({ n, of: n % 7 === 0 ? -1 : n % 7 === 1 ? null : n % 10 }));
    const left = async (where: string, onError: string): Promise<readonly unknown[]> =>
      (await mapOn(workspace, rows, `filter: {where: "${where}", on_error: ${onError}}`)).rows;
    const [fails, isTrue] = [(of: number | null) => of === -1, (of: number | null) => of !== null && of >= 0 && of < 4];
    const [plain, filled] = ['sqrt(of) < 2', 'coalesce(sqrt(of) < 2, true)'];
    expect(await left(plain, 'drop')).toEqual(rows.filter(({ of }) => isTrue(of)));
    expect(await left(plain, 'keep')).toEqual(rows.filter(({ of }) => isTrue(of) || fails(of)));
    expect(await left(filled, 'drop')).toEqual(rows.filter(({ of }) => of === null || isTrue(of)));
    expect(await left(filled, 'keep')).toEqual(rows.filter(({ of }) => of === null || isTrue(of) || fails(of)));
  });
});

describe('rename and drop', () => {
  it('rename gives names all at once, so two may swap theirs, and writes no value', async () => {
    const { rows, kept, counts } = await on('rename: {columns: {id: text, text: id}}');
    expect(rows[0]).toEqual({ text: 1, id: '12', tags: ['a'] });
    expect(kept).toEqual({ text: 'id', id: 'text', tags: 'tags' });
    expect(counts).toEqual({ columnsRenamed: 2 });
  });

  it('drop leaves columns out and writes no value', async () => {
    const { rows, kept } = await on('drop: {columns: [text]}');
    expect(rows[2]).toEqual({ id: 3, tags: ['b', 'c'] });
    expect(kept).toEqual({ id: 'id', tags: 'tags' });
  });

  it.each([
    ['rename: {columns: {txet: b}}', 'there is no column "txet"'],
    ['rename: {columns: {id: text}}', 'stands twice'],
    ['rename: {columns: {id: TEXT}}', 'differ only in upper and lower case'],
    ['drop: {columns: [id, id]}', 'named twice'],
    ['drop: {columns: [id, text, tags]}', 'no column would be left'],
    ['cast: {columns: {id: BIGIMT}}', 'unknown type BIGIMT'],
    ['cast: {columns: {tags: DATE}}', 'cannot be cast'],
    ['cast: {columns: {text: "VARCHAR[]"}}', 'cannot be cast'],
    ['derive: {columns: {n: "random()"}}', 'column "n": the function random'],
    ['derive: {columns: {n: "INTERVAL 1 DAY"}}', 'column "n" is of type INTERVAL'],
    ['derive: {columns: {n: "txet"}}', 'there is no column "txet"'],
    ['derive: {columns: {ID: "id"}}', 'differ only in upper and lower case'],
  ])('refuses %s before any row is read', async (step, says) => {
    await expect(on(step)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(says) as string });
  });
});

describe('derive', () => {
  it('replaces a column in its place, adds others at the end, and sees the columns as they stood', async () => {
    const { rows, kept, counts } = await on('derive: {columns: {text: "id * 2", old: "upper(text)"}}');
    expect(rows.slice(0, 2)).toEqual([
      { id: 1, text: 2, tags: ['a'], old: '12' },
      { id: 2, text: 4, tags: [], old: 'X13' },
    ]);
    expect(kept).toEqual({ id: 'id', tags: 'tags' });
    expect(counts).toEqual({ columnsReplaced: 1, columnsAdded: 1 });
  });

  it('names the first row that fails, the column, what is wrong and the value', async () => {
    await expect(on('derive: {columns: {n: "text::INT"}}')).rejects.toThrow(
      `row 2: column "n": Could not convert string 'x13' to INT32 (text = "x13")`,
    );
    await expect(on('derive: {columns: {a: "id", n: "1 / (id - 3)"}}')).rejects.toThrow(
      'row 3: column "n": the result is not finite (id = 3)',
    );
  });

  it('names the first row also where the engine cannot try an expression', async () => {
    await expect(on(`derive: {columns: {n: "list_reduce(tags, (x, y) -> x || y)"}}`)).rejects.toThrow(
      'row 2: column "n": Cannot perform list_reduce on an empty input list (tags = [])',
    );
  });

  it('leaves failing rows out under drop, with the reason, and puts null under keep', async () => {
    const dropped = await on('derive: {columns: {n: "text::INT"}, on_error: drop}');
    expect(dropped.rows).toEqual([
      { id: 1, text: '12', tags: ['a'], n: 12 },
      { id: 3, text: null, tags: ['b', 'c'], n: null },
    ]);
    expect(dropped.why).toEqual([null, 'failed', null, 'failed']);
    expect(dropped.counts['failed']).toBe(2);
    const kept = await on('derive: {columns: {n: "text::INT"}, on_error: keep}');
    expect(kept.rows.map((row) => (row as { n: unknown }).n)).toEqual([12, null, null, null]);
    expect(kept.counts['madeNull']).toBe(2);
  });

  it('makes JSON, lists, structs and wide integers that the table holds exactly', async () => {
    const { rows, types } = await on(
      `derive: {columns: {j: "json_object('b', id, 'a', text)", s: "{'k': tags}", w: "9223372036854775807::HUGEINT + id"}}`,
    );
    expect(types).toMatchObject({ j: 'JSON', s: { struct: [{ name: 'k', type: { list: 'VARCHAR' } }] } });
    expect(JSON.stringify(rows[0])).toContain('"j":{"a":"12","b":1}');
    expect(types['w']).toEqual({ decimal: [38, 0] });
  });

  it('gives an empty table for an empty table', async () => {
    const empty = await bench.run(['head: {n: 0}', 'derive: {columns: {n: "id + 1"}}', 'drop: {columns: [id]}']);
    expect(empty.at(-1)!.output.rows).toBe(0);
  });
});

describe('cast', () => {
  it.each<[ColumnType, unknown, string, unknown]>([
    ['VARCHAR', '12', 'BIGINT', 12],
    ['VARCHAR', '1.50', 'DOUBLE', 1.5],
    ['VARCHAR', '-1e3', 'DOUBLE', -1000],
    ['VARCHAR', '1.5', 'DECIMAL(10, 2)', '1.50'],
    ['VARCHAR', 'true', 'BOOLEAN', true],
    ['VARCHAR', '2024-01-31', 'DATE', '2024-01-31'],
    ['VARCHAR', '2024-01-31T12:00:00Z', 'TIMESTAMPTZ', '2024-01-31T12:00:00Z'],
    ['VARCHAR', '{"b":1, "a":[]}', 'JSON', { a: [], b: 1 }],
    ['VARCHAR', 'aGk=', 'BLOB', 'aGk='],
    ['BLOB', 'aGk=', 'VARCHAR', 'aGk='],
    ['BIGINT', 7, 'VARCHAR', '7'],
    ['DOUBLE', 2, 'INTEGER', 2],
    ['BIGINT', 1, 'BOOLEAN', true],
    ['JSON', { a: 1 }, 'STRUCT(a BIGINT)', { a: 1 }],
    ['JSON', { b: 1, a: 2 }, 'VARCHAR', '{"a":2,"b":1}'],
    [{ list: 'BIGINT' }, [1, 2], 'DOUBLE[]', [1, 2]],
    [{ list: 'BIGINT' }, [1, 2], 'JSON', [1, 2]],
    ['BIGINT', null, 'DATE', null],
  ])('%j %j becomes %s', async (type, value, to, expected) => {
    expect(await cast(type, value, to)).toEqual(expected);
  });

  it.each<[ColumnType, unknown, string]>([
    ['VARCHAR', '012', 'BIGINT'],
    ['VARCHAR', ' 12', 'BIGINT'],
    ['VARCHAR', '12.0', 'BIGINT'],
    ['VARCHAR', '012.5', 'DOUBLE'],
    ['VARCHAR', '0.12345678901234567890', 'DOUBLE'],
    ['VARCHAR', '1e-400', 'DOUBLE'],
    ['VARCHAR', 'NaN', 'DOUBLE'],
    ['VARCHAR', '1.555', 'DECIMAL(10, 2)'],
    ['VARCHAR', 'T', 'BOOLEAN'],
    ['VARCHAR', '2024-1-31', 'DATE'],
    ['VARCHAR', '{"a":1,"a":2}', 'JSON'],
    ['DOUBLE', 2.5, 'INTEGER'],
    ['DOUBLE', 0.1, 'FLOAT'],
    ['DOUBLE', 2, 'BOOLEAN'],
    ['BIGINT', 300, 'TINYINT'],
    ['JSON', '12', 'BIGINT'],
    ['JSON', 2.5, 'BIGINT'],
    ['TIMESTAMP', '2024-01-31T12:00:00', 'DATE'],
  ])('%j %j is no %s', async (type, value, to) => {
    await expect(cast(type, value, to)).rejects.toThrow(/row 1: column "v": /);
    expect(await cast(type, value, to, ', on_error: keep')).toBe(null);
  });

  it('rounds and trims when it need not be exact', async () => {
    expect(await cast('DOUBLE', 2.5, 'INTEGER', ', exact: false')).toBe(2);
    expect(await cast('VARCHAR', '012', 'BIGINT', ', exact: false')).toBe(12);
  });

  it('writes nothing for a column that has the type', async () => {
    const { kept } = await on('cast: {columns: {id: BIGINT}}');
    expect(kept).toEqual({ id: 'id', text: 'text', tags: 'tags' });
  });
});

describe('filter with rows that it fails on', () => {
  const where = 'text::INT > 12';

  it('names the first one', async () => {
    await expect(on(`filter: {where: "${where}"}`)).rejects.toThrow(`row 2: where: Could not convert string 'x13'`);
  });

  it('lets them go or stay, and counts them', async () => {
    const dropped = await on(filterOn('drop'));
    expect(dropped.rows.map((row) => (row as { id: number }).id)).toEqual([1]);
    expect(dropped.counts).toEqual({ false: 0, null: 1, failed: 2 });
    const kept = await on(filterOn('keep'));
    expect(kept.rows.map((row) => (row as { id: number }).id)).toEqual([1, 2, 4]);
    expect(kept.counts).toEqual({ false: 0, null: 1, keptThoughFailed: 2 });
  });

  it('is the derivation that it was where nothing is said of them', () => {
    expect(prepare('filter: {where: "id > 1"}').params).toEqual({ where: 'id > 1' });
    expect(prepare('filter: {where: "id > 1", on_error: fail}').params).toEqual({ where: 'id > 1' });
  });
});
