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

  it('tells a file that is a copy of another one now, and a dataset that is read from files now', async () => {
    const three = 'version: 1\ndatasets:\n  all: {files: [x.jsonl, y.jsonl, z.jsonl]}\n';
    const box = await makeBox({ 'holdout.yaml': three, 'x.jsonl': '{"n":1}\n', 'y.jsonl': '{"n":1}\n' });
    await box.write('z.jsonl', '{"n":2}\n');
    await box.json(['run']);
    await box.write('y.jsonl', '{"n":2}\n');
    expect((await box.run(['run', '--frozen'])).stdout).toContain('y.jsonl has other bytes than when the lock');
    const other = await makeRun();
    await other.write(
      'holdout.yaml',
      pipeline.replace(/  clean:\n    from: raw\n[^]*- shuffle\n/, '  clean: {files: data/b.jsonl, role: train}\n'),
    );
    const { stdout } = await other.run(['run', 'clean', '--frozen']);
    expect(stdout).toContain('it is read from files now, and was made by steps when the lock was written');
  });

  it.each([
    ['the store that wrote the lock', true, 'data/b.jsonl has other bytes than when the lock was written'],
    [
      'a fresh store, which does not know how they were read',
      false,
      'data/b.jsonl has other bytes than when the lock was written, or is read in another way',
    ],
  ])('registers nothing of a changed file, and names it: in %s', async (_, sameStore, says) => {
    const box = sameStore ? await makeRun() : await makeBox({ 'holdout.lock': await lockOf(await makeRun()) });
    // Other bytes of the same rows count, too: a lock names what was read.
    await box.write('data/b.jsonl', lines(more).replaceAll('":', '": '));
    const { status, stdout, stderr } = await box.run(['run', '--frozen']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toContain(`holdout.lock differs: dataset "other": ${says}\n`);
    const { entries } = await box.json<{ entries: readonly { readonly name?: string; readonly version?: number }[] }>([
      'log',
    ]);
    expect(entries.filter(({ name, version }) => name === 'other' && version !== 1)).toEqual([]);
    expect(entries.filter(({ name }) => name === 'other')).toHaveLength(sameStore ? 1 : 0);
  });

  it.each([
    [
      'new',
      '      - shuffle\n',
      '      - head: {n: 20}\n      - shuffle\n',
      'step 3 (holdout/head@1) is not in the lock',
    ],
    [
      'gone',
      '      - dedupe: {by: [instruction]}\n        name: once\n',
      '',
      'step 2 (holdout/dedupe@1) of the lock is not in the file',
    ],
    ['gone from the end', '      - shuffle\n', '', 'step 3 (holdout/shuffle@1) of the lock is not in the file'],
  ])('says that a step is %s, and runs nothing', async (_, was, is, says) => {
    const box = await makeRun();
    const before = await box.json(['log']);
    expect(pipeline).toContain(was);
    await box.write('holdout.yaml', pipeline.replace(was, is));
    const { status, stdout } = await box.run(['run', '--frozen']);
    expect(status).toBe(1);
    expect(stdout).toContain(`holdout.lock differs: dataset "clean": ${says}\n`);
    expect(await box.json(['log'])).toEqual(before);
  });

  it('says what fails, and not that the lock has more than it', async () => {
    const box = await makeBox({ 'holdout.lock': await lockOf(await makeRun()), 'data/a.jsonl': '{"a":' });
    const { status, stdout } = await box.run(['run', '--frozen']);
    expect(status).toBe(2);
    expect(stdout).not.toContain('which the pipeline does not have');
  });

  it('runs no step whose derivation is not the one in the lock', async () => {
    const box = await makeRun();
    await box.write('holdout.yaml', pipeline.replace('{n: 18}', '{n: 17}'));
    const before = await box.json(['log']);
    const { status, stdout } = await box.run(['run', '--frozen']);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /holdout\.lock differs: dataset "train", step 2 \(holdout\/head@1\): another derivation\n {2}n: 18 → 17\n {2}locked +[0-9a-f]{12}\n {2}found +[0-9a-f]{12}\n/,
    );
    expect(await box.json(['log'])).toEqual(before);
  });

  it('says in a fresh store, too, which step differs, and what it asks now', async () => {
    const lock = await lockOf(await makeRun());
    const other = await makeBox({ 'holdout.lock': lock, 'holdout.yaml': pipeline.replace('{n: 18}', '{n: 17}') });
    const { status, stdout } = await other.run(['run', '--frozen']);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /step 2 \(holdout\/head@1\): another derivation\n.*is not known\n.*keep the first 17 rows\n/,
    );
  });
});
