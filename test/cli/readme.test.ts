import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { commands } from '../../dist/cli/command-table.js';
import { exitMeaning } from '../../dist/cli/exit-codes.js';
import { Sandbox, lines } from './run-cli.ts';

const question =
  'A robe takes 2 bolts of blue fiber and half that much white fiber. How many bolts does it take in total?';

let readme: string;
let box: Sandbox;
beforeAll(async () => {
  readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  box = await Sandbox.make({
    'train.jsonl': lines([{ text: 'Nothing to see here.' }, { text: `Q: ${question} A: It takes 3 bolts.` }]),
    'gsm8k-test.jsonl': lines([{ question, answer: 'It takes 1 + 2 = 3 bolts.' }]),
    'my-model/config.json': '{}',
  });
});
afterAll(async () => box.remove());

/** First cells of the table that begins with this heading. */
function firstCells(heading: string): string[] {
  const rows = readme.slice(readme.search(new RegExp(`^\\| ${heading} +\\|`, 'm'))).split('\n\n', 1)[0] ?? '';
  return rows
    .split('\n')
    .slice(2)
    .map((row) => row.split(/(?<!\\)\|/)[1]?.trim() ?? '');
}

it('README lists every command, and no other', () => {
  const named = firstCells('command').flatMap((cell) => [...cell.matchAll(/`([a-z]+)/g)].map(([, name = '']) => name));
  expect(named.toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
});

it('README lists the exit statuses as help does', () => {
  for (const [code, meaning] of exitMeaning) {
    expect(readme).toMatch(new RegExp(`^\\| ${code} +\\| ${meaning.replaceAll(/[|/.]/g, '\\$&')} +\\|$`, 'm'));
  }
  expect(firstCells('code')).toEqual(exitMeaning.map(([code]) => String(code)));
});

/** The `holdout` lines of shell blocks. */
function typedIn(text: string): string[] {
  const written = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block = '']) => block.split('\n'));
  return written.filter((line) => line.startsWith('holdout ')).map((line) => line.replace(/ +#.*$/, ''));
}

it("README's first minute works as it is written", async () => {
  const typed = typedIn(readme.slice(0, readme.indexOf('\n## A pipeline\n')));
  expect(typed.length).toBeGreaterThan(8);
  let report = '';
  let removed = false;
  for (const line of typed) {
    const [, ...args] = line.replace('<report id>', report).split(' ');
    const { status, stdout, stderr } = await box.run(args);
    report = /^Report (\w+) is kept/m.exec(stdout)?.[1] ?? report;
    removed ||= args[0] === 'remove';
    // The training set leaks until the leak is removed.
    expect({ line, status, stderr }).toEqual({ line, status: args[0] === 'check' && !removed ? 1 : 0, stderr: '' });
  }
});

it("README's pipeline works as it is written", async () => {
  const section = readme.slice(readme.indexOf('\n## A pipeline\n')).split('\n## ', 2)[1] ?? '';
  const [, pipeline = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(section) ?? [];
  const pipelineBox = await Sandbox.make({
    'holdout.yaml': pipeline,
    'data/alpaca.json': JSON.stringify([
      { instruction: 'Name a colour.', output: 'Blue is a colour that many people like.' },
      { instruction: 'Name a colour.', output: 'Green.' },
    ]),
    'gsm8k-test.jsonl': lines([{ question, answer: 'It takes 1 + 2 = 3 bolts.' }]),
  });
  try {
    const typed = typedIn(section);
    expect(typed).toHaveLength(4);
    for (const line of typed) {
      const { status, stderr } = await pipelineBox.run(line.split(' ').slice(1));
      expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: '' });
    }
  } finally {
    await pipelineBox.remove();
  }
});
