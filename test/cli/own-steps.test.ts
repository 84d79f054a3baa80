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
    'steps/forgets.ts': 'export default (row: { text: string }) => {\n  row.text.trim();\n};\n',
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

  it('that is declared not deterministic is said to be taken by reproduce, not reproduced', async () => {
    await box.json(transform('drawn', 'module: {path: steps/chance.ts, deterministic: false}'));
    const taken = await box.run(['reproduce', 'drawn', '--run-code']);
    expect(taken.status).toBe(0);
    expect(taken.stdout).toMatch(/\nTaken, not run again: drawn@1 is [0-9a-f]{12}, as step 2 left it in the store\n$/);
    expect(taken.stdout).not.toContain('Reproduced');
    const step = await box.run(['reproduce', 'drawn', '--step', '2', '--run-code']);
    expect(step.stdout).toMatch(/\nTaken, not run again: step 2 of drawn@1 is declared not deterministic\n$/);
    await box.json(['transform', 'drawn', 'first', '--step', 'head: {n: 3}']);
    const behind = await box.run(['reproduce', 'first']);
    expect(behind.status).toBe(0);
    expect(behind.stdout).toMatch(
      /\nReproduced: first@1 is [0-9a-f]{12} again, from step 2, whose output was taken, not run again\n$/,
    );
  });

  it('shows in the lineage whether anything vouches for it', async () => {
    await box.json(transform('filtered', 'command: {run: "sed 2d"}'));
    expect((await box.run(['lineage', 'filtered'])).stdout).toContain('nothing vouches for it');
  });
});

describe('a step that leaves no row', () => {
  const emptied = 'none of 50 rows came through this step';
  const forgot = 'the module returned nothing for every row: is a return missing?';

  it('ends with 0 and a warning that says so', async () => {
    const steps = transform('empty', "filter: {where: 'false'}").concat('--step', 'head: {n: 3}');
    const { status, stdout } = await box.run(steps);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      new RegExp(`^1\\. filter: .*\\n   warning: no row is left: ${emptied}\\n2\\. head: .*\\nempty@1`),
    );
    expect(stdout.match(/warning/g)).toHaveLength(1);
  });

  it('asks for the return that a module forgot', async () => {
    const step = 'module: {path: steps/forgets.ts}';
    const { stdout } = await box.run([...transform('forgot', step), '--dry-run']);
    expect(stdout).toContain(`   warning: no row is left: ${forgot}\n`);
    const made = await box.json<{ steps: readonly { notes?: readonly string[] }[] }>(transform('forgot', step));
    expect(made.steps[0]?.notes).toEqual([`no row is left: ${forgot}`]);
  });

  it('is warned of in a pipeline, too', async () => {
    const place = await box.copy();
    await place.write(
      'holdout.yaml',
      `version: 1
datasets:
  sft: {files: [train.jsonl]}
  silent: {from: sft, steps: [module: {path: steps/forgets.ts}]}
`,
    );
    const { status, stdout } = await place.run(['run']);
    expect(status).toBe(0);
    expect(stdout).toContain(`     warning: no row is left: ${forgot}\n`);
    await place.remove();
  });
});
