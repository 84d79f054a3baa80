import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

interface Ran {
  readonly datasets: readonly { readonly name: string; readonly steps: readonly { readonly derivation: string }[] }[];
}

const module = 'export default (row) => ({ ...row, twice: row.n * 2 });\n';
const rows = lines(Array.from({ length: 20 }, (_, n) => ({ n })));
const pipeline = `version: 1
datasets:
  raw: {files: [raw.jsonl]}
  out:
    from: raw
    steps:
      - module: {path: steps/twice.mjs}
      - command: {run: [node, steps/echo.mjs], files: [steps/echo.mjs], carry: true}
`;
const echo = 'process.stdin.pipe(process.stdout);\n';
const boxes: Sandbox[] = [];
async function makeBox(files: Readonly<Record<string, string>>): Promise<Sandbox> {
  const box = await Sandbox.make(files);
  boxes.push(box);
  await box.told(['init']);
  return box;
}
afterEach(async () => {
  await Promise.all(boxes.splice(0).map((box) => box.remove()));
});

describe('paths of steps', () => {
  it('begin at the folder of holdout.yaml, wherever the store is, and give the same derivations', async () => {
    const files = { 'raw.jsonl': rows, 'holdout.yaml': pipeline, 'steps/twice.mjs': module, 'steps/echo.mjs': echo };
    const beside = await makeBox(files);
    const below = await makeBox(Object.fromEntries(Object.entries(files).map(([path, text]) => [`sub/${path}`, text])));
    const [first, second] = [await beside.json<Ran>(['run']), await below.json<Ran>(['-C', 'sub', 'run'])];
    const derivations = ({ datasets }: Ran): string[] =>
      datasets.flatMap(({ steps }) => steps.map(({ derivation }) => derivation));
    expect(derivations(second)).toEqual(derivations(first));
    // Whoever runs the code again, from wherever, finds it where the version says that it was.
    const again = await below.run(['reproduce', 'out', '--run-code']);
    expect({ status: again.status, stderr: again.stderr }).toMatchObject({ status: 0 });
  });

  it('begin at the store where only that has the files, as they once did', async () => {
    const box = await makeBox({
      'sub/raw.jsonl': rows,
      'sub/holdout.yaml': pipeline,
      'steps/twice.mjs': module,
      'steps/echo.mjs': echo,
    });
    expect((await box.run(['-C', 'sub', 'run'])).status).toBe(0);
    expect((await box.run(['reproduce', 'out', '--run-code'])).status).toBe(0);
  });

  it('begin where the person stands in transform, else at the store', async () => {
    const box = await makeBox({ 'raw.jsonl': rows, 'deep/in/one.mjs': module, 'steps/two.mjs': module });
    await box.told(['add', 'raw', 'raw.jsonl']);
    await mkdir(join(box.folder, 'deep/in'), { recursive: true });
    for (const [name, path] of [
      ['a', 'one.mjs'],
      ['b', 'steps/two.mjs'],
    ] as const) {
      const step = `module: {path: ${path}}`;
      expect((await box.run(['-C', 'deep/in', 'transform', 'raw', name, '--step', step])).stderr).toBe('');
      expect((await box.run(['reproduce', name, '--run-code'])).status).toBe(0);
    }
    const missing = await box.run(['-C', 'deep/in', 'transform', 'raw', 'c', '--step', 'module: {path: none.mjs}']);
    expect(missing).toMatchObject({ status: 2, stderr: expect.stringContaining('none.mjs') as string });
  });
});
