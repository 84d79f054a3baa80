import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

interface Way {
  readonly row: number;
  readonly stops: string | null;
  readonly steps: readonly { readonly transform: string }[];
  readonly source: {
    readonly file: string;
    readonly line: number;
    readonly offset: number;
    readonly bytes: number;
    readonly text: string;
  } | null;
  readonly madeOf: Traced | null;
}
interface Traced {
  readonly rows: readonly Way[];
  readonly more: number;
}
interface Forward {
  readonly versions: readonly {
    readonly version: string;
    readonly same: readonly number[];
    readonly made: readonly number[];
    readonly unknown: string | null;
  }[];
}
interface Why {
  readonly rows: readonly {
    readonly row: number;
    readonly stays: readonly number[];
    readonly dropped: readonly {
      readonly transform: string;
      readonly rule: string | null;
      readonly stays: number | null;
    }[];
  }[];
}

const text = (i: number): string | null => (i % 9 === 8 ? null : 'é'.repeat(i % 9));
const as = Array.from({ length: 50 }, (_, i) => ({ id: i % 45, text: text(i % 45) }));
const bs = [
  { id: 7, text: text(7) },
  { id: 1000, text: 'only in b' },
];

let box: Sandbox;
beforeAll(async () => {
  // A byte order mark, blank lines and both kinds of line ends.
  const odd = `\ufeff\n${lines(as).replaceAll('\n', '\r\n').replace('\r\n', '\n\n')}`;
  box = await Sandbox.make({ 'a.jsonl': odd, 'b.jsonl': lines(bs), 'c.csv': 'id,text\n1,"two\nlines"\n2,x\n' });
  const told = (...args: string[]): Promise<string> => box.told(args);
  await told('init');
  await told('add', 'a', 'a.jsonl');
  await told('add', 'b', 'b.jsonl');
  await told('add', 'c', 'c.csv');
  await told('transform', 'a', 'fa', '--step', 'dedupe: {by: [id]}', '--step', 'filter: {where: "length(text) > 2"}');
  const steps = [
    'shuffle: {seed: 3}',
    'concat: {with: [b]}',
    'select: {columns: [text]}',
    'length: {column: text, max: 7}',
  ];
  await told('transform', 'fa', 'mix', ...steps.flatMap((step) => ['--step', step]));
});
afterAll(async () => box.remove());

describe('trace', () => {
  it('gives the line of the raw file by its bytes', async () => {
    const raw = await readFile(join(box.folder, 'a.jsonl'));
    const { rows } = await box.json<Traced>(['trace', 'mix', '--where', 'true', '--limit', '1000']);
    expect(rows.length).toBeGreaterThan(20);
    for (const { source, steps } of rows) {
      const bytes = source!.file === 'a.jsonl' ? raw : await readFile(join(box.folder, source!.file));
      const line = bytes.subarray(source!.offset, source!.offset + source!.bytes).toString();
      expect(line).toBe(source!.text);
      expect(
        bytes
          .toString()
          .replace(/^\ufeff/, '')
          .split(/\r?\n/)[source!.line - 1],
      ).toBe(line);
      expect(steps.at(-1)?.transform).toBe('read@1');
    }
  });

  it('needs no file to be there still, and says where lines are not known', async () => {
    await rm(join(box.folder, 'b.jsonl'));
    const kept = await box.json<Traced>(['trace', 'b', '--row', '2']);
    expect(kept.rows[0]?.source?.text).toBe(lines(bs.slice(1)).trim());
    await box.write('b.jsonl', lines(bs));
    const csv = await box.run(['trace', 'c', '--row', '2']);
    expect(csv.stdout).toContain('c.csv, row 2; where its bytes begin is not known');
  });

  it('refuses rows that are not there, predicates that are none, and no question', async () => {
    const failing = [['--row', '999'], ['--where', 'nothing = 1'], []];
    for (const args of failing) expect((await box.run(['trace', 'mix', ...args])).status).toBe(2);
  });
});

describe('a row of a SELECT that aggregates', () => {
  beforeAll(async () => {
    const count = 'sql: {query: "SELECT id % 7 AS d, count(*) AS c FROM input WHERE id >= 10 GROUP BY d ORDER BY d"}';
    const all = 'sql: {query: "SELECT sum(c) AS c FROM input"}';
    await box.told(['transform', 'a', 'days', '--step', 'sort: {by: [{column: id, order: desc}]}', '--step', count]);
    await box.told(['transform', 'days', 'total', '--step', all]);
  });

  it('is traced to the line of every row of its group', async () => {
    for (const day of [0, 3]) {
      const { rows } = await box.json<Traced>(['trace', 'days', '--row', String(day + 1)]);
      const { source, stops, madeOf } = rows[0]!;
      expect({ source, stops, more: madeOf!.more }).toEqual({ source: null, stops: null, more: 0 });
      const ids = madeOf!.rows.map((each) => (JSON.parse(each.source!.text) as { id: number }).id);
      const wanted = as.map(({ id }) => id).filter((id) => id >= 10 && id % 7 === day);
      expect(new Set(ids)).toEqual(new Set(wanted));
      expect(ids).toHaveLength(wanted.length);
      expect(madeOf!.rows[0]!.steps.map(({ transform }) => transform)).toEqual(['sort@1', 'read@1']);
    }
  });

  it('shows the first of many, and of groups of groups so many in all', async () => {
    const limited = await box.json<Traced>(['trace', 'days', '--row', '1', '--limit', '2']);
    expect(limited.rows[0]!.madeOf).toMatchObject({ rows: [{}, {}], more: 3 });
    const text = await box.told(['trace', 'total', '--row', '1', '--limit', '4']);
    expect(text).toContain('made of 7 rows, the first 4:');
    expect(text.match(/a\.jsonl:\d+, \d+ bytes from byte/g)).toHaveLength(4);
    expect(text).toContain('3 rows more; --limit shows more');
  });

  it('is found from each of its rows, and why says which clause left the others out', async () => {
    const forward = await box.json<Forward>(['trace', '--forward', 'a', '--row', '13']);
    const made = forward.versions.map(({ version, made: rows, unknown }) => [version, rows, unknown]);
    expect(made).toContainEqual(['days@1', [12 % 7], null]);
    expect(made).toContainEqual(['total@1', [0], null]);
    const why = await box.told(['why', 'total', '--row', '13', '--row', '3']);
    expect(why).toContain('stays: row 1 of total@1');
    expect(why).toContain('the SELECT makes no row of it: its WHERE is not true for it (');
    expect(why).not.toContain('opaque');
  });
});

describe('trace --forward', () => {
  it('names every version that holds a line, an equal row, or something made of it', async () => {
    // Line 9 of a.jsonl is row 7 of a, which stands in b too.
    const { versions } = await box.json<Forward>(['trace', '--forward', '--file', 'a.jsonl', '--line', '10']);
    expect(versions.map(({ version, same, made }) => [version, same.length, made.length])).toEqual([
      ['a@1', 1, 0],
      ['b@1', 1, 0],
      ['fa@1', 1, 0],
      ['mix@1', 0, 2],
    ]);
    const mix = await box.json<Traced>(['trace', 'mix', '--row', String(versions[3]!.made[0]! + 1)]);
    expect(mix.rows[0]?.source).toMatchObject({ file: 'a.jsonl', line: 10 });
  });

  it('names the step that let a row go, and the command that says why', async () => {
    // Row 2 (id 1) is no duplicate, and too short for the filter behind the dedupe; nothing of it comes to mix.
    const { stdout } = await box.run(['trace', '--forward', 'a', '--row', '2']);
    const [, ask] = /^fa@1 {2}none: dropped by filter@1 {2}\(holdout (why fa@1 --from a@1 --row 2)\)$/m.exec(stdout)!;
    expect(stdout).not.toContain('mix');
    expect((await box.run(ask!.split(' '))).stdout).toContain('dropped by filter@1 (step 3, fa@1)');
    const { versions, ...rest } = await box.json<Forward>(['trace', '--forward', 'a', '--row', '2']);
    expect(versions.map(({ version }) => version)).toEqual(['a@1']);
    const gone = { version: 'fa@1', by: 'holdout/filter@1', from: 'a@1', row: 1 };
    expect(rest).toMatchObject({ gone: expect.arrayContaining([gone]) as unknown });
  });

  it('refuses a line without a row and a file that nobody added', async () => {
    const blank = await box.run(['trace', '--forward', '--file', 'a.jsonl', '--line', '1']);
    expect({ status: blank.status, stderr: blank.stderr }).toEqual({
      status: 2,
      stderr: 'error: a.jsonl:1 holds no row\n',
    });
    await box.write('other.jsonl', '{"a":1}\n');
    expect((await box.run(['trace', '--forward', '--file', 'other.jsonl', '--line', '1'])).status).toBe(2);
  });

  it('refuses the line of a file that is not kept line by line, and says how to name the row', async () => {
    const { status, stdout, stderr } = await box.run(['trace', '--forward', '--file', 'c.csv', '--line', '2']);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe(
      'error: c.csv is not kept line by line, so --line cannot say which row is meant\n' +
        'hint: name the row: holdout trace --forward c@1 --row N\n',
    );
  });
});

describe('why --dropped', () => {
  it('names step and rule of every row, as the rows themselves say', async () => {
    const all = as.flatMap((_, i) => ['--row', String(i + 1)]);
    const { rows } = await box.json<Why>(['why', 'mix', '--dropped', ...all]);
    expect(rows).toHaveLength(50);
    for (const { row, stays, dropped } of rows) {
      const { text: value } = as[row]!;
      const length = value?.length ?? -1;
      const rule = row >= 45 ? 'duplicates' : value === null ? 'null' : length <= 2 ? 'false' : null;
      expect([row, dropped[0]?.rule ?? null, stays.length]).toEqual([row, rule, rule === null ? 1 : 0]);
      if (row >= 45) expect(dropped[0]).toMatchObject({ transform: 'dedupe@1', stays: row - 45 });
    }
  });

  it('is asked without --dropped too, and says whose rows were counted where several sources give rows', async () => {
    const short = await box.run(['why', 'mix', '--row', '46']);
    expect(short).toMatchObject({
      status: 0,
      stderr: 'note: these are rows of a@1; --from asks of another: b@1\n',
      stdout: expect.stringMatching(/^a@1 row 46: .*\n {2}dropped by dedupe@1 /) as string,
    });
    expect((await box.run(['why', 'mix', '--from', 'a', '--row', '46'])).stderr).toBe('');
    expect((await box.run(['why', 'fa', '--row', '46'])).stderr).toBe('');
  });

  it.each([
    [['trace'], 'no version was named, so nothing says whose rows are meant'],
    [['trace', '--forward'], 'no version was named, so nothing says whose rows are meant'],
    [['trace', 'a', '--row', '1', '--where', 'true'], 'give one of --row N and --where PREDICATE'],
    [['trace', 'a', '--row', '1', '--file', 'a.jsonl'], '--file and --line go with --forward'],
    [['trace', '--forward', '--line', '3'], '--line needs --file FILE'],
    [
      ['trace', 'a', '--forward', '--row', '1', '--file', 'a.jsonl', '--line', '3'],
      'rows are named by NAME with --row or --where, or by --file with --line',
    ],
    [
      ['why', 'fa', '--summary', '--row', '1'],
      '--summary tells of every step, --row and --where of rows: give one of them',
    ],
    [['why', 'fa', '--from', 'a'], '--from needs --row N or --where PREDICATE'],
    [['why', 'fa', '--limit', '3'], '--limit needs --row N or --where PREDICATE'],
    [['reproduce', 'fa', '--from-raw', 'nowhere.jsonl'], 'nowhere.jsonl: no such file'],
  ])('options that would not be heard are refused: %j', async (args, says) => {
    const { status, stdout, stderr } = await box.run(args);
    expect({ status, stdout, says: stderr.split('\n')[0] }).toEqual({ status: 2, stdout: '', says: `error: ${says}` });
  });

  it('sums up a join by the rows of its input, not by those that it takes values of', async () => {
    const step = 'join: {dataset: b, on: id, columns: [{column: text, as: other}], on_missing: keep}';
    await box.told(['transform', 'a', 'joined', '--step', step]);
    const { steps } = await box.json<{ steps: unknown[] }>(['why', 'joined']);
    expect(steps).toMatchObject([{ transform: 'join@1', rowsBefore: 50, beside: [], rows: 50 }]);
  });

  it('tells rows that another dataset gives apart from those of the input', async () => {
    await box.told(['transform', 'a', 'both', '--step', 'concat: {with: [b]}']);
    const { steps } = await box.json<{ steps: { rows: number }[] }>(['why', 'both']);
    const rows = steps[0]!.rows - 50;
    expect(steps).toMatchObject([{ transform: 'concat@1', rowsBefore: 50, beside: [{ name: 'b@1', rows }] }]);
    expect(await box.told(['why', 'both'])).toContain(`concat@1 → both@1: 50 and ${rows} of b@1 → ${rows + 50} `);
  });

  it('sums up without running anything', async () => {
    const { stdout } = await box.run(['why', 'mix', '--dropped']);
    expect(stdout).toMatch(/^2\. dedupe@1: 50 → 45 \(5 duplicates\)/m);
    expect(stdout).toMatch(/^3\. filter@1 → fa@1: 45 → \d+ \(\d+ false, 5 null\)/m);
  });
});
