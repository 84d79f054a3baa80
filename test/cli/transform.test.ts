import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

const rows = Array.from({ length: 60 }, (_, i) => ({
  id: i,
  instruction: `do ${i % 20}`,
  output: i % 6 === 5 ? null : 'word '.repeat(i % 7),
  source: ['a', 'b', 'c'][i % 3],
}));
const filter = 'filter: {where: "length(output) > 10"}';
const long = rows.filter(({ output }) => output !== null && output.length > 10);

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({
    'train.jsonl': lines(rows),
    'eval.jsonl': lines([{ question: 'what?', answer: 'that' }]),
  });
  await box.run(['init']);
  await box.json(['add', 'sft', 'train.jsonl', '--role', 'train']);
  await box.json(['add', 'held', 'eval.jsonl', '--role', 'eval', '--fields', 'question=question,answer=answer']);
});
afterAll(async () => box.remove());

interface Made {
  readonly name: string;
  readonly version: number;
  readonly table: string;
  readonly rows: number;
  readonly new: boolean;
  readonly steps: readonly { readonly transform: string; readonly rows: number; readonly dropped: object }[];
}
const stepsOf = (texts: readonly string[]): string[] => texts.flatMap((text) => ['--step', text]);

describe('transform', () => {
  it('makes a version of another name and says why rows went', async () => {
    const { status, stdout } = await box.run(['transform', 'sft', 'long', '--step', filter]);
    expect(status).toBe(0);
    const gone = rows.length - long.length;
    const nulls = rows.filter(({ output }) => output === null).length;
    expect(stdout).toContain(`1. filter: keep rows where length(output) > 10: 60 → ${long.length}`);
    expect(stdout).toContain(`(${gone - nulls} false, ${nulls} null)`);
    expect(stdout).toContain(`long@1: ${long.length} rows, from sft@1`);
    const cat = await box.run(['cat', 'long']);
    expect(cat.stdout).toBe(lines(long));
    expect(await box.json(['show', 'long'])).toMatchObject({ role: 'train', rows: long.length });
  });

  it('makes no version of equal content', async () => {
    const again = await box.json<Made>(['transform', 'sft', 'long', '--step', filter]);
    expect(again).toMatchObject({ name: 'long', version: 1, new: false });
  });

  it('takes several steps at once, each a derivation that is replayed', async () => {
    const steps = [filter, 'dedupe: {by: [instruction], keep: last}', 'shuffle: {seed: 3}', 'head: {n: 9}'];
    const made = await box.json<Made>(['transform', 'sft', 'train', ...stepsOf(steps)]);
    expect(made).toMatchObject({ name: 'train', version: 1, rows: 9, new: true });
    expect(made.steps.map(({ transform }) => transform)).toEqual([
      'holdout/filter@1',
      'holdout/dedupe@1',
      'holdout/shuffle@1',
      'holdout/head@1',
    ]);
    const replay = await box.json<{ state: string; steps: { version: string | null; got: { table: string } }[] }>([
      'reproduce',
      'train',
    ]);
    expect(replay.state).toBe('same');
    expect(replay.steps.map(({ version }) => version)).toEqual(['sft@1', null, null, null, 'train@1']);
    expect(replay.steps.at(-1)?.got.table).toBe(made.table);
    const shown = await box.run(['show', 'train']);
    expect(shown.stdout).toMatch(
      /read train\.jsonl → sft@1.*\n.*length\(output\) > 10 → .*\n.*last of rows.*\n.*shuffle \(seed 3\)/,
    );
    expect((await box.run(['log', 'train'])).stdout).toContain(
      'holdout/filter, holdout/dedupe, holdout/shuffle, holdout/head',
    );
  });

  it('gives one table whether steps are taken at once or one by one', async () => {
    const steps = ['sample: {fraction: 0.5, seed: 1}', 'sort: {by: [source, {column: id, order: desc}]}'];
    const once = await box.json<Made>(['transform', 'sft', 'once', ...stepsOf(steps)]);
    await box.json<Made>(['transform', 'sft', 'half', '--step', steps[0]!]);
    const single = await box.json<Made>(['transform', 'half', 'apart', '--step', steps[1]!]);
    expect(single.table).toBe(once.table);
    expect((await box.json<{ state: string }>(['reproduce', 'apart'])).state).toBe('same');
  });

  it('makes the next version of its own input', async () => {
    await box.json(['add', 'own', 'train.jsonl']);
    const made = await box.json<Made>(['transform', 'own@1', 'own', ...stepsOf([filter, 'head: {n: 3}'])]);
    expect(made).toMatchObject({ version: 2, rows: 3 });
    expect((await box.json<{ state: string }>(['reproduce', 'own'])).state).toBe('same');
  });

  it('keeps the items of an eval set in step with its rows', async () => {
    const made = await box.json<{ itemsRoot: string; rows: number }>([
      'transform',
      'held',
      'less',
      '--step',
      'head: {n: 0}',
    ]);
    const whole = await box.json<{ itemsRoot: string }>(['show', 'held']);
    expect(made.rows).toBe(0);
    expect(made.itemsRoot).toMatch(/^holdout-set-v1:/);
    expect(made.itemsRoot).not.toBe(whole.itemsRoot);
  });

  it('with --dry-run keeps nothing', async () => {
    const before = await box.json(['log']);
    const args = ['transform', 'sft', 'planned', ...stepsOf([filter, 'limit-per-group: {by: [source], max: 2}'])];
    const { stdout } = await box.run([...args, '--dry-run']);
    expect(stdout).toContain('2. limit-per-group');
    expect(stdout).toContain('planned would be 6 rows, from sft@1; nothing was kept');
    expect(await box.json(['log'])).toEqual(before);
    const planned = await box.json<Made>([...args, '--dry-run']);
    expect((await box.json<Made>(args)).table).toBe(planned.table);
  });

  it('leaves an intact store', async () => {
    expect(await box.json(['verify', '--read-data'])).toMatchObject({ ok: true });
  });
});

describe('a step that is wrong', () => {
  it.each([
    [['filter: {where: "length(output) > > 1"}'], 'holdout/filter: syntax error at or near ">" at character 18'],
    [['filter: {where: "length(ouput) > 1"}'], 'did you mean output?'],
    [['fliter: {where: "true"}'], 'did you mean filter?'],
    [['filter: {were: "true", else: 1}'], 'unknown key "were" (did you mean where?); unknown key "else"'],
    [['sample: {fraction: 1.5}'], 'holdout/sample: fraction: 1.5 is too large: at most 1'],
    [['head: {n: 3'], 'not YAML'],
    [['{head: {n: 3}, skip: {n: 1}}'], 'several keys'],
    [['head: {n: 3}', 'dedupe: {by: [instrucion]}'], 'holdout/dedupe: there is no column "instrucion"'],
    [[], '--step says what to do'],
  ])('%s is refused, and nothing is registered', async (steps, says) => {
    const { status, stderr } = await box.run(['transform', 'sft', 'wrong', ...stepsOf(steps)]);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(says) as string });
    expect((await box.run(['show', 'wrong'])).status).toBe(2);
  });

  it('names a report that the store does not have', async () => {
    const report = `sha256:${'3f'.repeat(32)}`;
    const { status, stderr } = await box.run([
      'transform',
      'sft',
      'x',
      '--step',
      `remove: {report: "${report}", hits: all}`,
    ]);
    expect(stderr).toContain(`the store has no record ${report}`);
    expect(status).toBe(2);
  });

  it('names the output that cannot take the result', async () => {
    const role = await box.run(['transform', 'sft', 'held', '--step', 'shuffle']);
    expect(role).toMatchObject({ status: 2, stderr: expect.stringContaining('role eval, not train') as string });
    const name = await box.run(['transform', 'sft', 'a/b', '--step', 'shuffle']);
    expect(name).toMatchObject({ status: 2, stderr: expect.stringContaining('cannot name a dataset') as string });
  });
});

describe('transforms', () => {
  it('lists the steps', async () => {
    const { stdout } = await box.run(['transforms']);
    expect(stdout).toMatch(/^filter +Keeps the rows for which a SQL predicate is true\.$/m);
    expect(stdout).toMatch(/^remove +/m);
  });

  it('documents one from its definition', async () => {
    const { stdout } = await box.run(['transforms', 'split']);
    expect(stdout).toContain('holdout/split, version 1, selecting');
    expect(stdout).toContain('  by: list of text; optional');
    expect(stdout).toContain('  seed: whole number; default 0');
    expect(stdout).toContain("--step 'split: {shares: ");
    const { transforms } = await box.json<{ transforms: { name: string; parameters: { name: string }[] }[] }>([
      'transforms',
      'holdout/head',
    ]);
    expect(transforms).toMatchObject([{ name: 'holdout/head', parameters: [{ name: 'n', type: 'whole number' }] }]);
  });

  it('suggests a name', async () => {
    const { status, stderr } = await box.run(['transforms', 'sampel']);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('did you mean sample?') as string,
    });
  });
});
