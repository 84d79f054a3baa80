import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeOrigins, encodeOrigins } from '../../dist/src/lineage/origins.js';
import { groupRows, reorderGroups } from '../../dist/src/lineage/row-groups.js';
import { noRow } from '../../dist/src/lineage/step-output.js';
import { OwnSteps } from './own-steps.js';
import { randomNumbers } from './run-on.js';

const random = randomNumbers(7);
const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
const rowCount = 150;
// Every kind of value that may be a key, with nulls, and names that aliases hide.
const rows = Array.from({ length: rowCount }, (_, n) => ({
  n,
  k: oneOf([0, 1, 2, null]),
  x: oneOf([0, -0.5, 1e300, 2.5, null]),
  w: oneOf(['a', 'A', '', 'é', "it's", null]),
  b: oneOf([true, false, null]),
  l: oneOf([[], [1], [1, null], null]),
  s: oneOf([{ p: 1, q: 'x' }, { p: 1, q: null }, { p: null, q: 'x' }, null]),
  j: oneOf([1, 'one', [1], { a: [1] }, null]),
}));

let project: OwnSteps;
beforeAll(async () => {
  project = await OwnSteps.make(rows);
  await project.add('more', [{ k: 0, name: 'zero' }]);
});
afterAll(async () => project.remove());

const sql = (query: string, more: object = {}): string => JSON.stringify({ sql: { query, ...more } });

/** Takes a query whose column `ns` lists the rows of each group, and compares that with what is recorded. */
async function expectTraced(query: string): Promise<void> {
  const { rowsOut, realisation } = await project.take(sql(query), { to: 'grouped' });
  expect(realisation.origins, query).toMatch(/^sha256:/);
  const madeOf = await project.madeOf('grouped');
  expect(madeOf, query).toEqual(rowsOut.map(({ ns }) => ns));
}

const distinctKey = (row: Record<string, unknown>): string => JSON.stringify([row['k'], row['w'], row['l']]);
const keyTexts = [
  'k',
  'x',
  'w',
  'b',
  'l',
  's',
  'j',
  'lower(w)',
  'k + 1',
  's.p',
  'n % 7',
  'len(l)',
  'coalesce(k, n % 2)',
];
const wheres = ['', '', 'WHERE n % 5 > 0', 'WHERE k0 IS NOT NULL'];
const havings = ['', '', 'HAVING count(*) > 3', 'HAVING max(n) > 140'];
const orders = ['', 'ORDER BY count(*) DESC', 'ORDER BY 1', 'ORDER BY ALL', 'ORDER BY min(n) LIMIT 4 OFFSET 1'];

describe('rows of a SELECT that aggregates', () => {
  it('are traced to the rows that give them again, whatever they are grouped by', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 40; round++) {
      const keys = Array.from({ length: 1 + Math.floor(random() * 3) }, () => oneOf(keyTexts)).filter(
        (key, at, all) => all.indexOf(key) === at,
      );
      const named = keys.map((key, at) => `${key} AS k${at}`);
      const ways = [
        `GROUP BY ${keys.join(', ')}`,
        `GROUP BY ${keys.map((_, at) => `k${at}`).join(', ')}`,
        `GROUP BY ${keys.map((_, at) => at + 2).join(', ')}`,
        'GROUP BY ALL',
      ];
      const list = ['list(n ORDER BY n) AS ns', ...named, 'sum(n) AS total'].join(', ');
      await expectTraced(
        `SELECT ${list} FROM input ${oneOf(wheres)} ${oneOf(ways)} ${oneOf(havings)} ${oneOf(orders)}`,
      );
    }
  });

  it.each([
    ['without GROUP BY: all that WHERE takes', 'SELECT list(n ORDER BY n) AS ns, sum(x) AS s FROM input WHERE k = 1'],
    ['by keys that are not selected', 'SELECT list(n ORDER BY n) AS ns FROM input GROUP BY w, k'],
    ['under another name of the table', 'SELECT list(i.n ORDER BY i.n) AS ns, i.w FROM input i GROUP BY i.w'],
    [
      'by a column that an alias has the name of',
      'SELECT upper(w) AS k, list(n ORDER BY n) AS ns FROM input GROUP BY k, w',
    ],
    ['with a star', 'SELECT i.* EXCLUDE (n, x, b, l, s, j), list(n ORDER BY n) AS ns FROM input i GROUP BY ALL'],
    [
      'with FILTER and DISTINCT in aggregates',
      'SELECT k, list(n ORDER BY n) AS ns, count(DISTINCT w) FILTER (x > 0) AS c FROM input GROUP BY k',
    ],
    ['by one key alone', "SELECT list(n ORDER BY n) AS ns FROM input GROUP BY 'x'"],
    ['by nothing', 'SELECT list(n ORDER BY n) AS ns FROM input GROUP BY ()'],
  ])('%s', async (_, query) => expectTraced(query));

  it('that takes distinct rows are traced to all equal ones', async () => {
    for (const query of [
      'SELECT DISTINCT k, w, l FROM input WHERE n > 20',
      'SELECT DISTINCT * EXCLUDE (n, x, b, s, j) FROM input WHERE n > 20 ORDER BY w LIMIT 20',
    ]) {
      const { rowsOut } = await project.take(sql(query), { to: 'distinct' });
      const wanted = rowsOut.map((row) =>
        rows.filter((each) => each.n > 20 && distinctKey(each) === distinctKey(row)).map(({ n }) => n),
      );
      expect(await project.madeOf('distinct')).toEqual(wanted);
    }
  });

  it('are told apart where they are equal', async () => {
    const { rowsOut } = await project.take(sql('SELECT count(*) AS c FROM input WHERE n < 40 GROUP BY n % 4'), {
      to: 'equal',
    });
    expect(rowsOut).toEqual(Array.from({ length: 4 }, () => ({ c: 10 })));
    const madeOf = (await project.madeOf('equal')) as number[][];
    expect(madeOf.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
    for (const group of madeOf) expect(new Set(group.map((n) => n % 4)).size).toBe(1);
  });

  it('of no row end the trace', async () => {
    await project.take(sql('SELECT count(*) AS c FROM input WHERE n < 0'), { to: 'empty' });
    expect(await project.madeOf('empty')).toEqual([expect.stringContaining('of no row before it')]);
  });

  it.each([
    'SELECT k, unnest(list(n)) AS e FROM input GROUP BY k',
    "SELECT max(COLUMNS(c -> c IN ('n', 'x'))) FROM input",
  ])('are opaque where the groups are not told by keys, nor by row numbers: %s', async (query) => {
    const { rowsOut, realisation } = await project.take(sql(query, { with: { o: 'more' } }), { to: 'opaque' });
    expect(rowsOut.length).toBeGreaterThan(0);
    expect(realisation.origins).toBe('unknown');
  });

  it('are opaque where the query is declared not deterministic', async () => {
    const yaml = sql('SELECT k, count(*) AS c FROM input GROUP BY k', { deterministic: false });
    expect((await project.take(yaml, { to: 'opaque' })).realisation.origins).toBe('unknown');
  });
});

describe('why', () => {
  it('tells of every row whether a group has it, or why none does', async () => {
    await project.take(sql('SELECT k, count(*) AS c FROM input WHERE n >= 10 GROUP BY k HAVING k > 0'), { to: 'held' });
    for (const { row, stays, dropped, unknown } of await project.fates('held')) {
      const why =
        row < 10
          ? ['the SELECT makes no row of it: its WHERE is not true for it']
          : (rows[row]!.k ?? 0) > 0
            ? []
            : ['the SELECT makes no row of it: its HAVING is not true for its group'];
      expect({ row, stays: stays.length, unknown }).toEqual({ row, stays: why.length === 0 ? 1 : 0, unknown: null });
      expect(dropped.map((each) => each.why)).toEqual(why);
    }
  });

  it('names the clauses that may be it where WHERE cannot be asked of a row alone', async () => {
    await project.take(sql('SELECT k + 1 AS m, max(n) AS c FROM input WHERE m > 1 GROUP BY m HAVING c > 148'), {
      to: 'alias',
    });
    const fates = await project.fates('alias');
    expect(fates.every(({ unknown }) => unknown === null)).toBe(true);
    expect(new Set(fates.flatMap(({ dropped }) => dropped.map(({ why }) => why)))).toEqual(
      new Set(['the SELECT makes no row of it: its WHERE is not true for it, or its HAVING is not true for its group']),
    );
  });
});

describe('the file of origins of rows made of many', () => {
  const groups = groupRows(Uint32Array.from([1, noRow, 0, 1, 3, 1]), 4);

  it('reads as what was written', () => {
    const read = decodeOrigins(encodeOrigins(groups, 6));
    expect(read).toEqual({ ends: Uint32Array.of(1, 4, 4, 5), addresses: Uint32Array.of(2, 0, 3, 5, 4) });
    expect(reorderGroups(groups, Uint32Array.of(3, 1, 0, 2))).toEqual({
      ends: Uint32Array.of(1, 4, 5, 5),
      addresses: Uint32Array.of(4, 0, 3, 5, 2),
    });
    expect(decodeOrigins(encodeOrigins(Uint32Array.of(2, noRow), 3))).toEqual(Uint32Array.of(2, noRow));
  });

  it('is refused where it is cut or a number in it is out of its bounds', () => {
    const bytes = encodeOrigins(groups, 6);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeOrigins(bytes.subarray(0, length)), String(length)).toThrowError(
        expect.objectContaining({ code: 'STORE_CORRUPT' }),
      );
    }
    for (const at of [7, 8, 12, 16, 20, 28, 32, 36, 48]) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = 200;
      if (at === 8) damaged[at] = 5;
      expect(() => decodeOrigins(damaged), String(at)).toThrowError(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    }
  });
});
