import { afterAll, beforeAll, expect, it } from 'vitest';
import { commands } from '../../dist/cli/command-table.js';
import type { Outcome } from './command-server.js';
import { Sandbox, lines } from './run-cli.js';

const question = 'Which of the seven rivers of the old country is said to rise in a cave below the northern hills?';
const files = {
  'train.jsonl': lines([{ text: 'A walk along the harbour.' }, { text: `Question: ${question}` }, { text: 'Rain.' }]),
  'held.jsonl': lines([{ question, answer: 'The third one.' }]),
  'model/config.json': '{}',
  'holdout.yaml':
    'version: 1\ndatasets:\n  raw: { files: [train.jsonl] }\n  made: { from: raw, steps: [{ head: { n: 2 } }] }\n',
};

/** Every command, in an order in which each finds what it needs, and every way to end. */
const session: readonly (readonly [status: number, words: string, last?: string])[] = [
  [5, 'ls'],
  [0, 'init'],
  [0, 'id train.jsonl'],
  [0, 'add train train.jsonl --role train'],
  [0, 'add held held.jsonl --role eval'],
  [0, 'ls'],
  [0, 'show train'],
  [2, 'show absent'],
  [0, 'status'],
  [0, 'cat train'],
  [0, 'diff train held --stat'],
  [1, 'diff train held --exit-code'],
  [0, 'transforms head'],
  [0, 'transform train few --step', 'head: {n: 2}'],
  [0, 'run'],
  [0, 'lineage few'],
  [0, 'trace few --row 1'],
  [0, 'why few'],
  [0, 'sql', 'SELECT count(*) AS n FROM few'],
  [0, 'export few --to few.parquet'],
  [1, 'check train --against held'],
  [0, 'remove train --hits', '<report>'],
  [0, 'pin model --train few --eval held'],
  [0, 'reproduce few'],
  [0, 'drop few --dry-run'],
  [0, 'verify --read-data'],
  [0, 'compact --dry-run'],
  [0, 'log'],
  [2, 'lss'],
];

let served: Sandbox;
let alone: Sandbox;
beforeAll(async () => {
  [served, alone] = [await Sandbox.make(files), await Sandbox.make(files)];
});
afterAll(async () => {
  await served.remove();
  await alone.remove();
});

/** What a command said, without its folder and the time. */
const said = (box: Sandbox, { status, stdout, stderr }: Outcome): Outcome => {
  const plain = (text: string): string =>
    text.replaceAll(box.folder, '.').replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.]+(Z| UTC)?|\bin \d+ m?s\b/g, 'TIME');
  return { status, stdout: plain(stdout), stderr: plain(stderr) };
};

// The other tests run most commands in one process, one after the other.
it('each command says and does in a process of its own what it does after others', { timeout: 240_000 }, async () => {
  expect(new Set(session.map(([, words]) => words.split(' ')[0]))).toEqual(
    new Set([...commands.map(({ name }) => name), 'lss']),
  );
  let report = '';
  for (const [status, words, last] of session) {
    const args = [...words.split(' '), ...(last === undefined ? [] : [last.replace('<report>', report)])];
    const line = args.join(' ');
    const own = said(alone, await alone.run(args, { ownProcess: true }));
    report = /^Report (\w+) is kept/m.exec(own.stdout)?.[1] ?? report;
    expect({ line, ...own }).toMatchObject({ line, status });
    expect({ line, ...said(served, await served.run(args)) }).toEqual({ line, ...own });
  }
});
