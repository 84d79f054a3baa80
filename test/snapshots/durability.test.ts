import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { partsOfLayout } from '../../dist/src/tables/stored-parts.js';
import { Store } from '../../dist/src/store/store.js';
import { chatRows, Workspace } from './workspace.ts';

let space: Workspace;
beforeEach(async () => {
  space = await Workspace.make();
});
afterEach(() => space.remove());

const dist = fileURLToPath(new URL('../../dist/', import.meta.url));

/** Starts `add` in a process of its own; `ready` is printed when everything is loaded. */
async function startAdd(name: string, file: string) {
  const script = `
    import { addDataset } from ${JSON.stringify(`${dist}src/snapshots/add.js`)};
    import { Store } from ${JSON.stringify(`${dist}src/store/store.js`)};
    import '@duckdb/node-api';
    const store = await Store.open(${JSON.stringify(space.store.root)});
    process.stdout.write('ready\\n');
    const context = { now: new Date(), holdoutVersion: '0', threads: 1, recogniseFields: () => ({}) };
    const result = await addDataset(store, ${JSON.stringify(name)}, [${JSON.stringify(file)}], {}, context);
    await store.close();
    process.stdout.write(JSON.stringify(result) + '\\n');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: dist,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  const exit = once(child, 'exit');
  while (!output.includes('ready\n')) await Promise.race([once(child.stdout, 'data'), exit]);
  return { child, exit, output: () => output };
}

describe('add in processes of their own', () => {
  it('killed at any instant leaves the old state or the new, whole', async () => {
    const rows = chatRows(3000);
    const first = await space.write('v1.jsonl', rows.map((row) => `${row}\n`).join(''));
    const second = await space.write(
      'v2.jsonl',
      chatRows(3000, 2)
        .map((row) => `${row}\n`)
        .join(''),
    );
    await space.add('data', first);
    let before = 1;
    // One run to its end tells how long the others may live.
    const { exit } = await startAdd('timing', second);
    const started = Date.now();
    await exit;
    const span = Math.max(50, Date.now() - started);
    for (const share of [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1]) {
      const add = await startAdd('data', share < 0.6 ? second : first);
      await new Promise((resolve) => setTimeout(resolve, span * share));
      add.child.kill('SIGKILL');
      await add.exit;
      const store = await Store.open(space.store.root);
      expect(await store.verifyStructure(partsOfLayout)).toEqual([]);
      expect(await store.verifyFiles()).toEqual([]);
      const versions = (await store.journal()).names.get('data')!;
      expect(versions.length - before).toBeOneOf([0, 1]);
      before = versions.length;
      // What was acknowledged is there.
      const [, result] = add.output().split('\n');
      if (result !== undefined && result !== '') {
        const { version, snapshot } = JSON.parse(result) as { version: number; snapshot: string };
        expect(versions[version - 1]).toMatchObject({ snapshot });
      }
      await store.close();
    }
    expect(await space.lines('data@1')).toEqual(rows);
    const again = await space.add('data', second);
    expect(again.rows).toBe(3000);
  });

  it('two at once both succeed, under one name and under two', async () => {
    const files = await Promise.all(
      [1, 2, 3].map((seed) =>
        space.write(
          `${seed}.jsonl`,
          chatRows(200, seed)
            .map((row) => `${row}\n`)
            .join(''),
        ),
      ),
    );
    const adds = await Promise.all([
      startAdd('data', files[0]!),
      startAdd('data', files[1]!),
      startAdd('more', files[2]!),
    ]);
    for (const { exit } of adds) expect(await exit).toEqual([0, null]);
    const { names } = await space.store.journal();
    expect(names.get('data')!.map(({ version }) => version)).toEqual([1, 2]);
    expect(names.get('more')).toHaveLength(1);
    const lines = [await space.lines('data@1'), await space.lines('data@2')].map((each) => each[0]!);
    expect(new Set(lines)).toEqual(new Set([chatRows(1, 1)[0], chatRows(1, 2)[0]]));
  });
});

it('what a dead process left in the temporary folder goes', async () => {
  const { readdirSync } = await import('node:fs');
  const temporary = `${space.store.root}/tmp`;
  const file = await space.write(
    'v.jsonl',
    chatRows(3000)
      .map((row) => `${row}\n`)
      .join(''),
  );
  const add = await startAdd('data', file);
  await new Promise((resolve) => setTimeout(resolve, 30));
  add.child.kill('SIGKILL');
  await add.exit;
  const left = readdirSync(temporary);
  await mkdir(`${temporary}/somebody-else`, { recursive: true });
  await writeFile(`${temporary}/somebody-else/file`, 'x');
  await (await Store.open(space.store.root)).close();
  const now = await readdir(temporary);
  expect(now).toContain('somebody-else');
  for (const name of left) if (name.includes(`-${add.child.pid}-`)) expect(now).not.toContain(name);
});
