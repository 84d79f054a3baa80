import { describe, expect, it } from 'vitest';
import { type Ran, actionsOf, lockOf, more, pipeline, upToDate, usePipeline } from './pipeline-project.ts';
import { lines } from './run-cli.ts';

const { makeBox, makeRun } = usePipeline();

describe('run --frozen', () => {
  it('finds every id again in a fresh store, from raw files alone', async () => {
    const box = await makeRun();
    const lock = await lockOf(box);
    const other = await makeBox({ 'holdout.lock': lock });
    expect(await other.run(['run', '--frozen'])).toMatchObject({ status: 0 });
    expect(await lockOf(other)).toBe(lock);
  });

  it('gives ids that hang on no history of the store', async () => {
    const box = await makeBox();
    // An earlier version with another column would widen what `add` reads next.
    await box.json(['add', 'raw', 'eval.jsonl', '--role', 'train']);
    await box.json(['add', 'raw', 'data/a.jsonl']);
    await box.json(['run']);
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual(upToDate);
    const other = await makeBox({ 'holdout.lock': await lockOf(box) });
    expect(await other.run(['run', '--frozen'])).toMatchObject({ status: 0 });
  });

  it.each([
    ['a step was edited', 'holdout.yaml', pipeline.replace('{n: 18}', '{n: 17}'), 'dataset "train"', 'step 2'],
    ['a file was changed', 'data/b.jsonl', lines(more.slice(1)), 'dataset "other"', 'step 1'],
    [
      'the lock lacks a dataset',
      'holdout.yaml',
      `${pipeline}\n`.replace('evals:', '  x: {from: raw, steps: [shuffle]}\nevals:'),
      'dataset "x"',
      null,
    ],
    ['the file lacks a dataset', 'holdout.yaml', pipeline.replace(/checks:[^]*/, ''), 'check "train against ev"', null],
  ])('fails where %s, names it, and writes nothing', async (_, file, text, of, step) => {
    const box = await makeRun();
    const lock = await lockOf(box);
    await box.write(file, text);
    const frozen = await box.json<Ran>(['run', '--frozen'], 1);
    expect(frozen.difference?.of).toBe(of);
    if (step === null) expect(frozen.difference?.step).toBeNull();
    else expect(frozen.difference?.step).toContain(step);
    expect(await lockOf(box)).toBe(lock);
  });

  it('runs no step whose derivation is not the one in the lock', async () => {
    const box = await makeRun();
    await box.write('holdout.yaml', pipeline.replace('{n: 18}', '{n: 17}'));
    const before = await box.json(['log']);
    const { status, stdout } = await box.run(['run', '--frozen']);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /holdout\.lock differs: dataset "train", step 2 \(holdout\/head@1\): another derivation\n {2}n: 18 → 17\n {2}locked +sha256:[0-9a-f]{64}\n {2}found +sha256:/,
    );
    expect(await box.json(['log'])).toEqual(before);
  });
});
