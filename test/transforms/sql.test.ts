import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OwnSteps } from './own-steps.js';

const rows = Array.from({ length: 40 }, (_, n) => ({ n, k: n % 3, text: `row ${n}`, big: '9007199254740993' }));
let project: OwnSteps;
beforeAll(async () => {
  project = await OwnSteps.make(rows);
  await project.add('more', [
    { k: 0, name: 'zero' },
    { k: 1, name: 'one' },
  ]);
});
afterAll(async () => project.remove());

const sql = (query: string, more: object = {}): string => JSON.stringify({ sql: { query, ...more } });

describe('a SELECT of rows made of one row each', () => {
  it('is an overlay where it takes whole rows, in the order of the input', async () => {
    const parts = (await project.workspace.store.stats()).parts;
    const { rowsOut, counts } = await project.take(sql('SELECT * FROM input WHERE n % 10 = 3'));
    expect(rowsOut).toEqual(rows.filter(({ n }) => n % 10 === 3));
    expect(counts).toEqual({ dropped: 36 });
    expect((await project.workspace.store.stats()).parts).toBe(parts);
  });

  it('is traced to the line that each row was made of', async () => {
    const query = 'SELECT n + 1 AS m, * EXCLUDE (n) FROM input WHERE k = 1 ORDER BY n DESC LIMIT 3';
    const { rowsOut } = await project.take(sql(query), { to: 'traced' });
    expect(rowsOut.map(({ m }) => m)).toEqual([38, 35, 32]);
    expect(Object.keys(rowsOut[0]!)).toEqual(['m', 'k', 'text', 'big']);
    expect(await project.linesOf('traced')).toEqual([38, 35, 32]);
  });

  it('keeps every digit of the numbers in the query', async () => {
    const { workspace } = project;
    await project.take(sql('SELECT 9007199254740993 AS x, 0.1 AS y FROM input WHERE n = 1'), { to: 'digits' });
    expect(await workspace.lines('digits', true)).toEqual(['{"x":9007199254740993,"y":"0.1"}']);
  });
});

describe('a SELECT over many rows', () => {
  it('orders its rows by digest without ORDER BY, the same with any number of threads', async () => {
    const query = 'SELECT k, count(*) AS c, sum(n / 7) AS s FROM input GROUP BY k';
    const one = await project.take(sql(query), { to: 'one', threads: 1 });
    expect(one.rowsOut.map(({ k, c }) => `${String(k)}: ${String(c)}`).toSorted()).toEqual(['0: 14', '1: 13', '2: 13']);
    const other = await project.take(sql(`${query} `), { to: 'other', threads: 8 });
    expect(other.table).toBe(one.table);
    expect(other.realisation.origins).toBe(one.realisation.origins);
  });

  it('adds up in the order of the table, in however many parts it lies', async () => {
    const many = Array.from({ length: 900 }, (_, n) => ({
      n,
      x: (n % 2 ? 1 : -1) * (Math.exp((n * 7919) % 30) + 0.1),
    }));
    for (const end of [300, 600, 900]) await project.add('parts', many.slice(0, end));
    const query = 'SELECT sum(x) AS s, first(n) AS f, last(n) AS l FROM input';
    const { rowsOut, realisation } = await project.take(sql(query), { from: 'parts', to: 'sum' });
    expect(realisation.origins).toMatch(/^sha256:/);
    expect(rowsOut).toEqual([{ s: many.reduce((sum, { x }) => sum + x, 0), f: 0, l: 899 }]);
  });

  it('breaks ties of ORDER BY by the columns', async () => {
    const query = 'SELECT i.k, o.name, i.n FROM input AS i JOIN o USING (k) ORDER BY name DESC';
    const { rowsOut, derivation } = await project.take(sql(query, { with: { o: 'more' } }), { to: 'joined' });
    const wanted = rows
      .filter(({ k }) => k < 2)
      .map(({ n, k }) => ({ k, name: ['zero', 'one'][k], n }))
      .toSorted((a, b) => (b.k === a.k ? a.n - b.n : a.k - b.k));
    expect(rowsOut).toEqual(wanted);
    expect(derivation.params).toMatchObject({ with: { o: { input: 1 } } });
    expect((await project.reproduce('joined')).state).toBe('same');
  });
});

describe('a SELECT is refused', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['SELECT now() AS t FROM input', /function now may give another answer/],
    ['SELECT n FROM input ORDER BY random()', /function random/],
    ['SELECT current_date AS d FROM input', /current_date/],
    ['SELECT n FROM input LIMIT 3', /LIMIT without ORDER BY/],
    ['SELECT n FROM input USING SAMPLE 3', /sample/],
    ['SELECT approx_count_distinct(n) AS c FROM input', /approx_count_distinct/],
    ["SELECT * FROM read_text('/etc/hostname')", /read_text cannot stand in a FROM/],
    ["SELECT * FROM '/etc/hostname'", /there is no table/],
    ['SELECT n, n FROM input', /"n" stands twice/],
    ['SELECT nn FROM input', /"nn" not found/],
    ['DELETE FROM input', /only a SELECT/],
    ['SELECT 1; SELECT 2', /only one SELECT/],
  ];
  it.each(refused)('%s', async (query, says) => {
    const before = await project.names();
    await expect(project.take(sql(query), { to: 'refused' })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(says),
    });
    expect(await project.names()).toEqual(before);
  });

  it.each([
    [
      'more',
      'the rows that come in are "input"; another dataset is named by the parameter with: {query: …, with: {more: DATASET}}',
    ],
    ['inptu', 'did you mean input?'],
    ['otehrs', 'did you mean others?', { others: 'more' }],
  ])('that names %s, and says how a dataset comes in', async (name, hint, given: object = {}) => {
    const step = sql(`SELECT * FROM ${name}`, { with: given });
    await expect(project.take(step, { to: 'refused' })).rejects.toMatchObject({
      message: `holdout/sql: there is no table "${name}"`,
      hint: expect.stringContaining(hint),
    });
  });

  it('that takes longer than its time, which hangs in no identity where it is not given', async () => {
    const names = await project.names();
    const tables = 'abcdefgh'.split('').map((name) => `input AS ${name}`);
    const endless = `SELECT count(*) AS c FROM ${tables.join(', ')} WHERE a.n + h.n > b.n * c.n + d.n * e.n * f.n * g.n`;
    await expect(project.take(sql(endless, { timeout_s: 1 }), { to: 'refused' })).rejects.toMatchObject({
      code: 'LIMIT',
      message: expect.stringContaining('the query took longer than 1 s'),
      hint: expect.stringContaining('timeout_s'),
    });
    expect(await project.names()).toEqual(names);
    const { derivation } = await project.take(sql('SELECT n FROM input ORDER BY n'), { to: 'quick' });
    expect(derivation.params).not.toHaveProperty('timeout_s');
  });

  it('unless it is declared not deterministic: then its output is kept', async () => {
    const yaml = sql('SELECT n, random() AS r FROM input', { deterministic: false });
    const first = await project.take(yaml, { to: 'drawn' });
    const again = await project.take(yaml, { to: 'drawn' });
    expect(again).toMatchObject({ reused: true, table: first.table });
    const { state, steps } = await project.reproduce('drawn');
    expect({ state, taken: steps.at(-1)?.taken }).toEqual({ state: 'same', taken: true });
  });
});
