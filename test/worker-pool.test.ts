import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WorkerPool } from '../dist/src/worker-pool.js';

const from = (path: string): string => JSON.stringify(new URL(`../dist/src/${path}`, import.meta.url).href);

/** A pool whose threads do what `prepare` makes of the settings. */
async function poolOf<Task, Done>(prepare: string, settings: unknown = null): Promise<WorkerPool<Task, Done>> {
  const folder = await mkdtemp(join(tmpdir(), 'holdout-pool-'));
  const path = join(folder, 'thread.mjs');
  const imports = `import { answerTasks } from ${from('worker-pool.js')};\nimport { HoldoutError } from ${from('errors.js')};\n`;
  await writeFile(path, `${imports}import fs from 'node:fs';\nanswerTasks(${prepare});\n`);
  const pool = new WorkerPool<Task, Done>({ module: pathToFileURL(path), settings, threads: 3, does: 'counts' });
  onTestFinished(async () => {
    await pool.close();
    await rm(folder, { recursive: true });
  });
  return pool;
}

describe('threads', () => {
  it('give results in the order of the tasks, whichever ends first', async () => {
    const slow =
      '({ plus }) => (n) => { for (const end = Date.now() + (n % 4) * 9; Date.now() < end; ); return n + plus; }';
    const pool = await poolOf<number, number>(slow, { plus: 100 });
    const tasks = Array.from({ length: 30 }, (_, n) => n);
    const seen: number[] = [];
    for await (const { done } of pool.runAll(tasks, (n) => pool.run(n))) seen.push(done);
    expect(seen).toEqual(tasks.map((n) => n + 100));
    expect(await pool.runOnAll(1)).toEqual([101, 101, 101]);
  });

  it('hand over an error with its code, place and hint, and go on', async () => {
    const refuse = `() => (n) => {
      if (n === 1) throw new HoldoutError('INPUT_INVALID', 'one is odd', { file: 'a', line: 3, hint: 'take two' });
      if (n === 3) fs.openSync('/nowhere/at/all');
      if (n === 5) throw new TypeError('five');
      return n;
    }`;
    const pool = await poolOf<number, number>(refuse);
    await expect(pool.run(1)).rejects.toMatchObject({
      name: 'HoldoutError',
      code: 'INPUT_INVALID',
      message: 'one is odd',
      place: { file: 'a', line: 3 },
      hint: 'take two',
    });
    await expect(pool.run(3)).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringContaining('ENOENT') as string,
    });
    await expect(pool.run(5)).rejects.toThrow(TypeError);
    expect(await pool.run(6)).toBe(6);
  });

  it.each([
    ['fail before their first task', "() => { throw new Error('no settings'); }"],
    ['end in a task', '() => () => process.exit(0)'],
  ])('that %s fail every task, and leave none without an answer', async (_, prepare) => {
    const pool = await poolOf<number, number>(prepare);
    const all = await Promise.allSettled([1, 2, 3, 4, 5, 6, 7].map((n) => pool.run(n)));
    const says = expect.stringContaining('a thread that counts ended before its work was done') as string;
    expect(all).toEqual(
      all.map(() => ({ status: 'rejected', reason: expect.objectContaining({ message: says }) as Error })),
    );
    await expect(pool.run(8)).rejects.toThrow('ended before');
  });
});
