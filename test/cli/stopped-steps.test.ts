/**
 * Steps that are stopped in the middle, as real processes: by a signal, by a full disk, by another process on the same
 * name. What was there is there, nothing half-made is, no program of the step goes on, and the next run works.
 * @module
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const rows = Array.from({ length: 6000 }, (_, id) => ({
  id,
  text: `row ${id} ${(id * 2654435761) >>> 0}`.repeat(20),
  words: ['a', 'b'],
}));

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({
    'd.jsonl': lines(rows),
    'waits.mjs': `import { writeFileSync } from 'node:fs';
export default (row) => {
  if (row.id === 5000) {
    writeFileSync('started', String(process.pid));
    for (;;);
  }
  return { ...row, more: 1 };
};`,
  });
  await box.run(['init']);
  await box.json(['add', 'd', 'd.jsonl']);
});
afterAll(() => box.remove());

/** Names, versions and every stored file. */
async function stateOf(): Promise<unknown> {
  // A store that is opened removes what dead processes left.
  const ls = await box.json(['ls']);
  const root = join(box.folder, '.holdout');
  const folders = ['journal', 'parts', 'digests', 'tmp'];
  const files = await Promise.all(folders.map((folder) => readdir(join(root, folder), { recursive: true })));
  return { ls, files: files.map((names) => names.toSorted()) };
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

/** No file may grow past so many kilobytes, which fails a write as a disk without room does; Node ignores its signal. */
const limited = (kilobytes: number, args: readonly string[]) =>
  spawnSync('bash', ['-c', `ulimit -f ${kilobytes}; exec "$0" "$@"`, process.execPath, main, ...args], {
    cwd: box.folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: box.folder },
    encoding: 'utf8',
  });

describe('a step in the middle of its rows', () => {
  it.each([
    ['command', 'SIGINT', 130, 'command: {run: "head -c 9; echo $$ > started; exec sleep 600", deterministic: false}'],
    ['command', 'SIGTERM', 143, 'command: {run: "head -c 9; echo $$ > started; exec sleep 600", deterministic: false}'],
    ['command', 'SIGKILL', null, 'command: {run: "echo $$ > started; exec sleep 600", deterministic: false}'],
    ['command', 'SIGKILL', null, 'command: {run: "sleep 600 & echo $! > started; wait", deterministic: false}'],
    [
      'command',
      'SIGKILL',
      null,
      'command: {run: [node, -e, "fs.writeFileSync(`started`, `${process.pid}`); for (;;);"], deterministic: false}',
    ],
    ['module', 'SIGINT', 130, 'module: {path: waits.mjs, timeout_ms: 600000, deterministic: false}'],
    ['module', 'SIGKILL', null, 'module: {path: waits.mjs, timeout_ms: 600000, deterministic: false}'],
  ] as const)('of a %s is ended by %s and leaves nothing', async (_, signal, status, step) => {
    const before = await stateOf();
    const child = box.start(['transform', 'd', 'out', '--step', step]);
    child.stdin.end();
    const closed = once(child, 'exit');
    const started = join(box.folder, 'started');
    while (!existsSync(started) || readFileSync(started, 'utf8') === '') await sleep(10);
    const pid = Number(readFileSync(started, 'utf8'));
    // It may have been started before Holdout could say that it is to be watched.
    await sleep(signal === 'SIGKILL' ? 500 : 0);
    child.kill(signal);
    expect((await closed)[0]).toBe(status);
    // What is killed ends its programs no more: they see it themselves, or the one that watches them does.
    for (let n = signal === 'SIGKILL' ? 100 : 0; n > 0 && lives(pid); n--) await sleep(50);
    expect(lives(pid)).toBe(false);
    expect(await stateOf()).toEqual(before);
    await rm(started);
  });
});

describe.runIf(process.platform === 'linux')('a disk that is full', () => {
  it.each([
    ['rows', 'shuffle: {seed: 1}', 4],
    ['columns', `derive: {columns: {more: "text || 'x'"}}`, 100],
    ['a table', 'explode: {column: words}', 100],
    ['a query', 'sql: {query: "SELECT text, id + 1 AS n FROM input"}', 100],
    ['a module', 'module: {path: more.mjs}', 100],
    ['a command', 'command: {run: cat}', 100],
  ])('fails a step that makes %s, with the path, and leaves nothing', async (_, step, kilobytes) => {
    await box.write('more.mjs', 'export default (row) => ({ ...row, more: row.text });');
    const before = await stateOf();
    const outcome = limited(kilobytes, ['transform', 'd', 'out', '--step', step]);
    expect(outcome).toMatchObject({ status: 5, stdout: '' });
    // A command that is cut off may say so itself before.
    expect(outcome.stderr).toMatch(/^error: .*[\\/]\.holdout[\\/]tmp[\\/].*(EFBIG|File too large)/m);
    expect(await stateOf()).toEqual(before);
  });
});

describe('a store after that', () => {
  it('is intact and takes the steps', async () => {
    expect(await box.json(['verify', '--read-data'])).toMatchObject({ ok: true });
    expect(await box.json(['transform', 'd', 'out', '--step', 'explode: {column: words}'])).toMatchObject({
      rows: 12_000,
    });
  });
});

describe('a command over many short rows', () => {
  it('that fails after half of them says so, and leaves nothing', async () => {
    await box.write('short.jsonl', '{"a":1}\n'.repeat(200_000));
    await box.json(['add', 'short', 'short.jsonl']);
    const before = await stateOf();
    const outcome = await box.run(['transform', 'short', 'out2', '--step', 'command: {run: "head -100000; exit 1"}']);
    expect(outcome).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: holdout\/command: .*head -100000; exit 1.* ended with exit code 1\n/,
      ) as string,
    });
    expect(await stateOf()).toEqual(before);
  });
});

describe('the leak check over rows in another order', () => {
  it('gives one report with 1 and 8 threads', async () => {
    await box.write(
      'eval.jsonl',
      lines([{ question: rows[4321]?.text }, { question: 'nowhere to be found at all in there' }]),
    );
    await box.json(['transform', 'd', 'shuffled', '--step', 'shuffle: {seed: 3}']);
    const reports = await Promise.all(
      ['1', '8'].map((threads) =>
        box.run(['check', 'shuffled', '--against', 'eval.jsonl', '--no-save', '--json'], {
          env: { HOLDOUT_THREADS: threads },
        }),
      ),
    );
    expect(reports[0]).toMatchObject({ status: 1 });
    expect(reports[1]).toEqual(reports[0]);
  });
});

describe('three processes on one name', () => {
  it('each make a version, one after the other', async () => {
    const steps = ['head: {n: 5}', 'skip: {n: 5}', "derive: {columns: {x: 'id + 1'}}"];
    const outcomes = await Promise.all(
      steps.map((step) => box.run(['transform', 'd', 'both', '--step', step, '--json'])),
    );
    expect(outcomes.map(({ status }) => status)).toEqual([0, 0, 0]);
    const versions = outcomes.map(({ stdout }) => (JSON.parse(stdout) as { version: number }).version);
    expect(versions.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(await box.json(['verify', '--read-data'])).toMatchObject({ ok: true });
  });
});
