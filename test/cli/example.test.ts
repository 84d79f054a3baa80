import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineageReport } from '../../dist/schemas/lineage.js';
import { Sandbox } from './run-cli.js';

const example = fileURLToPath(new URL('../../examples/pipeline', import.meta.url));
let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make();
  cpSync(example, box.folder, { recursive: true });
  await box.run(['init']);
});
afterAll(async () => box.remove());

/** Runs the pipeline from its files, with nothing made yet. */
const fromScratch = async (threads: number): Promise<{ readonly status: number | null; readonly text: string }> => {
  rmSync(join(box.folder, '.holdout'), { recursive: true, force: true });
  const env = { HOLDOUT_THREADS: String(threads) };
  await box.run(['init'], { env });
  const { status, stdout, stderr } = await box.run(['run', '--frozen'], { env });
  return { status, text: stdout + stderr };
};

// The lock that stands beside the example was written once; every Node, machine and number of threads must meet it.
describe('the example pipeline', () => {
  it.each([1, 8])('gives the ids of its lock with %d threads', async (threads) => {
    expect(await fromScratch(threads)).toMatchObject({ status: 0 });
  });

  it('has at least eight steps, and its training set holds no eval item', async () => {
    const lineage = await box.json(['lineage', 'mixed', '--format', 'json']);
    expect(lineageReport.parse(lineage).steps.length).toBeGreaterThanOrEqual(12);
    expect((await box.run(['check', 'mixed', '--against', 'word-problems'])).status).toBe(0);
    // The files hold what the steps took out.
    expect((await box.run(['check', 'instructions', '--against', 'word-problems'])).status).toBe(1);
  });

  it('is rebuilt from its files to the same ids', async () => {
    const { status, stdout } = await box.run(['reproduce', 'mixed', '--run-code']);
    expect(stdout).toMatch(/^Reproduced: mixed@1/m);
    expect(status).toBe(0);
  });

  it('masks what is personal and leaves the rest', async () => {
    const { stdout } = await box.run(['cat', 'clean']);
    expect(stdout).not.toMatch(/example\.(?:com|org)|4111|192\.0\.2|sk-Example/);
    expect(readFileSync(join(box.folder, 'data/instructions.json'), 'utf8')).toMatch(/192\.0\.2\.17/);
  });
});
