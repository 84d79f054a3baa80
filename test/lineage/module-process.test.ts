import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdout-module-process-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Takes all descriptors but a few, then but a few more, and starts the module's processes each time. */
const script = (pool: string): string => `
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { ModulePool } from ${JSON.stringify(pool)};
const taken = [];
const said = [];
for (const free of [0, 1, 2, 3, 5, 7, 8, 9, 11, 14, 30]) {
  const scratch = \`./\${free}\`;
  mkdirSync(scratch);
  try { for (;;) taken.push(openSync('/dev/null')); } catch {}
  for (let n = 0; n < free; n++) closeSync(taken.pop());
  const run = {
    graph: { entry: 'file:///nowhere.mjs', sources: [] }, path: 'm.mjs', projectRoot: '/', exportName: 'default', args: null,
    onError: 'fail', timeoutMs: 1000, memoryMb: 16, scratch,
  };
  let pool = null;
  try {
    pool = new ModulePool(run, { name: 'module', workers: 2 });
    for await (const _ of pool.runAll([{ firstRow: 0, bytes: Buffer.from('{}\\n') }, { firstRow: 1, bytes: Buffer.from('{}\\n') }]));
  } catch (error) {
    said.push(\`\${error.name} \${error.code}\`);
  }
  await pool?.close();
}
console.log(JSON.stringify(said));
`;

describe.runIf(process.platform === 'linux')('a process of a module', () => {
  it('for which no file descriptor is left is one error of the machine', async () => {
    const pool = new URL('../../dist/src/lineage/module-pool.js', import.meta.url).href;
    await writeFile(join(folder, 's.mjs'), script(pool));
    const { stdout, stderr } = spawnSync('bash', ['-c', `ulimit -n 128; exec "${process.execPath}" s.mjs`], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const said = JSON.parse(stdout) as string[];
    expect(said).toHaveLength(11);
    // With enough of them the module is not there.
    expect(said.at(-1)).toBe('HoldoutError INPUT_INVALID');
    expect(said[0]).toBe('HoldoutError IO');
    expect(said.filter((each) => !/^HoldoutError (IO|INPUT_INVALID)$/.test(each))).toEqual([]);
  });
});
