import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({
    'train.jsonl': lines(Array.from({ length: 50 }, (_, n) => ({ n, text: `row ${n}` }))),
    'steps/loud.ts': `import { writeSync } from 'node:fs';
console.log('loading');
export default (row: { n: number; text: string }) => {
  console.log('row', row.n);
  process.stdout.write('{');
  writeSync(1, '[');
  return { ...row, text: row.text.toUpperCase() };
};`,
    'steps/throws.ts': `export default (row: { n: number }) => {
  if (row.n === 41) throw new Error('no');
  return row;
};`,
    'steps/chance.ts': 'export default (row: object) => ({ ...row, x: Math.random() });',
  });
  await box.run(['init']);
  await box.json(['add', 'sft', 'train.jsonl']);
});
afterAll(async () => box.remove());

const transform = (to: string, step: string): string[] => ['transform', 'sft', to, '--step', step];

describe("a step of one's own", () => {
  it('that prints leaves standard output to the answer', async () => {
    const { status, stdout, stderr } = await box.run([...transform('loud', 'module: {path: steps/loud.ts}'), '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ name: 'loud', rows: 50 });
    expect(stderr).toContain('row 49');
  });

  it('that throws ends with 2, names row and line, and registers nothing', async () => {
    const { status, stderr } = await box.run(transform('none', 'module: {path: steps/throws.ts}'));
    expect(status).toBe(2);
    expect(stderr).toMatch(/train\.jsonl:42: .*row 42: Error: no \(steps\/throws\.ts:2:\d+\)/);
    expect((await box.run(['show', 'none'])).status).toBe(2);
  });

  it('that gives two results ends with 4 and says what to do', async () => {
    const { status, stderr } = await box.run(transform('none', 'module: {path: steps/chance.ts}'));
    expect(status).toBe(4);
    expect(stderr).toMatch(/not deterministic: .*column "x" of row 1 .*\n.*deterministic: false/);
  });

  it('is run again only where code may run', async () => {
    const plain = await box.run(['reproduce', 'loud']);
    expect(plain.status).toBe(3);
    expect(plain.stdout).toContain('--run-code');
    expect((await box.run(['reproduce', 'loud', '--run-code'])).status).toBe(0);
  });

  it('shows in the lineage whether anything vouches for it', async () => {
    await box.json(transform('filtered', 'command: {run: "sed 2d"}'));
    expect((await box.run(['lineage', 'filtered'])).stdout).toContain('nothing vouches for it');
  });
});
