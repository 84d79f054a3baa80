import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { HoldoutError } from '../../dist/src/errors.js';
import { OwnSteps } from './own-steps.js';

const rows = Array.from({ length: 1500 }, (_, n) => ({ n, text: `row ${n}` }));
/** A filter in JavaScript, so that the tests need no other interpreter; `line` makes the output of a row. */
const filter = (line: string): string => `import { createInterface } from 'node:readline';
for await (const text of createInterface({ input: process.stdin })) {
  const row = JSON.parse(text);
  ${line}
}
`;
const upper = filter(`if (row.n % 5 === 3) continue;
  row.text = row.text.toUpperCase();
  console.log(JSON.stringify(row));`);
const node = process.execPath;
const run = (more: object = {}): string => JSON.stringify({ command: { run: [node, 'clean.mjs'], ...more } });
const shell = (line: string, more: object = {}): string => JSON.stringify({ command: { run: line, ...more } });

let project: OwnSteps;
afterEach(async () => project.remove());
const make = async (script: string, data: readonly unknown[] = rows): Promise<void> => {
  project = await OwnSteps.make(data, { 'clean.mjs': script });
};
const failure = (yaml: string): Promise<HoldoutError> => project.failure(yaml);

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a command', () => {
  it('is given rows and gives rows; which is made of which is not known', async () => {
    await make(upper);
    const { rowsOut, realisation, step } = await project.take(run());
    const kept = rows.filter(({ n }) => n % 5 !== 3);
    expect(rowsOut).toEqual(kept.map((row) => ({ ...row, text: row.text.toUpperCase() })));
    expect(realisation.origins).toBe('unknown');
    expect(step.says).toContain('nothing vouches for it');
    expect((await project.reproduce()).state).toBe('same');
    expect((await project.reproduce('out', false)).state).toBe('cannot-tell');
  });

  it('that passes row numbers on is traced to the lines; dropped, repeated and reordered rows are counted', async () => {
    await make('', rows.slice(0, 10));
    const reversing = shell(`sed '$d' | sed '$d' | tac`, { carry: true });
    const { rowsOut, counts } = await project.take(reversing);
    expect(rowsOut).toEqual(rows.slice(0, 8).toReversed());
    expect(counts).toEqual({ dropped: 2, repeated: 0, reordered: 7 });
    expect(await project.linesOf('out')).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    const { counts: doubled } = await project.take(shell(`sed p`, { carry: true }), { to: 'doubled' });
    expect(doubled).toEqual({ dropped: 0, repeated: 10, reordered: 0 });
  });

  it('may stop reading before the end', async () => {
    await make('');
    const { rowsOut } = await project.take(shell('head -n 3'));
    expect(rowsOut).toEqual(rows.slice(0, 3));
  });

  it('takes more rows than fit any pipe, both ways', async () => {
    await make(
      '',
      Array.from({ length: 2000 }, (_, n) => ({ n, text: 'x'.repeat(2000) })),
    );
    const { rowsOut } = await project.take(shell(`sed p`));
    expect(rowsOut).toHaveLength(4000);
  });

  it('keeps exact values, and holds its output against declared columns', async () => {
    await make('', ['{"big":9007199254740993,"text":"a"}']);
    await project.take(shell('cat'));
    expect(await project.workspace.lines('out', true)).toEqual(['{"big":9007199254740993,"text":"a"}']);
    const schema = [
      { name: 'text', type: 'VARCHAR' },
      { name: 'big', type: 'DECIMAL(38,0)' },
    ];
    await project.take(shell('cat', { schema }), { to: 'declared' });
    expect(await project.workspace.lines('declared', true)).toEqual(['{"text":"a","big":9007199254740993}']);
    const other = await failure(shell('cat', { schema: [{ name: 'text', type: 'VARCHAR' }] }));
    expect(other).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining("command's output") });
  });
});

describe('the identity of a command', () => {
  it('is its line, the files declared and what the fingerprint prints', async () => {
    await make(upper, rows.slice(0, 5));
    await project.write('version.txt', 'one');
    const declared = run({ files: ['clean.mjs'], fingerprint: 'cat version.txt' });
    const { derivation, step } = await project.take(declared);
    expect(derivation.code).toMatchObject({ files: [{ path: 'clean.mjs' }], unvouched: [] });
    expect(step.says).not.toContain('vouches');
    expect(await project.take(declared)).toMatchObject({ reused: true });
    await project.write('version.txt', 'two');
    expect(await project.take(declared)).toMatchObject({ reused: false });
    await project.write('clean.mjs', upper.replace('Upper', 'Lower'));
    expect(await project.take(declared)).toMatchObject({ reused: false });
  });

  it('fails with a declared file that is not there, or a fingerprint that fails', async () => {
    await make(upper, rows.slice(0, 5));
    expect(await failure(run({ files: ['gone.txt'] }))).toMatchObject({ code: 'NOT_FOUND' });
    expect((await failure(run({ fingerprint: 'exit 3' }))).message).toContain('ended with exit code 3');
  });
});

describe('a command that fails', () => {
  it.each([
    ['head -n 700; echo bad news >&2; exit 1', {}, /ended with exit code 1; the end of what it said:\nbad news/],
    ['head -n 700; echo oops', {}, /command's output, line 701.*no JSON object/],
    ['kill -9 $$', {}, /was ended by SIGKILL/],
    ['cat; sleep 30', { timeout_s: 1, deterministic: false }, /longer than 1 s/],
    [`sed 's/"_row":[0-9]*,//'`, { carry: true }, /line 1 of the command's output has no "_row"/],
  ])('%s: says how, and registers nothing', async (line, more, says) => {
    await make('');
    const error = await failure(shell(line, more));
    expect(error.message).toMatch(says);
    expect(['INPUT_INVALID', 'LIMIT']).toContain(error.code);
  });

  it('for want of a program says so', async () => {
    await make('');
    const error = await failure(JSON.stringify({ command: { run: ['no-such-program'] } }));
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('"no-such-program"') });
  });

  it('is refused where a column has the name of the row number', async () => {
    await make('', [{ _row: 1 }]);
    expect((await failure(shell('cat', { carry: true }))).code).toBe('USAGE');
  });

  it('ends with all that it started when it is interrupted', async () => {
    await make('');
    const controller = new AbortController();
    const mark = `${project.workspace.folder}/pid`;
    const line = `sh -c 'echo $$ > ${mark}; sleep 100' & wait`;
    const taking = project.take(shell(line, { deterministic: false }), { signal: controller.signal });
    let pid = 0;
    while (pid === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      pid = Number(await readFile(mark, 'utf8').catch(() => '0'));
    }
    controller.abort();
    await expect(taking).rejects.toMatchObject({ code: 'INTERRUPTED' });
    // Gone as soon as the system has buried it; a survivor would let this test run out of time.
    while (isThere(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
  });
});

describe('a command that is not deterministic', () => {
  it.each([
    ['time', filter('console.log(JSON.stringify({ ...row, at: Math.floor(Date.now() / 1000) }));'), 'at'],
    ['the date', filter('console.log(JSON.stringify({ ...row, on: new Date().toLocaleString("sv") }));'), 'on'],
    ['chance', filter('console.log(JSON.stringify({ ...row, x: Math.random() }));'), 'x'],
  ])('is found out: %s', async (_, script, column) => {
    await make(script);
    const error = await failure(run());
    expect(error.code).toBe('NOT_DETERMINISTIC');
    expect(error.message).toContain(`column "${column}" of row 1 `);
  });

  it('is run once where it is declared so, and its output kept', async () => {
    await make(filter('console.log(JSON.stringify({ ...row, x: Math.random() }));'), rows.slice(0, 9));
    const { table } = await project.take(run({ deterministic: false }));
    expect(await project.take(run({ deterministic: false }))).toMatchObject({ reused: true, table });
    expect(await project.reproduce('out', false)).toMatchObject({ state: 'same' });
  });
});
