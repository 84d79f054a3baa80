import { readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Ran, actionsOf, lockOf, rows, usePipeline } from './pipeline-project.ts';
import { type Sandbox, lines } from './run-cli.ts';

/** A chain in which each run of a step of one's own leaves a line in `count`. */
const chain = `version: 1
datasets:
  raw: {files: data/a.jsonl, role: train}
  clean: {from: raw, steps: [filter: {where: 'id >= 0'}]}
  own:
    from: clean
    steps:
      - command: {run: "sh count.sh", files: [count.sh], fingerprint: "echo 1"}
      - shuffle
  train: {from: own, steps: [concat: {with: [clean]}, head: {n: 70}]}
evals:
  ev: {files: [eval.jsonl], fields: {question: question, answer: answer}}
checks:
  - {train: train, against: ev}
`;
const upToDate = { raw: 'up-to-date', clean: 'up-to-date', own: 'up-to-date', train: 'up-to-date', ev: 'up-to-date' };
const allAgain = { raw: 'add', clean: 'run', own: 'run', train: 'run', ev: 'up-to-date' };
/** The same rows as `rows`, in other bytes. */
const respelled = lines(rows).replaceAll('{"id":', '{"id": ');

const { makeBox, makeRun } = usePipeline({ 'holdout.yaml': chain, 'count.sh': 'sed s/do/DO/\necho run >> count\n' });

/** Rows of a CSV file, read in this way. */
const small = (how: string): string =>
  `version: 1\ndatasets:\n  raw: {files: x.csv, ${how}}\n  out: {from: raw, steps: [head: {n: 1}]}\n`;
const runsOf = async (box: Sandbox): Promise<number> =>
  (await readFile(join(box.folder, 'count'), 'utf8')).split('\n').length - 1;
/** What a lineage says, without numbers of versions. */
const saysOf = async (box: Sandbox, name: string): Promise<unknown> => {
  interface Step {
    readonly says: string;
    readonly version: string | null;
    readonly files: readonly string[];
    readonly derivation: string;
  }
  const { steps } = await box.json<{ steps: readonly Step[] }>(['lineage', name]);
  return steps.map(({ says, version, files, derivation }) => [
    says.replaceAll(/@\d+\b/g, '@'),
    version?.replace(/@.*/, ''),
    files,
    derivation,
  ]);
};
const freshClone = async (box: Sandbox): Promise<Sandbox> => {
  const files: Record<string, string> = {};
  for (const name of [
    'holdout.yaml',
    'holdout.lock',
    ...(await readdir(join(box.folder, 'data'))).map((n) => `data/${n}`),
  ]) {
    files[name] = await readFile(join(box.folder, name), 'utf8');
  }
  const clone = await makeBox(files);
  expect(await clone.run(['run', '--frozen'])).toMatchObject({ status: 0 });
  return clone;
};
const isSettled = async (box: Sandbox): Promise<void> => {
  const journal = await box.json(['log']);
  expect(actionsOf(await box.json<Ran>(['run', '--dry-run']))).toEqual(upToDate);
  expect(actionsOf(await box.json<Ran>(['run']))).toEqual(upToDate);
  expect(await box.json(['log'])).toEqual(journal);
};

describe('run, where only how rows came has changed', () => {
  it('takes a file with other bytes and the same rows, tells of it, and is up to date then', async () => {
    const box = await makeRun();
    const runs = await runsOf(box);
    await box.write('data/a.jsonl', respelled);
    const ran = await box.run(['run']);
    expect(ran).toMatchObject({ status: 0, stderr: '' });
    expect(ran.stdout).toContain(
      'raw: raw@2, 60 rows, those of raw@1, read from other bytes (data/a.jsonl has changed)',
    );
    expect((await box.run(['log', 'raw'])).stdout).toMatch(/raw@2 .*, the rows of raw@1, read from other bytes$/m);
    expect(await runsOf(box)).toBe(runs);
    await isSettled(box);
    expect((await box.run(['status'])).stdout).toContain('Nothing has changed');
    await box.told(['export', 'raw', '--raw', 'out']);
    expect(await readFile(join(box.folder, 'out/a.jsonl'), 'utf8')).toBe(respelled);
    // And back: both bytes are known now, and nothing is read.
    await box.write('data/a.jsonl', lines(rows));
    const back = await box.run(['run', '--dry-run']);
    expect(back.stdout).toMatch(/^raw +add +its files have other bytes, with the same rows$/m);
    expect(back.stdout).toMatch(/^clean +run +it is made of raw, which gets a new version with the same rows$/m);
    expect(back.stdout).toMatch(/^train +run +it is made of own, which gets a new version with the same rows$/m);
    expect(back.stdout).toContain('check train against ev: up to date');
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual(allAgain);
    await isSettled(box);
  });

  it('names a renamed file everywhere, and reads no row for it', async () => {
    const box = await makeRun();
    const lock = await lockOf(box);
    await rename(join(box.folder, 'data/a.jsonl'), join(box.folder, 'data/new.jsonl'));
    await box.write('holdout.yaml', chain.replace('data/a.jsonl', 'data/new.jsonl'));
    // No rows and no digests are at hand: whoever wanted them would fail.
    const aside = join(box.folder, 'aside');
    for (const kind of ['parts', 'digests']) await rename(join(box.folder, '.holdout', kind), `${aside}-${kind}`);
    expect(actionsOf(await box.json<Ran>(['run', '--dry-run']))).toEqual(allAgain);
    const ran = await box.json<Ran>(['run']);
    expect(actionsOf(ran)).toEqual(allAgain);
    expect(ran.checks).toMatchObject([{ action: 'up-to-date' }]);
    for (const kind of ['parts', 'digests']) await rename(`${aside}-${kind}`, join(box.folder, '.holdout', kind));
    expect(await lockOf(box)).toBe(lock);
    await isSettled(box);
    for (const command of ['lineage', 'show']) {
      const { stdout } = await box.run([command, 'train']);
      expect(stdout).toContain('data/new.jsonl');
      expect(stdout).not.toContain('data/a.jsonl');
    }
    const traced = await box.run(['trace', 'clean', '--row', '1']);
    expect(traced.status).toBe(0);
    expect(traced.stdout).toContain('data/new.jsonl');
    expect(traced.stdout).not.toContain('data/a.jsonl');
    expect((await box.run(['trace', 'own', '--row', '1'])).stdout).toContain('rows through sh count.sh');
    expect((await box.run(['log', 'raw'])).stdout).toMatch(
      /from data\/new\.jsonl, the rows of raw@1, read from data\/a\.jsonl$/m,
    );
    await box.told(['export', 'raw', '--raw', 'out']);
    expect(await readdir(join(box.folder, 'out'))).toEqual(['new.jsonl']);
    expect(await box.json(['verify', '--read-data'])).toMatchObject({ ok: true });
  });

  it('tells downstream of the steps that the file has now, as a fresh clone of the lock does', async () => {
    const box = await makeRun();
    const runs = await runsOf(box);
    await box.write('holdout.yaml', chain.replace('id >= 0', 'id > -1'));
    const { stdout: said } = await box.run(['run']);
    expect(said).toContain(
      'raw: up to date (raw@1, 60 rows)\nclean: clean@2, 60 rows, those of clean@1, made by step 1 as',
    );
    // Steps that were not edited say nothing new.
    expect(said).toContain(
      'own: own@2, 60 rows, those of own@1 (it was made of clean@1, and is made of clean@2 now, with the same rows)\ntrain:',
    );
    expect(await runsOf(box)).toBe(runs);
    await isSettled(box);
    for (const command of [['lineage'], ['show'], ['why'], ['reproduce', '--run-code']]) {
      const [name = '', ...options] = command;
      const { stdout } = await box.run([name, 'train', ...(name === 'why' ? ['--dropped'] : options)]);
      expect(stdout).toContain('id > -1');
      expect(stdout).not.toContain('id >= 0');
    }
    expect((await box.run(['log', 'own'])).stdout).toMatch(/own@2 .*, the rows of own@1, made of clean@1$/m);
    const clone = await freshClone(box);
    for (const name of ['clean', 'own', 'train']) expect(await saysOf(box, name)).toEqual(await saysOf(clone, name));
    expect(await lockOf(clone)).toBe(await lockOf(box));
    expect((await box.run(['run', '--frozen'])).status).toBe(0);
  });

  it('leaves what is made of one version of a dataset as it is', async () => {
    const box = await makeRun();
    const { snapshot } = await box.json<{ snapshot: string }>(['show', 'clean']);
    const content = `clean@${snapshot.slice(7, 19)}`;
    const old = `  old: {from: clean@1, steps: [concat: {with: [raw@1, ${content}]}]}\n`;
    await box.write('holdout.yaml', chain.replace('evals:', `${old}evals:`));
    await box.json(['run']);
    await box.write('data/a.jsonl', respelled);
    const again = await box.json<Ran>(['run']);
    expect(actionsOf(again)).toEqual({ ...allAgain, old: 'up-to-date' });
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual({ ...upToDate, old: 'up-to-date' });
    expect((await box.run(['lineage', 'old'])).stdout).toContain('clean@1');
    // Another number is another version, also where the rows are the same.
    await box.write('holdout.yaml', chain.replace('evals:', `${old.replace('clean@1', 'clean@2')}evals:`));
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual({ ...upToDate, old: 'run' });
    expect((await box.run(['lineage', 'old'])).stdout).toContain('clean@2');
  });

  it('is settled in two checkouts that share a store outside of them', async () => {
    const files = { 'holdout.yaml': small('infer: true'), 'x.csv': 'a,b\n1,x\n' };
    const [shared, one, two] = [await makeBox(), await makeBox(files), await makeBox(files)];
    const env = { HOLDOUT_DIR: join(shared.folder, '.holdout') };
    const states: string[] = [];
    for (const checkout of [one, two, one]) {
      const { stdout } = await checkout.run(['run', '--json'], { env });
      states.push(JSON.stringify(actionsOf(JSON.parse(stdout) as Ran)));
    }
    const same = JSON.stringify({ raw: 'up-to-date', out: 'up-to-date' });
    expect(states).toEqual([JSON.stringify({ raw: 'add', out: 'run' }), same, same]);
  });

  it('keeps a dropped dataset dropped, and makes its rows again when they are read', async () => {
    const box = await makeRun();
    await box.json(['drop', 'train']);
    await box.write('holdout.yaml', chain.replace('id >= 0', 'id > -1'));
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual({ ...allAgain, raw: 'up-to-date' });
    await isSettled(box);
    const shown = await box.json<{ snapshot: string; storedBytes: number | null }>(['show', 'train@2']);
    expect(shown.storedBytes).toBeNull();
    expect(await box.json(['show', shown.snapshot.slice(7, 19)])).toMatchObject({ version: 2 });
    expect(await box.json(['verify', '--read-data'])).toMatchObject({ ok: true });
    expect((await box.run(['lineage', 'train'])).stdout).toContain('id > -1');
    const read = await box.run(['cat', 'train', '--limit', '1']);
    expect(read).toMatchObject({ status: 0, stderr: 'train@2 was dropped: making its rows again\n' });
    expect(await box.json(['verify', '--read-data'])).toMatchObject({ ok: true });
  });

  it('makes one entry a dataset where two runs meet', async () => {
    const box = await makeRun();
    await box.write('data/a.jsonl', respelled);
    const runs = await Promise.all([1, 2].map(() => box.run(['run'], { ownProcess: true })));
    expect(runs.map(({ status, stderr }) => [status, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ]);
    for (const name of ['raw', 'clean', 'own', 'train']) {
      expect((await box.json<{ entries: readonly unknown[] }>(['log', name])).entries).toHaveLength(2);
    }
    await isSettled(box);
  });

  it('takes another way of reading, and another folder of the pipeline, that give the same rows', async () => {
    const box = await makeBox({ 'holdout.yaml': small('infer: true'), 'x.csv': 'a,b\n1,x\n' });
    await box.json(['run']);
    await box.write('holdout.yaml', small("schema: 'a BIGINT, b VARCHAR'"));
    const declared = await box.run(['run']);
    expect(declared.stdout).toContain('raw: raw@2, 1 row, those of raw@1 (its files are read in another way)');
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual({ raw: 'up-to-date', out: 'up-to-date' });
    await rm(join(box.folder, 'holdout.yaml'));
    await box.write('sub/holdout.yaml', small("schema: 'a BIGINT, b VARCHAR'").replace('x.csv', '../x.csv'));
    const moved = await box.run(['-C', 'sub', 'run']);
    expect(moved.stdout).toContain('out: out@3, 1 row, those of out@2, with paths from another folder');
    expect(actionsOf(await box.json<Ran>(['-C', 'sub', 'run']))).toEqual({ raw: 'up-to-date', out: 'up-to-date' });
  });

  it('reads a file again whose new name says another format', async () => {
    const box = await makeBox({
      'holdout.yaml': 'version: 1\ndatasets:\n  raw: {files: x.csv}\n',
      'x.csv': 'a,b\n1,3\n',
    });
    await box.json(['run']);
    await rename(join(box.folder, 'x.csv'), join(box.folder, 'x.tsv'));
    await box.write('holdout.yaml', 'version: 1\ndatasets:\n  raw: {files: x.tsv}\n');
    const { stdout } = await box.run(['run', '--dry-run']);
    expect(stdout).toMatch(/^raw +add +its files are read in another way$/m);
    await box.run(['run']);
    const fresh = await makeBox({ 'holdout.lock': await lockOf(box) });
    await rm(join(fresh.folder, 'holdout.yaml'));
    await fresh.write('holdout.yaml', 'version: 1\ndatasets:\n  raw: {files: x.tsv}\n');
    await fresh.write('x.tsv', 'a,b\n1,3\n');
    for (const each of [box, fresh]) expect((await each.run(['run', '--frozen'])).status).toBe(0);
  });

  it('says before a run that it would stop at dropped rows that code of one’s own makes, and which version that is', async () => {
    const box = await makeRun();
    await box.json(['transform', 'own', 'copy', '--step', 'head: {n: 60}']);
    await box.json(['drop', 'own', '--run-code']);
    expect(actionsOf(await box.json<Ran>(['run', '--dry-run']))).toEqual(upToDate);
    await box.write('holdout.yaml', chain.replace('n: 70', 'n: 71'));
    const says = 'own@1 was dropped, and code of your own makes it: reading does not run that';
    const plan = await box.run(['run', '--dry-run']);
    expect(plan.stdout).toMatch(new RegExp(`^train +failed +${says};`, 'm'));
    expect(plan.status).not.toBe(0);
    const ran = await box.run(['run']);
    expect(ran.stderr).toContain(`error: train: ${says}`);
    expect(ran.stderr).toContain('hint: `holdout reproduce own@1 --run-code --restore`');
  });
});

describe('add and status after a file was renamed', () => {
  it('says that the content is held already, and names the new file in a version that comes back to it', async () => {
    const box = await makeBox();
    await box.json(['add', 'base', 'data/a.jsonl']);
    await rename(join(box.folder, 'data/a.jsonl'), join(box.folder, 'data/new.jsonl'));
    expect((await box.run(['status', 'base'])).stdout).toContain('(data/new.jsonl has its content)');
    const { stdout } = await box.run(['add', 'base', 'data/new.jsonl']);
    expect(stdout).toContain('base@1 holds this content already; no new version');
    await box.json(['add', 'base', 'data/b.jsonl']);
    await box.json(['add', 'base', 'data/new.jsonl']);
    expect((await box.run(['lineage', 'base'])).stdout).toContain('read data/new.jsonl → base@3');
  });
});
