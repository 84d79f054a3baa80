import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Store } from '../../dist/src/store/store.js';
import { partsOf, scratchFolder } from './scratch.ts';

const script = new URL('writer-process.mjs', import.meta.url).pathname;

/** Writers that have come to their first line. */
const started = new WeakSet<ChildProcess>();

/** Starts a writer; `acknowledged` fills with version number → snapshot id as the lines come. */
function startWriter(root: string, word: string, count: number, acknowledged: Map<number, string>): ChildProcess {
  const child = spawn(process.execPath, [script, root, word, String(count)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  createInterface({ input: child.stdout }).on('line', (line) => {
    started.add(child);
    const [, version, snapshot] = /^committed (\d+) (\S+)$/.exec(line) ?? [];
    if (version !== undefined && snapshot !== undefined) acknowledged.set(Number(version), snapshot);
  });
  return child;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a writer killed at any instant', () => {
  it('leaves a whole store with every version that it acknowledged', { timeout: 180_000 }, async () => {
    const root = join(await scratchFolder(), '.holdout');
    const acknowledged = new Map<number, string>();
    let leftovers = 0;
    for (let kill = 0; kill < 32; kill += 1) {
      const child = startWriter(root, 'killed', 1_000, acknowledged);
      const closed = once(child, 'close');
      // The first ones while the store is being made, the others somewhere in the version after the next one or two.
      const awaited = kill < 4 ? 0 : acknowledged.size + 1 + (kill % 2);
      const running = (): boolean => child.exitCode === null;
      while (!started.has(child) && running()) await sleep(1);
      while (acknowledged.size < awaited && running()) await sleep(1);
      expect(running(), 'the writer works until it is killed').toBe(true);
      await sleep(Math.random() * (kill < 4 ? 12 : 30));
      child.kill('SIGKILL');
      await closed;
      if (!existsSync(join(root, 'config.json'))) continue;

      leftovers += (await readdir(join(root, 'tmp'))).length;
      const store = await Store.open(root);
      expect(await readdir(join(root, 'tmp'))).toEqual([]);
      expect(await store.verifyStructure(partsOf)).toEqual([]);
      const versions = (await store.journal()).names.get('rows') ?? [];
      for (const [version, snapshot] of acknowledged) expect(versions[version - 1]?.snapshot).toBe(snapshot);
      // At most one a writer may have been committed without the word of it getting through.
      expect(versions.length - acknowledged.size).toBeLessThanOrEqual(kill + 1);
    }
    const store = await Store.open(root);
    expect(await store.verifyFiles()).toEqual([]);
    // The kills did hit writers at work.
    expect(acknowledged.size).toBeGreaterThan(20);
    expect(leftovers).toBeGreaterThan(5);
  });
});

describe('two writers at once', () => {
  it('both succeed, each version with a number of its own', async () => {
    const root = join(await scratchFolder(), '.holdout');
    await Store.init(root, { holdoutVersion: '0.0.0-test', now: new Date() });
    const ours = new Map<number, string>();
    const theirs = new Map<number, string>();
    const writers = [startWriter(root, 'ours', 50, ours), startWriter(root, 'theirs', 50, theirs)];
    const codes = await Promise.all(writers.map(async (child) => (await once(child, 'close'))[0] as number));
    expect(codes).toEqual([0, 0]);
    expect([ours.size, theirs.size, new Map([...ours, ...theirs]).size]).toEqual([50, 50, 100]);

    const store = await Store.open(root);
    expect(await store.verifyStructure(partsOf)).toEqual([]);
    const { seq, names } = await store.journal();
    const versions = names.get('rows') ?? [];
    expect([seq, versions.length]).toEqual([101, 100]);
    expect(versions.map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    for (const [version, snapshot] of [...ours, ...theirs]) expect(versions[version - 1]?.snapshot).toBe(snapshot);
  });
});
