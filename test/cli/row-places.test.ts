import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

const rows = Array.from({ length: 40 }, (_, n) => ({ n, output: n === 31 ? 5 : `answer ${n}` }));

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({
    'first.jsonl': lines(rows.slice(0, 10)),
    'rest.json': JSON.stringify(rows.slice(10)),
    'refuse.mjs': 'export default (row) => { if (row.n === 35) throw new Error("refused"); return row; };\n',
  });
  await box.told(['init']);
  await box.told(['add', 'd', 'first.jsonl', 'rest.json']);
});
afterAll(async () => box.remove());

describe('a row that a step fails on', () => {
  it('is named with its file and its row there where the file has no lines, also behind other steps', async () => {
    const steps = ['--step', 'skip: {n: 5}', '--step', 'module: {path: refuse.mjs}'];
    const { status, stderr } = await box.run(['transform', 'd', 'out', ...steps]);
    expect(status).toBe(2);
    expect(stderr).toContain('row 31 (row 26 of rest.json): ');
  });
});
