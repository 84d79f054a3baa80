import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LeakReport } from '../../dist/schemas/leak-report.js';
import { Sandbox, lines } from './run-cli.js';

const river = 'Which river flows through Vienna and Budapest before it reaches the Black Sea?';
const metal = 'Which metal is liquid at room temperature and was long used in thermometers?';
const items = [
  { question: river, answer: 'The Danube' },
  { question: metal, answer: 'Mercury' },
];
const clean = [{ text: 'A walk along the harbour.' }, { text: 'How to repot a cactus in spring.' }];
const leaking = [...clean, { text: `Quiz night! ${river} The Danube.` }];

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({
    'clean.jsonl': lines(clean),
    'train.jsonl': lines(leaking),
    'eval.jsonl': lines(items),
    'empty.jsonl': '',
    'symbols.jsonl': lines([{ question: '( [ ( ] { } ) < > ) ] [ (' }]),
    'numbers.jsonl': lines([{ tokens: [1, 2, 3] }]),
    'second.jsonl': lines([{ question: metal }]),
    'other.jsonl': lines([{ q: river, a: 'The Danube' }]),
    'parts/one.jsonl': lines(clean),
    'parts/two.jsonl': lines(leaking),
  });
});
afterAll(async () => box.remove());

const check = async (args: readonly string[], status: number): Promise<LeakReport> =>
  box.json<LeakReport>(['check', ...args], status);

describe('a check of plain files', () => {
  it('says first what it found, and where it came from', async () => {
    const { status, stdout } = await box.run(['check', 'train.jsonl', '--against', 'eval.jsonl']);
    expect(status).toBe(1);
    const [first = ''] = stdout.split('\n');
    expect(first).toMatch(/^LEAK: /);
    expect(first).toContain('2 of 2 checked');
    expect(stdout).toContain('eval.jsonl: 1 of 2 items leaked');
    expect(stdout).toContain('leak  eval.jsonl:1 in train.jsonl:3 ');
    expect(stdout).toContain('Not covered:\n  - paraphrases');
  });

  it('reads CSV with types that are inferred or declared, as add does', async () => {
    await box.write('typed.csv', `n,question\n1,${river}\n`);
    await box.write('typed.jsonl', lines([{ n: 1, question: river }]));
    const typed = await box.json<{ schema: string }>(['id', 'typed.jsonl']);
    for (const how of [['--infer'], ['--schema', 'n BIGINT, question VARCHAR']]) {
      const { trains, hits } = await check(['typed.csv', '--against', 'typed.jsonl', ...how], 1);
      expect(trains[0]?.schema).toBe(typed.schema);
      expect(hits.map(({ class: named }) => named)).toContain('row-equal');
    }
    const { hits } = await check(['typed.csv', '--against', 'typed.jsonl'], 1);
    expect(hits.map(({ class: named }) => named)).not.toContain('row-equal');
  });

  it('ends with 0 where it is clean', async () => {
    const { status, stdout } = await box.run(['check', 'clean.jsonl', '--against', 'eval.jsonl']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^CLEAN: no training row holds half of any question/);
  });

  it('ends with 3 where rows have no text, or with 0 if that is allowed', async () => {
    const report = await check(['numbers.jsonl', '--against', 'eval.jsonl'], 3);
    expect(report).toMatchObject({ verdict: 'incomplete', trains: [{ unreadable: 1 }] });
    await check(['numbers.jsonl', '--against', 'eval.jsonl', '--allow-incomplete'], 0);
  });

  it('does not call an empty training set clean', async () => {
    const { status, stdout } = await box.run(['check', '-', '--against', 'eval.jsonl'], { stdin: '' });
    expect(status).toBe(3);
    expect(stdout).toMatch(/^INCOMPLETE: -: no rows to check/);
    const beside = await check(['clean.jsonl', 'empty.jsonl', '--against', 'eval.jsonl'], 3);
    expect(beside).toMatchObject({ verdict: 'incomplete', trains: [{ rows: 2 }, { rows: 0 }] });
  });

  it('writes its report over no other file than a report', async () => {
    const over = await box.run(['check', 'train.jsonl', '--against', 'eval.jsonl', '-o', 'second.jsonl']);
    expect(over.status).toBe(2);
    expect(over.stderr).toContain('second.jsonl exists and is no leak report');
    expect(await readFile(join(box.folder, 'second.jsonl'), 'utf8')).toBe(lines([{ question: metal }]));
    await check(['train.jsonl', '--against', 'eval.jsonl', '-o', 'again.json'], 1);
    await check(['clean.jsonl', '--against', 'eval.jsonl', '-o', 'again.json'], 0);
    expect(JSON.parse(await readFile(join(box.folder, 'again.json'), 'utf8'))).toMatchObject({ verdict: 'clean' });
  });

  it('says what is not done for items of symbols alone', async () => {
    const report = await check(['clean.jsonl', '--against', 'symbols.jsonl'], 0);
    expect(report.guarantee.doesNotSay.join()).toContain('1 question of symbols alone');
  });

  it('prints the report as documented', async () => {
    const report = await check(['train.jsonl', '--against', 'eval.jsonl'], 1);
    expect(Object.keys(report)).toEqual([
      'format',
      'verdict',
      'method',
      'trains',
      'evals',
      'hits',
      'notes',
      'guarantee',
    ]);
    expect(report).toMatchObject({
      format: 'holdout/leak-report@1',
      trains: [{ name: 'train.jsonl', rows: 3, unreadable: 0 }],
      evals: [{ name: 'eval.jsonl', items: 2, checked: 2, uncheckable: 0, leaked: 1 }],
      hits: [
        {
          eval: 'eval.jsonl',
          item: { row: 0, source: { file: 'eval.jsonl', line: 1 } },
          leak: true,
          source: { file: 'train.jsonl', line: 3 },
        },
      ],
    });
    expect(JSON.stringify(report)).not.toContain('Danube');
  });

  it('takes a folder, a quoted glob and standard input as one set each', async () => {
    const folder = await check(['parts', '--against', 'eval.jsonl'], 1);
    const glob = await check(['parts/*.jsonl', '--against', 'eval.jsonl'], 1);
    expect([folder.trains[0]?.rows, glob.trains[0]?.rows]).toEqual([5, 5]);
    expect(folder.hits[0]?.source).toEqual({ file: join('parts', 'two.jsonl'), line: 3 });
    const piped = await box.run(['check', '-', '--against', 'eval.jsonl'], { stdin: lines(leaking) });
    expect(piped.status).toBe(1);
    const several = await check(['clean.jsonl', 'train.jsonl', '--against', 'eval.jsonl', 'second.jsonl'], 1);
    expect([several.trains.length, several.evals.length]).toEqual([2, 2]);
  });

  it('takes the columns that it is told, and says where they do not apply', async () => {
    const args = ['check', 'train.jsonl', '--against', 'other.jsonl', 'eval.jsonl', '--fields', 'question=q,answer=a'];
    const { status, stdout, stderr } = await box.run(args);
    expect(status).toBe(1);
    expect(stdout).toContain('(question=q, answer=a)');
    expect(stderr).toContain('does not apply to eval.jsonl');
    const wrong = await box.run(['check', 'train.jsonl', '--against', 'eval.jsonl', '--fields', 'question=nope']);
    expect(wrong).toMatchObject({ status: 2, stdout: '' });
    const role = await box.run(['check', 'train.jsonl', '--against', 'eval.jsonl', '--fields', 'questoin=q']);
    expect(role.stderr).toContain('did you mean question=…?');
  });

  it('shows the texts when asked, shared words marked, and the queries', async () => {
    const args = ['check', 'train.jsonl', '--against', 'eval.jsonl', '--evidence', '--explain'];
    const { stdout, stderr } = await box.run(args);
    expect(stdout).toContain(`eval   «${river.slice(0, -1)}»?`);
    expect(stdout).toContain(`train  Quiz night! «${river.slice(0, -1)}»?`);
    expect(stderr).toMatch(/SELECT/);
  });

  it('writes the report to a file', async () => {
    const report = await check(['train.jsonl', '--against', 'eval.jsonl', '-o', 'report.json'], 1);
    expect(JSON.parse(await readFile(join(box.folder, 'report.json'), 'utf8'))).toEqual(report);
  });

  it.each([
    [['check', 'nope.jsonl', '--against', 'eval.jsonl'], 'nope.jsonl: no such file or folder'],
    [['check', 'train.jsonl', 'train.jsonl', '--against', 'eval.jsonl'], 'train.jsonl stands twice'],
    [['check', '-', '--against', '-'], 'standard input (-) can be read once only'],
    [['check', 'train.jsonl', '--against', 'eval.jsonl', '--save'], 'no store here'],
    [['check', 'train.jsonl', '--against', 'eval.jsonl', '--fail-on', 'x'], '--fail-on takes leak or suspect'],
    [['check', '--all', '--against', 'eval.jsonl'], 'hint: `holdout init`'],
  ])('refuses %j', async (args, message) => {
    const { status, stdout, stderr } = await box.run(args);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect([2, 5]).toContain(status);
  });
});

describe('a check in a store', () => {
  beforeAll(async () => {
    await box.run(['init']);
    await box.json(['add', 'sft', 'clean.jsonl', '--role', 'train']);
    await box.json(['add', 'sft', 'train.jsonl']);
    await box.json(['add', 'quiz', 'eval.jsonl', '--role', 'eval']);
  });

  it('keeps the report, and traces hits to the file that was added', async () => {
    const report = await box.json<LeakReport & { id: string }>(['check', 'sft', '--against', 'quiz'], 1);
    expect(report).toMatchObject({
      trains: [{ name: 'sft@2' }],
      evals: [{ name: 'quiz@1' }],
      hits: [{ source: { file: 'train.jsonl', line: 3 } }],
    });
    const { entries } = await box.json<{ entries: unknown[] }>(['log', '--limit', '1']);
    expect(entries).toMatchObject([{ op: 'report', report: report.id }]);
  });

  it('keeps no report of plain files alone, unless asked', async () => {
    const args = ['clean.jsonl', '--against', 'eval.jsonl'];
    expect(await check(args, 0)).not.toHaveProperty('id');
    expect(await check([...args, '--save'], 0)).toHaveProperty('id');
  });

  it('mixes files and snapshots, and checks every training version with --all', async () => {
    await check(['sft@1', '--against', 'quiz'], 0);
    await check(['train.jsonl', '--against', 'quiz@1', '--no-save'], 1);
    const all = await check(['--all', '--against', 'eval.jsonl'], 1);
    expect(all.trains.map(({ name, leakedRows }) => [name, leakedRows])).toEqual([
      ['sft@1', 0],
      ['sft@2', 1],
    ]);
  });

  it('takes an existing file before a snapshot of its name, says so, and takes a version that is named', async () => {
    await box.write('sft', lines(clean));
    expect((await check(['sft', '--against', 'quiz'], 0)).trains[0]?.name).toBe('sft');
    expect((await check(['sft@2', '--against', 'quiz'], 1)).trains[0]?.name).toBe('sft@2');
    const { stderr } = await box.run(['check', 'sft', '--against', 'quiz']);
    expect(stderr).toContain('"sft" is read as the file or folder of that name; sft@1, … name the dataset');
  });

  it('suggests the dataset that was meant', async () => {
    const { status, stderr } = await box.run(['check', 'sft', '--against', 'quizz']);
    expect(status).toBe(2);
    expect(stderr).toContain('did you mean quiz?');
  });
});
