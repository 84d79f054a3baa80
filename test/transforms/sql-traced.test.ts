import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { originsByDigest } from '../../dist/src/lineage/traced-rows.js';
import { OwnSteps } from './own-steps.js';
import { randomNumbers } from './run-on.js';

const random = randomNumbers(11);
const oneOf = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
const chance = (share: number): boolean => random() < share;

const rows = Array.from({ length: 24 }, (_, n) => ({
  n,
  k: n % 7 === 6 ? null : n % 5,
  w: ['a', 'A', '', null, "it's"][n % 5]!,
  l: Array.from({ length: n % 3 }, (_, at) => n + at),
}));
const more = [
  { id: 0, k: 0, name: 'zero' },
  { id: 1, k: 1, name: 'one' },
  { id: 2, k: 1, name: 'uno' },
  { id: 3, k: 9, name: 'nine' },
  { id: 4, k: null, name: 'none' },
];

let project: OwnSteps;
beforeAll(async () => {
  project = await OwnSteps.make(rows);
  await project.add('more', more);
});
afterAll(async () => project.remove());

const sql = (query: string, options: object = {}): string =>
  JSON.stringify({ sql: { query, with: { o: 'more' }, ...options } });

type Row = Readonly<Record<string, unknown>>;

/** The raw rows of the input and of the other table with these numbers, as `originsOf` names them. */
const made = (ns: readonly unknown[], ids: readonly unknown[] = []): string[] =>
  [...new Set([...ns.map((n) => `data:${String(n)}`), ...ids.map((id) => `more:${String(id)}`)])].toSorted();
const present = (...values: readonly unknown[]): unknown[] => values.filter((value) => value !== null);

/** Takes a query and compares what each row is traced to with what the row itself tells. */
async function expectTraced(query: string, wanted: (row: Row) => readonly string[]): Promise<void> {
  const { rowsOut, realisation } = await project.take(sql(query), { to: 'traced' });
  expect(rowsOut.length, query).toBeGreaterThan(0);
  expect(realisation.origins, `${query}: ${String(realisation.whyUnknown)}`).toMatch(/^sha256:/);
  const origins = await project.originsOf('traced');
  expect(
    rowsOut.map((row, at) => ({ row, origins: origins[at] })),
    query,
  ).toEqual(rowsOut.map((row) => ({ row, origins: wanted(row) })));
}

const byN = ({ n }: Row): string[] => made(present(n));
const byBoth = ({ n, id }: Row): string[] => made(present(n), present(id));
const groupBy = (key: (row: (typeof rows)[number]) => unknown) => (value: unknown) =>
  made(rows.filter((row) => key(row) === value).map(({ n }) => n));
const withK = groupBy(({ k }) => k);

it('a column called rowid is no count of rows', async () => {
  const grouped = 'SELECT k AS rowid, count(*) AS c FROM input GROUP BY k ORDER BY rowid DESC NULLS LAST';
  await expectTraced(grouped, ({ rowid }) => withK(rowid));
});

describe('a row of a SELECT is traced to the row that it was made of', () => {
  it.each([
    ['with a window beside it', 'SELECT n, sum(n) OVER (PARTITION BY k ORDER BY n) AS s FROM input'],
    ['where QUALIFY takes it', 'SELECT * FROM input QUALIFY row_number() OVER (PARTITION BY k ORDER BY n DESC) = 1'],
    ['where IN looks it up', 'SELECT * FROM input WHERE k IN (SELECT k FROM o)'],
    ['where EXISTS finds another', 'SELECT n FROM input WHERE EXISTS (SELECT * FROM input i WHERE i.n = input.n + 1)'],
    ['with a value looked up', 'SELECT n, (SELECT max(name) FROM o WHERE o.k = input.k) AS m FROM input ORDER BY m, n'],
    ['with SEMI JOIN', 'SELECT * FROM input SEMI JOIN o USING (k)'],
    ['with ANTI JOIN', 'SELECT i.* FROM input i ANTI JOIN o USING (k)'],
    ['with UNNEST', 'SELECT n, unnest(l) AS e FROM input'],
    ['with UNNEST in FROM', 'SELECT i.*, e FROM input i, unnest(i.l) AS u(e)'],
    [
      'through subqueries',
      'SELECT * FROM (SELECT * EXCLUDE (w), n % 2 AS odd FROM input) AS s WHERE odd = 1 ORDER BY ALL LIMIT 5',
    ],
    ['of rows that DISTINCT ON takes', 'SELECT DISTINCT ON (k) * FROM input ORDER BY k, n DESC'],
    ['of rows that DISTINCT ON takes by place', 'SELECT DISTINCT ON (k) n, w FROM input ORDER BY 2, 1 LIMIT 3'],
    ['through COLUMNS', 'SELECT COLUMNS(* EXCLUDE (l)), upper(COLUMNS(input.* EXCLUDE (n, k, l))) AS up FROM input'],
    ['of a common table that hides the name of another', 'WITH o AS (SELECT * FROM input WHERE n > 4) SELECT * FROM o'],
    [
      'named by its own common table',
      'WITH c(a) AS (SELECT n FROM input), d AS (FROM c) SELECT a AS n FROM d WHERE a IN (FROM c)',
    ],
  ])('%s', async (_, query) => expectTraced(query, byN));

  it('in a union, whichever side it came from', async () => {
    const query =
      'SELECT n, NULL AS id FROM input UNION ALL SELECT NULL, id FROM o UNION ALL (SELECT n, 3 FROM input WHERE n = 1)';
    await expectTraced(query, ({ n, id }) => (n === null ? made([], [id]) : made([n])));
    await expectTraced('SELECT n, k FROM input UNION ALL BY NAME SELECT id, k, name FROM o', byBoth);
  });

  it('and one of a union with constants to none', async () => {
    await project.take(sql('SELECT n FROM input WHERE n = 3 UNION ALL SELECT 99'), { to: 'constant' });
    expect(await project.originsOf('constant')).toEqual(
      expect.arrayContaining([['data:3'], 'holdout/sql made this row of no row before it']),
    );
  });
});

describe('a row of a join is traced to a row of each side', () => {
  it.each([
    ['inner, by USING', 'SELECT * FROM input JOIN o USING (k)'],
    ['left, by ON', 'SELECT i.*, o.* EXCLUDE (k) FROM input i LEFT JOIN o ON i.k = o.k ORDER BY n LIMIT 20'],
    ['right', 'SELECT n, o.* FROM input RIGHT JOIN o USING (k)'],
    ['full and natural', 'SELECT * FROM input NATURAL FULL JOIN o'],
    ['every with every', 'SELECT n, id FROM input CROSS JOIN o'],
    ['with a comparison', 'SELECT n, id FROM input, o WHERE n < id * 2'],
    ['as of', 'SELECT n, o.id FROM input ASOF JOIN o ON input.n >= o.k'],
    ['lateral', 'SELECT n, x.id FROM input i, LATERAL (SELECT id FROM o WHERE o.k = i.k) AS x'],
    ['with tables of constants beside', 'SELECT n, id, e FROM input JOIN o USING (k), range(2) AS t(e)'],
    ['first of its group', 'SELECT DISTINCT ON (i.k) n, id FROM input i LEFT JOIN o USING (k) ORDER BY i.k, n, id'],
    ['in subqueries', 'SELECT * FROM (SELECT n, k FROM input WHERE n > 3) JOIN (SELECT id, k FROM o) AS p USING (k)'],
  ])('%s', async (_, query) => expectTraced(query, byBoth));

  it('with itself: to both, or to one where they are one', async () => {
    await expectTraced('SELECT a.n, b.n AS m FROM input a JOIN input b USING (k)', ({ n, m }) => made([n, m]));
    const common = 'WITH c AS (SELECT n, k FROM input) SELECT a.n, b.n AS m FROM c a, c b WHERE a.n = b.n + 1';
    await expectTraced(common, ({ n, m }) => made([n, m]));
  });
});

/** All that a group of the join of both tables was made of, by the name of the other's row. */
function joined(name: unknown): string[] {
  const other = more.find((row) => row.name === name)!;
  return made(
    rows.filter(({ k }) => k === other.k).map(({ n }) => n),
    [other.id],
  );
}

describe('a row made of many is traced to all', () => {
  it.each<readonly [string, string, (row: Row) => readonly string[]]>([
    ['of a join', 'SELECT name, count(*) AS c FROM input JOIN o USING (k) GROUP BY name', ({ name }) => joined(name)],
    ['of a subquery', 'SELECT k, max(n) AS m FROM (SELECT * FROM input) GROUP BY ALL', ({ k }) => withK(k)],
    [
      'filtered afterwards',
      'SELECT k FROM (SELECT k, count(*) AS c FROM input GROUP BY k) WHERE c > 3',
      ({ k }) => withK(k),
    ],
    ['with a window over groups', 'SELECT k, sum(count(*)) OVER () AS c FROM input GROUP BY k', ({ k }) => withK(k)],
    [
      'with ROLLUP',
      'SELECT k, grouping(k) AS g FROM input GROUP BY ROLLUP (k)',
      ({ k, g }) => (g === 1 ? made(rows.map(({ n }) => n)) : withK(k)),
    ],
    [
      'by COLLATE',
      'SELECT lower(w) AS w FROM input GROUP BY lower(w), w COLLATE NOCASE',
      ({ w }) => groupBy((row) => row.w?.toLowerCase() ?? null)(w),
    ],
    [
      'that look something up',
      'SELECT k, count(*) AS c FROM input WHERE k IN (SELECT k FROM o) GROUP BY k',
      ({ k }) => withK(k),
    ],
    [
      'distinct, of groups',
      'SELECT DISTINCT k % 2 AS p FROM (SELECT k, count(*) FROM input GROUP BY k)',
      ({ p }) => groupBy(({ k }) => (k === null ? null : k % 2))(p),
    ],
    ['distinct, in order', 'SELECT DISTINCT k FROM (FROM input) ORDER BY k DESC LIMIT 2', ({ k }) => withK(k)],
    [
      'united and distinct',
      'SELECT k FROM input UNION SELECT k FROM o ORDER BY 1',
      ({ k }) => [
        ...withK(k),
        ...made(
          [],
          more.filter((row) => row.k === k).map(({ id }) => id),
        ),
      ],
    ],
    [
      'united by name and distinct',
      'SELECT k FROM o UNION BY NAME SELECT k FROM input',
      ({ k }) => [
        ...withK(k),
        ...made(
          [],
          more.filter((row) => row.k === k).map(({ id }) => id),
        ),
      ],
    ],
  ])('%s', async (_, query, wanted) => expectTraced(query, wanted));
});

let names = 0;
let commons: string[] = [];

/** As a subquery or as a common table. */
function relation(text: string): string {
  const name = `r${names++}`;
  if (chance(0.5)) return `(${text}) AS ${name}`;
  commons.push(`${name} AS (${text})`);
  return chance(0.5) ? name : `${name} AS ${name}_again`;
}

function aliasOf(text: string): string {
  return text.split(' ').at(-1)!;
}

/** A query that tells of each of its rows, in the columns `ns` and `ids`, of which rows it was made. */
function telling(depth: number): string {
  if (depth === 0) {
    return chance(0.6)
      ? 'SELECT [n] AS ns, []::BIGINT[] AS ids, k, n AS v FROM input'
      : 'SELECT []::BIGINT[] AS ns, [id] AS ids, k, id AS v FROM o';
  }
  const kind = oneOf(['filter', 'window', 'join', 'join', 'join', 'union', 'group', 'distinct'] as const);
  const from = relation(telling(depth - 1));
  const where = oneOf(['', ' WHERE v % 3 > 0', ' WHERE k IN (SELECT k FROM o)', ' WHERE k IS NOT NULL']);
  switch (kind) {
    case 'join': {
      const right = relation(telling(depth - 1));
      const [a, b] = [aliasOf(from), aliasOf(right)];
      const lists = ['ns', 'ids'].map((list) => `list_concat(${a}.${list}, ${b}.${list}) AS ${list}`);
      const [on, key] = chance(0.5) ? [`ON ${a}.k = ${b}.k`, `coalesce(${a}.k, ${b}.k) AS k`] : ['USING (k)', 'k'];
      const join = `${from} ${oneOf(['', 'LEFT', 'RIGHT', 'FULL'])} JOIN ${right} ${on}`;
      return `SELECT ${lists.join(', ')}, ${key}, coalesce(${a}.v, ${b}.v) AS v FROM ${join}`;
    }
    case 'filter':
      return `SELECT * FROM ${from}${where}`;
    case 'window': {
      const number = 'row_number() OVER (PARTITION BY k ORDER BY v, ns, ids)';
      const qualify = chance(0.5) ? ` QUALIFY ${number} < 5` : '';
      return `SELECT ${aliasOf(from)}.* REPLACE (${number} AS v) FROM ${from}${where}${qualify}`;
    }
    case 'union': {
      const all = chance(0.8) ? ' ALL' : '';
      return `SELECT ns, ids, k, v FROM ${from}${where} UNION${all} SELECT ns, ids, k, v FROM ${relation(telling(depth - 1))}`;
    }
    case 'distinct':
      return `SELECT DISTINCT ns, ids, k, v FROM ${from}${where}`;
    default: {
      const lists = 'list_sort(flatten(list(ns))) AS ns, list_sort(flatten(list(ids))) AS ids';
      return `SELECT ${lists}, k, count(*) AS v FROM ${from}${where} GROUP BY ${oneOf(['k', '3', 'ALL'])}`;
    }
  }
}

describe('whatever a query is put together of', () => {
  it('its rows are traced to those that they tell of themselves', { timeout: 300_000 }, async () => {
    let traced = 0;
    for (let round = 0; round < 30; round++) {
      commons = [];
      const text = telling(1 + (round % 3));
      const query = `${commons.length > 0 ? `WITH ${commons.join(', ')} ` : ''}${text}`;
      const { rowsOut, realisation } = await project.take(sql(query), { to: 'random' });
      if (realisation.origins === 'unknown') {
        expect(realisation.whyUnknown, query).toBe('its query joins rows that were made of many');
        continue;
      }
      const origins = await project.originsOf('random');
      const wanted = rowsOut.map(({ ns, ids }) => made((ns ?? []) as unknown[], (ids ?? []) as unknown[]));
      expect(origins, query).toEqual(wanted);
      traced += rowsOut.length;
    }
    expect(traced).toBeGreaterThan(200);
  });
});

describe('a trace never changes the rows', () => {
  it.each([
    'SELECT *, row_number() OVER (PARTITION BY k ORDER BY w) AS r FROM input',
    'SELECT * FROM input NATURAL LEFT JOIN o ORDER BY name',
    'WITH c AS (SELECT * FROM input) SELECT count(*) AS c, sum(n / 7) AS s FROM c JOIN o USING (k)',
    'SELECT * FROM input UNION BY NAME SELECT * FROM o',
    'SELECT input AS whole FROM input',
    'SELECT to_json(i) AS j FROM input AS i ORDER BY n',
    'SELECT DISTINCT ON (k) * FROM input ORDER BY ALL',
  ])('%s', async (query) => {
    const traced = await project.take(sql(query), { to: 'traced' });
    const plain = await project.take(sql(query, { deterministic: false }), { to: 'plain' });
    expect(traced.table).toBe(plain.table);
    expect(JSON.stringify(traced.rowsOut)).not.toContain('holdout');
    expect((await project.reproduce('traced')).state).toBe('same');
  });
});

/** Digests that are one byte over and over. */
function digests(...bytes: readonly number[]): Uint8Array {
  return Uint8Array.from(bytes.flatMap((byte) => Array<number>(32).fill(byte)));
}

describe('a query stays opaque, and says why', () => {
  it.each([
    [
      'SELECT * FROM input JOIN (SELECT k, count(*) AS c FROM input GROUP BY k) USING (k)',
      'joins rows that were made of many',
    ],
    ['SELECT k, unnest(list(n)) AS e FROM input GROUP BY k', 'has UNNEST beside rows that were made of many'],
    ['SELECT k FROM input EXCEPT SELECT k FROM o', 'has EXCEPT'],
    ['SELECT k FROM input INTERSECT ALL SELECT k FROM o', 'has INTERSECT'],
    [
      'WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 3) SELECT * FROM r',
      'has WITH RECURSIVE',
    ],
    ['SELECT * FROM (SELECT n, k FROM input) UNPIVOT (v FOR c IN (n, k))', 'has PIVOT or UNPIVOT'],
    ['SELECT n, id FROM input POSITIONAL JOIN o', 'has a POSITIONAL JOIN'],
    ['SELECT * FROM input a NATURAL JOIN input b', 'has a NATURAL JOIN of a table with itself'],
    ["SELECT COLUMNS('n|k') FROM input JOIN o USING (k)", 'has COLUMNS(…) that chooses columns by a text or lambda'],
    ['SELECT i AS whole FROM input i', 'takes a whole table as a value'],
    ['SELECT input::VARCHAR AS input FROM input', 'takes a whole table as a value'],
    ['SELECT #1 AS a FROM input JOIN o USING (k)', 'names a column by its number'],
    ['SELECT (SELECT count(*) FROM input) AS c', 'has a SELECT over nothing but subqueries within expressions'],
    [
      'SELECT DISTINCT ON (k) k, count(*) AS c FROM input GROUP BY k, w',
      'has DISTINCT ON in a form that nobody follows',
    ],
    ['SELECT n, unnest([1, 2]) AS e FROM (VALUES (1), (2)) AS t(n)', null],
  ])('%s', async (query, says) => {
    const { rowsOut, realisation } = await project.take(sql(query), { to: 'opaque' });
    expect(rowsOut.length).toBeGreaterThan(0);
    expect(realisation.origins).toBe('unknown');
    const why = says === null ? 'DuckDB does not write its query back as it was' : `its query ${says}`;
    expect(realisation.whyUnknown).toBe(why);
    expect((await project.originsOf('opaque'))[0]).toBe(`sql does not say of which rows it made its own: ${why}`);
  });

  it('where it is declared not deterministic', async () => {
    const yaml = sql('SELECT n, id FROM input JOIN o USING (k)', { deterministic: false });
    const { realisation } = await project.take(yaml, { to: 'opaque' });
    expect(realisation.whyUnknown).toBe('it is declared not deterministic');
  });

  it('where the rows with numbers beside them are other ones', () => {
    const madeOf = { ends: Uint32Array.of(1, 1, 2), addresses: Uint32Array.of(7, 8) };
    const of = { digests: digests(1, 2, 1), madeOf };
    expect(originsByDigest(of, digests(2, 1, 1))).toEqual(Uint32Array.of(0xffffffff, 7, 8));
    const says = expect.stringContaining('gives other rows');
    for (const others of [digests(1, 2), digests(1, 2, 2), digests(1, 1, 1), digests(1, 2, 1, 1)]) {
      expect(originsByDigest(of, others)).toEqual(says);
    }
  });
});

/** What is said of all rows that the query made nothing of. */
async function whys(query: string): Promise<Set<string | null>> {
  await project.take(sql(query), { to: 'why' });
  const fates = await project.fates('why');
  expect(fates.every(({ unknown }) => unknown === null)).toBe(true);
  return new Set(fates.flatMap(({ dropped }) => dropped.map(({ why }) => why)));
}

describe('why', () => {
  it('names QUALIFY and DISTINCT ON, and for a join nothing that may not be it', async () => {
    const says = 'the SELECT makes no row of it';
    const qualify = 'SELECT n FROM input WHERE n > 3 QUALIFY row_number() OVER (PARTITION BY k ORDER BY n) = 1';
    expect(await whys(qualify)).toEqual(
      new Set([`${says}: its WHERE is not true for it`, `${says}: its QUALIFY is not true for it`]),
    );
    const first = 'SELECT DISTINCT ON (k) n FROM input ORDER BY k, n LIMIT 2';
    expect(await whys(first)).toEqual(
      new Set([`${says}: its DISTINCT ON takes another, or its LIMIT or OFFSET leaves it out`]),
    );
    expect(await whys('SELECT n, id FROM input JOIN o USING (k) WHERE n > 3')).toEqual(new Set([says]));
  });
});
