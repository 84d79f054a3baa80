import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parametersOf } from '../../dist/src/lineage/parameters.js';
import { builtInTransforms } from '../../dist/transforms/index.js';
import { type Row, StepBench, prepare, rows } from './step-bench.js';

let bench: StepBench;
beforeAll(async () => {
  bench = await StepBench.make();
});
afterAll(async () => bench.workspace.remove());

/**
 * Golden outputs, a file of `golden/` for each step. A change there is a decision: it raises the step's version.
 * `table` is the beginning of the hex digits of the table's id.
 */
const goldenFolder = new URL('golden/', import.meta.url);
const golden = readdirSync(goldenFolder).flatMap(
  (name) =>
    JSON.parse(readFileSync(new URL(name, goldenFolder), 'utf8')) as {
      readonly step: string;
      /** Steps before it. */
      readonly after?: readonly string[];
      readonly rows: number;
      readonly table: string;
    }[],
);

describe('each step', () => {
  it.each(golden)(
    '$step has its golden output with 1 and 8 threads, on a compact and a frayed layout',
    async ({ step, after = [], rows: count, table }) => {
      for (const layout of ['compact', 'frayed'] as const) {
        for (const threads of [1, 8]) {
          const { output } = (await bench.run([...after, step], { threads, layout })).at(-1)!;
          expect({ layout, threads, rows: output.rows, table: output.table.split(':')[1]?.slice(0, 16) }).toEqual({
            layout,
            threads,
            rows: count,
            table,
          });
        }
      }
    },
  );

  it('has a golden output, a description of every parameter, and an example that it takes', () => {
    const tried = new Set(golden.map(({ step }) => prepare(step).name));
    for (const step of builtInTransforms) {
      // Code of the person's own has tests of its own.
      if (step.name !== 'holdout/remove' && step.kind !== 'user') expect(tried).toContain(step.name);
      for (const { name, description } of parametersOf(step.params))
        expect(`${name}: ${description}`).toMatch(/: .{10}/);
      expect(prepare(step.example).name).toBe(step.name);
    }
  });

  it('takes its parameters back as the derivation keeps them', () => {
    for (const { step: text } of golden) {
      const { name, params, seed } = prepare(text);
      const again = builtInTransforms
        .find((each) => each.name === name)!
        .prepare(JSON.parse(JSON.stringify({ ...(params as object), ...(seed === null ? {} : { seed }) })));
      expect({ params: again.params, seed: again.seed }).toEqual({ params, seed });
    }
  });
});

const ids = (of: readonly Row[]): number[] => of.map(({ id }) => id);
const characters = (text: string): number => Array.from(text).length;

const key = (row: Row): string => JSON.stringify([row.group, row.score === 0 ? 0 : row.score]);
const grouped = (of: readonly Row[]): Map<string, Row[]> => {
  const groups = new Map<string, Row[]>();
  for (const row of of) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
};

const size = ({ text, group, tags }: Row): number =>
  characters(text ?? '') + characters(group ?? '') + JSON.stringify(tags).length;
const fits = ({ text }: Row): boolean => text !== null && characters(text) >= 5 && characters(text) <= 13;
const share = (which: string, by = ''): string =>
  `split: {shares: {a: 0.5, b: 0.3, c: 0.2}, which: ${which}${by}, seed: 6}`;

describe('filter', () => {
  it('keeps rows where the predicate is true, in their order', async () => {
    const kept = await bench.rowsAfter('filter: {where: "score >= 1.5"}');
    expect(ids(kept)).toEqual(ids(rows.filter(({ score }) => score !== null && score >= 1.5)));
  });

  it('counts what was false and what was null', async () => {
    const [applied] = await bench.run(['filter: {where: "score >= 1.5"}']);
    const nulls = rows.filter(({ score }) => score === null).length;
    expect(applied!.counts).toEqual({ false: rows.length - nulls - applied!.output.rows, null: nulls });
  });

  it('takes lists, lambdas, structs, casts and a comment at the end', async () => {
    const kept = await bench.rowsAfter(
      `filter: {where: "len(list_filter(tags, x -> x = 't1')) = 1 AND [id, 1][2] = 1 AND CAST(id AS VARCHAR) <> 'x' -- why"}`,
    );
    expect(ids(kept)).toEqual(ids(rows.filter(({ tags }) => tags.includes('t1'))));
  });

  it.each([
    ['length(text) > > 2', 'at character 16'],
    ['text LIKE', 'the expression ends too early'],
    ['lenght(text) > 2', 'there is no function "lenght"'],
    ['length(text) >> > 2', 'there is no operator >> that stands behind a value'],
    ['id <>> 2', 'there is no operator <>>'],
    ['txet IS NULL', 'there is no column "txet"'],
    ['length(text)', 'of type BIGINT'],
    ['random() < 0.5', 'random may give another answer'],
    ['nextval(text) > 1', 'nextval may give another answer'],
    ["now() > TIMESTAMP '2020-01-01'", 'now may give another answer'],
    ['hash(text) > 1', 'hash may give another answer'],
    ["ago(INTERVAL 1 DAY) > TIMESTAMP '2020-01-01'", 'ago may give another answer'],
    ["current_date > DATE '2020-01-01'", 'no column "current_date"'],
    ['list_contains([x -> x], current_user)', 'no column'],
    ['id IN (SELECT 1)', 'a subquery cannot stand'],
    ["EXISTS (FROM read_csv('/etc/passwd'))", 'a subquery cannot stand'],
    ['max(id) > 1', 'over many rows'],
    ['row_number() OVER () > 1', 'a window function cannot stand'],
    ['COLUMNS(*) IS NULL', 'cannot stand'],
    ['#1 > 1', 'cannot stand'],
    ['? > 1', 'cannot stand'],
    ['true) FROM t WHERE (true', 'syntax error'],
    ['true), (false', 'syntax error at or near ")" at character 5'],
    ['true) OR (true', 'syntax error at or near ")" at character 5'],
    ['true] || [true', 'one expression and nothing else'],
    ['true, false', 'one expression and nothing else'],
    ['true) FROM t; SELECT (true', 'syntax error'],
    ['-- true', 'the expression is empty'],
    ['id > 1e400', 'too large for a DOUBLE'],
    ["text = 'a", `unterminated quoted string at or near "'a" at character 8`],
    ['holdout_position > 1', 'no column "holdout_position"'],
    ['CAST(text AS BIGINT) > 1', "Could not convert string 'short'"],
  ])('refuses %s', async (where, says) => {
    await expect(bench.run([`filter: {where: ${JSON.stringify(where)}}`])).rejects.toThrow(says);
  });
});

describe('length', () => {
  it('measures code points, bounds included; a null goes', async () => {
    const kept = await bench.rowsAfter('length: {column: text, min: 5, max: 13}');
    expect(ids(kept)).toEqual(ids(rows.filter(fits)));
    expect(kept.some(({ text }) => text?.includes('🐢'))).toBe(true);
  });

  it('refuses a column that holds no text', async () => {
    await expect(bench.run(['length: {column: id, min: 1}'])).rejects.toThrow('holds BIGINT, not text');
  });
});

describe('dedupe', () => {
  it('keeps the first of rows that are equal in all columns', async () => {
    const kept = await bench.rowsAfter('dedupe: {}');
    expect(kept.length).toBe(new Set(rows.map((row) => JSON.stringify(row))).size);
  });

  it.each(['first', 'last', 'longest'] as const)('keeps the %s by columns; −0 is 0, null is a value', async (keep) => {
    const kept = await bench.rowsAfter(`dedupe: {by: [group, score], keep: ${keep}}`);
    const expected = [...grouped(rows).values()].map((group) => {
      if (keep === 'first') return group[0]!;
      if (keep === 'last') return group.at(-1)!;
      return group.reduce((best, row) => (size(row) > size(best) ? row : best));
    });
    expect(ids(kept).toSorted((a, b) => a - b)).toEqual(ids(expected).toSorted((a, b) => a - b));
  });
});

describe('sample', () => {
  it('draws the same rows when rows are added', async () => {
    const before = await bench.rowsAfter('head: {n: 60}', 'sample: {fraction: 0.4, seed: 3}');
    const after = await bench.rowsAfter('sample: {fraction: 0.4, seed: 3}');
    expect(before.length).toBeGreaterThan(10);
    expect(ids(after).slice(0, before.length)).toEqual(ids(before));
  });

  it('draws a number of rows exactly, more of them under a greater number', async () => {
    const few = await bench.rowsAfter('dedupe: {}', 'sample: {count: 10}');
    const more = await bench.rowsAfter('dedupe: {}', 'sample: {count: 20}');
    expect([few.length, more.length]).toEqual([10, 20]);
    expect(ids(more)).toEqual(expect.arrayContaining(ids(few)));
    expect((await bench.rowsAfter('sample: {count: 5000}')).length).toBe(rows.length);
  });

  it('draws other rows under another seed', async () => {
    const [a] = await bench.run(['sample: {count: 20, seed: 1}']);
    const [b] = await bench.run(['sample: {count: 20, seed: 2}']);
    expect(a!.output.table).not.toBe(b!.output.table);
  });
});

describe('shuffle', () => {
  it('keeps every row, in an order that does not hang on how they stood', async () => {
    const [a] = await bench.run(['shuffle: {seed: 4}']);
    const turned = (await bench.run(['shuffle: {seed: 9}', 'shuffle: {seed: 4}'])).at(-1);
    expect(a!.output.setRoot).toBe(bench.table.setRoot);
    expect(turned!.output.table).toBe(a!.output.table);
    expect(a!.output.table).not.toBe(bench.table.table);
  });
});

describe('split', () => {
  it('puts each row into one share, equal rows into the same', async () => {
    const shares = await Promise.all(['a', 'b', 'c'].map((which) => bench.rowsAfter(share(which))));
    expect(shares.flat().length).toBe(rows.length);
    const places = shares.map((of) => new Set(of.map((row) => JSON.stringify(row))));
    expect(places.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(rows.map((row) => JSON.stringify(row))).size);
  });

  it('never lets a group straddle', async () => {
    const shares = await Promise.all(['a', 'b', 'c'].map((which) => bench.rowsAfter(share(which, ', by: [group]'))));
    expect(shares.flat().length).toBe(rows.length);
    const groups = shares.map((of) => new Set(of.map(({ group }) => group)));
    expect(groups.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(rows.map(({ group }) => group)).size);
  });

  it('does not follow a sample of the same seed', async () => {
    const sampled = await bench.rowsAfter('sample: {fraction: 0.5, seed: 6}');
    const half = await bench.rowsAfter('sample: {fraction: 0.5, seed: 6}', share('a'));
    expect(half.length).toBeGreaterThan(0);
    expect(half.length).toBeLessThan(sampled.length);
  });
});

describe('order and limits', () => {
  it('sort is total: columns, then nulls, then the same whatever the order before', async () => {
    const step = 'sort: {by: [{column: score, order: desc}]}';
    const sorted = (await bench.rowsAfter(step)).map(({ score }) => score);
    const numbers = sorted.filter((score) => score !== null);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    expect(sorted.slice(numbers.length).every((score) => score === null)).toBe(true);
    const [once] = await bench.run([step]);
    const shuffled = (await bench.run(['shuffle: {seed: 2}', step])).at(-1);
    expect(shuffled!.output.table).toBe(once!.output.table);
  });

  it.each([
    ['BOOLEAN', ['true', 'false']],
    ['TINYINT', ['-128', '-1', '0', '127']],
    ['UBIGINT', ['0', '1', '256', '18446744073709551615']],
    ['BIGINT', ['-9223372036854775808', '-1', '0', '1', '255', '256', '9223372036854775807']],
    ['DECIMAL(38,2)', ['-1.10', '-1.01', '0', '0.01', '999999999999999999.99']],
    ['DOUBLE', ['-inf', '-1e300', '-0.5', '0', '5e-324', '1', '2', 'inf', 'nan']],
    ['FLOAT', ['-inf', '-1e30', '-0.5', '0', '1', 'inf', 'nan']],
    ['VARCHAR', ['', 'a', 'a b', 'aa', 'ab', 'b', 'B', 'ä', 'z', '\uFEFFa', '\u{10FFFF}', '\uFFFD', '\u0001', ' ']],
    ['BLOB', ['', '\\x00', '\\x00\\x00', '\\x01', '\\xFF', '\\xFF\\x00', 'a']],
    ['DATE', ['-infinity', '0001-01-01', '1969-12-31', '1970-01-01', '2024-02-29', 'infinity']],
    ['TIME', ['00:00:00', '00:00:00.000001', '23:59:59.999999']],
    ['TIMESTAMP', ['1969-12-31 23:59:59.999999', '1970-01-01', '2024-01-01 00:00:00.5']],
    ['TIMESTAMPTZ', ['1969-12-31 23:59:59.999999+00', '1970-01-01 00:00:00+00', '1970-01-01 00:00:00+02']],
    [
      'UUID',
      [
        '00000000-0000-0000-0000-000000000001',
        '7fffffff-0000-0000-0000-000000000000',
        'ffffffff-0000-0000-0000-000000000000',
      ],
    ],
  ])('sort ranks %s the same through a file of keys as without', async (type, values) => {
    const listed = [...values, null].map((value) => (value === null ? '(NULL)' : `('${value}'::${type})`)).join(', ');
    const pairs = `(SELECT a.v AS a, b.v AS b FROM (VALUES ${listed}) AS a(v), (VALUES ${listed}) AS b(v))`;
    const order = 'a DESC NULLS LAST, b ASC NULLS LAST';
    const key = "create_sort_key(a, 'DESC NULLS LAST', b, 'ASC NULLS LAST')";
    const wrong = await bench.workspace.engine((engine) =>
      engine.value<bigint>(
        `SELECT count(*) FROM (SELECT dense_rank() OVER (ORDER BY ${order}) AS x, dense_rank() OVER (ORDER BY ${key}) AS y FROM ${pairs}) WHERE x <> y`,
      ),
    );
    expect(wrong).toBe(0n);
  });

  it('limit-per-group keeps the first of each group', async () => {
    const seen = new Map<string | null, number>();
    const expected = rows.filter(({ group }) => {
      seen.set(group, (seen.get(group) ?? 0) + 1);
      return seen.get(group)! <= 2;
    });
    expect(ids(await bench.rowsAfter('limit-per-group: {by: [group], max: 2}'))).toEqual(ids(expected));
  });

  it('head and skip cut the table in two', async () => {
    const [first, rest] = [await bench.rowsAfter('head: {n: 33}'), await bench.rowsAfter('skip: {n: 33}')];
    expect(ids([...first, ...rest])).toEqual(ids(rows));
    expect(await bench.rowsAfter('skip: {n: 1000}')).toEqual([]);
  });
});
