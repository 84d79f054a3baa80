import { createHash } from 'node:crypto';
import { readFile, readdir, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Ran,
  actionsOf,
  lockOf,
  more,
  pipeline,
  question,
  rows,
  upToDate,
  usePipeline,
} from './pipeline-project.ts';
import { Sandbox, lines } from './run-cli.ts';

const { makeBox, makeRun, ran } = usePipeline();

const cleanTable = ({ datasets }: Ran): unknown => datasets.find(({ name }) => name === 'clean')?.table;

/** Every file of the store with its digest. */
async function storeOf(box: Sandbox): Promise<Record<string, string>> {
  const root = join(box.folder, '.holdout');
  const names = (await readdir(root, { recursive: true, withFileTypes: true })).filter((each) => each.isFile());
  const found: Record<string, string> = {};
  for (const { parentPath, name } of names) {
    const path = join(parentPath, name);
    found[path] = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  }
  return found;
}

describe('run', () => {
  it('makes every dataset, says why rows went, and writes the lock', async () => {
    const box = await makeBox();
    const { status, stdout } = await box.run(['run']);
    expect(status).toBe(0);
    expect(stdout).toContain('raw: raw@1, 60 rows');
    expect(stdout).toContain('  1. filter: keep rows where length(output) > 10: 60 → 26 (24 false, 10 null)');
    expect(stdout).toMatch(/ {2}2\. once \(dedupe\): .*26 → 15 \(11 duplicates\)$/m);
    expect(stdout).toContain('  1. concat: put other after it: 15 → 20 (5 added)');
    expect(stdout).toContain('check train against ev: CLEAN');
    expect(stdout).toContain('holdout.lock: written');
    const lock = await lockOf(box);
    expect(lock).toMatch(/^ {2}clean:\n {4}table: holdout-table-v1:[0-9a-f]{64}\n {4}schema: sha256:/m);
    expect(lock).not.toMatch(/20[0-9]{2}-|duckdb|node|work/);
    expect((await box.json<{ state: string }>(['reproduce', 'train'])).state).toBe('same');
  });

  it('runs nothing a second time, and leaves journal and lock as they are', async () => {
    const box = await makeRun();
    const [journal, lock] = [await box.json(['log']), await lockOf(box)];
    const again = await box.json<Ran>(['run']);
    expect(actionsOf(again)).toEqual(upToDate);
    expect(again.checks).toMatchObject([{ action: 'up-to-date', verdict: 'clean' }]);
    expect(again.lock).toEqual({ file: 'holdout.lock', written: false });
    expect(await box.json(['log'])).toEqual(journal);
    expect(await lockOf(box)).toBe(lock);
  });

  it('re-runs nothing for comments, descriptions, the order of keys, and files that were only touched', async () => {
    const box = await makeRun();
    const lock = await lockOf(box);
    const [, train = '', rest = ''] = /( {2}train:[^]*?)(evals:[^]*)/.exec(pipeline) ?? [];
    const sets = pipeline.slice(pipeline.indexOf('  raw:'), pipeline.indexOf('  train:'));
    await box.write(
      'holdout.yaml',
      `# a comment\n${rest}datasets:\n${train}${sets.replace('    from: raw', '    description: said\n    from: raw')}version: 1\n`,
    );
    await utimes(join(box.folder, 'data/a.jsonl'), new Date(2026, 0, 1), new Date(2026, 0, 1));
    const again = await box.json<Ran>(['run']);
    expect(actionsOf(again)).toEqual(upToDate);
    expect(await lockOf(box)).toBe(lock);
  });

  it('runs what stands behind a changed file or step, and nothing else', async () => {
    const box = await makeRun();
    await box.write('data/b.jsonl', lines(more.slice(1)));
    const first = await box.json<Ran>(['run']);
    expect(actionsOf(first)).toEqual({ ...upToDate, other: 'add', train: 'run' });
    expect(first.datasets.find(({ name }) => name === 'other')?.reason).toBe('data/b.jsonl has changed');
    await box.write('holdout.yaml', pipeline.replace('{n: 18}', '{n: 17}'));
    const second = await box.json<Ran>(['run']);
    expect(actionsOf(second)).toEqual({ ...upToDate, train: 'run' });
    expect(second.datasets.find(({ name }) => name === 'train')?.reason).toBe('step 2 (head): n: 18 → 17');
    // Steps that stand elsewhere are not compared with one another.
    await box.write('holdout.yaml', pipeline.replace('[head: {n: 18}]', '[shuffle: {seed: 3}, head: {n: 17}]'));
    const third = await box.json<Ran>(['run', '--dry-run']);
    expect(third.datasets.find(({ name }) => name === 'train')?.reason).toBe(
      'step 2 (shuffle) was not run on these rows yet',
    );
  });

  it('stops early where a step that was edited gives the same rows', async () => {
    const box = await makeRun();
    await box.write('holdout.yaml', pipeline.replace('length(output) > 10', 'length(output) >= 11'));
    const edited = await box.json<Ran>(['run']);
    expect(actionsOf(edited)).toEqual({ ...upToDate, clean: 'run', train: 'run' });
    expect(edited.datasets.find(({ name }) => name === 'clean')).toMatchObject({
      new: true,
      version: 2,
      sameRows: { version: 'clean@1', how: 'made by step 1 as filter@1 (keep rows where length(output) > 10)' },
    });
    expect(edited.lock.written).toBe(true);
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual(upToDate);
    await rm(join(box.folder, '.holdout/cache'), { recursive: true });
    expect(actionsOf(await box.json<Ran>(['run']))['train']).toBe('up-to-date');
  });

  it('shows in the lineage of a name the recipe that the file says now, whatever gave these rows before', async () => {
    const box = await makeRun();
    const first = 'length(output) > 10';
    const second = 'length(output) >= 11';
    await box.write('holdout.yaml', pipeline.replace(first, second));
    const plan = await box.run(['run', '--dry-run']);
    expect(plan.stdout).toContain(`clean  run         step 1 (filter): where: ${first} → ${second}`);
    const { stdout } = await box.run(['run']);
    expect(stdout).toContain(
      'clean: clean@2, 15 rows, those of clean@1, made by step 1 as filter@1 (keep rows where length(output) > 10)',
    );
    expect((await box.run(['lineage', 'clean'])).stdout).toContain(second);
    expect((await box.run(['lineage', 'clean@1'])).stdout).toContain(first);
    expect((await box.run(['log', 'clean'])).stdout).toMatch(/clean@2 .*, the rows of clean@1 by another recipe$/m);
    expect((await box.run(['run', '--frozen'])).status).toBe(0);
    // Back to a recipe whose outcome is known: nothing is run, and what stands behind only tells of it.
    await box.write('holdout.yaml', pipeline);
    const back = await box.run(['run', '--dry-run']);
    expect(back.stdout).toContain('clean  run         clean@2, its newest version, holds these rows by another recipe');
    expect(back.stdout).toContain(
      'train  run         it is made of clean, which gets a new version with the same rows',
    );
    expect(back.stdout).toContain('check train against ev: up to date');
    const again = await box.run(['run']);
    expect(again.stdout).toMatch(/1\. filter: .*, reused$/m);
    expect((await box.run(['lineage', 'clean'])).stdout).toContain(first);
  });

  it('names in a lineage the dataset that a step read, not a later one with the same rows', async () => {
    const box = await makeBox({
      'same.mjs': 'export default (row) => row;\n',
      'holdout.yaml': `version: 1
datasets:
  raw: {files: [data/a.jsonl], role: train}
  copy: {from: raw, steps: [module: {path: same.mjs}]}
  short: {from: raw, steps: [head: {n: 3}]}
  both: {from: short, steps: [concat: {with: [raw]}]}
`,
    });
    await box.json(['run']);
    for (const name of ['short', 'both']) {
      const { stdout } = await box.run(['lineage', name]);
      expect(stdout).toContain('raw@1');
      expect(stdout).not.toContain('copy@1');
    }
    expect((await box.run(['lineage', 'copy'])).stdout).toContain('same.mjs');
  });

  it('marks the steps of a dataset that were taken from an earlier run', async () => {
    const box = await makeRun();
    await box.write('holdout.yaml', pipeline.replace('{n: 18}', '{n: 17}'));
    const { stdout } = await box.run(['run']);
    expect(stdout).toMatch(/^ {2}1\. concat: .*\(5 added\), reused$/m);
    expect(stdout).toMatch(/^ {2}2\. head: .*\)$/m);
  });

  it('takes a dropped dataset as up to date, and leaves it dropped', async () => {
    const box = await makeRun();
    await box.json(['drop', 'train']);
    const journal = await box.json(['log']);
    expect(actionsOf(await box.json<Ran>(['run', '--dry-run']))).toEqual(upToDate);
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual(upToDate);
    expect(await box.json(['log'])).toEqual(journal);
    await box.write('holdout.yaml', pipeline.replace('{n: 18}', '{n: 17}'));
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual({ ...upToDate, train: 'run' });
  });

  it('warns once of a file that a command names and its step does not declare', async () => {
    const declared =
      'version: 1\ndatasets:\n  raw: {files: data/a.jsonl}\n' +
      '  out: {from: raw, steps: [{command: {run: [cat, "-", more.txt], files: [more.txt]}}]}\n';
    const box = await makeBox({ 'holdout.yaml': declared.replace(', files: [more.txt]', ''), 'more.txt': '' });
    const says = 'step 1 (command): more.txt is not in files: editing it re-runs nothing\n';
    const warning = `warning: holdout.yaml:4:29: out, ${says}`;
    const first = await box.run(['run']);
    expect(first.status).toBe(0);
    expect(first.stderr.split(warning)).toHaveLength(2);
    await box.write('holdout.yaml', declared);
    expect((await box.run(['run'])).stderr).not.toContain('warning');
    const step = "command: {run: 'cat - more.txt'}";
    expect((await box.run(['transform', 'raw', 'again', '--step', step])).stderr).toContain(`warning: ${says}`);
  });

  it('comes back to the version that the file describes', async () => {
    const box = await makeRun();
    const before = await ran;
    await box.json(['transform', 'clean', 'clean', '--step', 'head: {n: 1}']);
    const again = await box.json<Ran>(['run']);
    expect(actionsOf(again)).toEqual({ ...upToDate, clean: 'run', train: 'run' });
    expect(cleanTable(again)).toBe(cleanTable(before));
    expect(again.datasets.find(({ name }) => name === 'clean')?.version).toBe(3);
  });

  it('takes names, and runs these, their checks and what they need', async () => {
    const box = await makeBox();
    const clean = await box.json<Ran>(['run', 'clean']);
    expect(actionsOf(clean)).toEqual({ raw: 'add', clean: 'run' });
    expect(clean.checks).toEqual([]);
    const train = await box.json<Ran>(['run', 'train']);
    expect(actionsOf(train)).toEqual({ ...upToDate, other: 'add', train: 'run', ev: 'add' });
    expect(train.checks).toMatchObject([{ action: 'check', verdict: 'clean' }]);
    const wrong = await box.run(['run', 'trian']);
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('did you mean train?') as string });
    const none = await box.run(['run', 'nosuchname']);
    expect(none).toMatchObject({ status: 2, stderr: expect.stringMatching(/hint: it has raw, .*train/) as string });
  });

  it('is found from a folder below, with its files, and elsewhere by --file', async () => {
    const box = await makeBox({ 'deep/er/x.txt': '' });
    const below = await box.json<Ran>(['-C', 'deep/er', 'run']);
    expect(actionsOf(below)).toMatchObject({ raw: 'add', train: 'run' });
    expect(below.lock.written).toBe(true);
    await box.write('sub/other.yaml', 'version: 1\ndatasets:\n  sub: {files: ../data/b.jsonl}\n');
    const named = await box.json<Ran>(['run', '--file', 'sub/other.yaml']);
    expect(actionsOf(named)).toEqual({ sub: 'add' });
    expect(named.lock.file).toBe('sub/other.lock');
    expect(await readFile(join(box.folder, 'sub/other.lock'), 'utf8')).toContain('  sub:');
  });

  it('names the place of a check that cannot be made, and what to write there', async () => {
    const file = [
      'version: 1',
      'datasets:',
      '  raw: {files: a.jsonl}',
      '  ev: {files: b.jsonl}',
      'checks:',
      '  - {train: raw, against: ev}',
    ].join('\n');
    const box = await makeBox({ 'a.jsonl': '{"x":"a"}\n', 'b.jsonl': '{"n":1,"label":"b"}\n', 'holdout.yaml': file });
    expect(await box.run(['run'])).toMatchObject({
      status: 2,
      stderr:
        'error: check raw against ev: holdout.yaml:6:5: ev: none of its columns looks like a question\n' +
        'hint: Say which one is: by --fields question=label, in holdout.yaml by `fields: {question: label}`.\n',
    });
  });

  it('says how to write a pipeline where there is none', async () => {
    const box = await makeBox();
    await rm(join(box.folder, 'holdout.yaml'));
    const { status, stderr } = await box.run(['run']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/no holdout\.yaml here, nor in any folder above\n.*\n {2}version: 1\n {2}datasets:/);
  });

  it('takes a dataset of the store, also one version of it', async () => {
    const box = await makeBox({
      'holdout.yaml': 'version: 1\ndatasets:\n  out: {from: base@1, steps: [concat: {with: [base]}]}\n',
    });
    await box.json(['add', 'base', 'data/a.jsonl']);
    await box.json(['add', 'base', 'data/b.jsonl']);
    expect((await box.json<Ran>(['run'])).datasets).toMatchObject([{ name: 'out', rows: 65 }]);
  });
});

describe('run --dry-run', () => {
  it('says what would be done and why, and changes nothing', async () => {
    const box = await makeBox();
    const first = await box.run(['run', '--dry-run']);
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/^raw +add +it has no version yet\n[^]*^clean +unknown +until raw is run$/m);
    await box.json(['run']);
    await box.write('data/a.jsonl', lines(rows.slice(1)));
    await box.write('holdout.yaml', pipeline.replace('{n: 18}', '{n: 17}'));
    const [store, lock] = [await storeOf(box), await lockOf(box)];
    const { stdout } = await box.run(['run', '--dry-run']);
    expect(stdout).toMatch(/^raw +add +data\/a\.jsonl has changed\nother +up to date +other@1, 5 rows\n/);
    expect(stdout).toContain('check train against ev: unknown, until train is run\nnothing was changed');
    expect(await storeOf(box)).toEqual(store);
    expect(await lockOf(box)).toBe(lock);
  });
});

describe('a run that goes wrong', () => {
  it('stops what is made of the failing dataset, and nothing else', async () => {
    const box = await makeBox({
      'holdout.yaml': pipeline
        .replace('length(output) > 10', 'length(ouput) > 10')
        .replace('evals:', '  tail: {from: raw, steps: [skip: {n: 3}]}\nevals:'),
    });
    const { status, stdout, stderr } = await box.run(['run']);
    expect(status).toBe(2);
    expect(stderr).toContain('error: clean: holdout.yaml:8:9: step 1 (filter): there is no column');
    expect(stderr).toContain('did you mean output?');
    expect(stdout).toContain('train: not run, for clean failed');
    expect(stdout).toContain('tail: tail@1, 57 rows');
    expect(stdout).toContain('check train against ev: not run, for train failed');
    await expect(lockOf(box)).rejects.toThrow('ENOENT');
    expect((await box.run(['show', 'clean'])).status).toBe(2);
    await box.write('holdout.yaml', pipeline);
    expect(actionsOf(await box.json<Ran>(['run']))).toEqual({ ...upToDate, clean: 'run', train: 'run' });
  });

  it('says which store it uses where that is not the one beside the file', async () => {
    const box = await Sandbox.make({
      'inner/holdout.yaml': 'version: 1\ndatasets:\n  a: {files: a.jsonl}\n',
      'inner/a.jsonl': '{"a":1}\n',
    });
    await box.told(['init']);
    const { stderr } = await box.run(['-C', 'inner', 'run']);
    expect(stderr).toBe(
      'note: the store is ../.holdout, not beside holdout.yaml; `holdout init` there makes one of its own\n',
    );
    expect((await box.run(['run', '--frozen', '--file', 'inner/holdout.yaml'])).stderr).toContain(
      'note: the store is .holdout,',
    );
    await box.told(['-C', 'inner', 'init']);
    expect((await box.run(['-C', 'inner', 'run'])).stderr).toBe('');
    await box.remove();
  });

  it('fails for a leak, says where, and leaves the lock as it is', async () => {
    const box = await makeBox({ 'data/b.jsonl': lines([{ id: 9, instruction: question, output: 'x' }, ...more]) });
    const { status, stdout } = await box.run(['run']);
    expect(status).toBe(1);
    expect(stdout).toContain('check train against ev: LEAK');
    expect(stdout).toContain('holdout.lock: left as it is');
    await expect(lockOf(box)).rejects.toThrow('ENOENT');
    const where = /^ {2}ev item \d+ in data\/b\.jsonl:1: .*$/m;
    expect(stdout).toMatch(where);
    // The report that is kept names rows only; their places are looked up.
    const again = (await box.run(['run'])).stdout;
    expect(again).toContain('check train against ev: LEAK (as checked before)');
    expect(where.exec(again)).toEqual(expect.arrayContaining([...where.exec(stdout)!]));
    expect((await box.json<Ran>(['run'], 1)).checks).toMatchObject([{ action: 'up-to-date', verdict: 'leak' }]);
  });

  it('keeps what was finished before a step that fails, as its help says', async () => {
    const text = pipeline.replace('head: {n: 18}', "filter: {where: 'nothing_of_it > 1'}");
    const box = await makeBox({ 'holdout.yaml': text });
    expect((await box.run(['run'])).status).toBe(2);
    const kept = await box.json<{ datasets: readonly { readonly name: string }[] }>(['ls']);
    expect(kept.datasets.map(({ name }) => name).toSorted()).toEqual(['clean', 'ev', 'other', 'raw']);
    const { stdout } = await box.run(['run', '--help']);
    expect(stdout).toContain('what was finished before stays');
    expect(stdout).not.toContain('nothing was changed');
  });

  it('goes on after an interrupt with what is missing', async () => {
    const box = await makeBox();
    const { status } = await box.run(['run'], { signal: 'SIGINT' });
    expect(status).toBe(130);
    expect(await box.json(['verify', '--read-data'])).toMatchObject({ ok: true });
    const { entries } = await box.json<{ entries: readonly { readonly op: string }[] }>(['log']);
    const again = await box.json<Ran>(['run']);
    const left = again.datasets.filter(({ action }) => action !== 'up-to-date').length;
    expect(entries.filter(({ op }) => op === 'version').length + left).toBe(5);
    expect(again.datasets.map(({ version }) => version)).toEqual([1, 1, 1, 1, 1]);
  });

  it('names the missing file, and the role that is taken', async () => {
    const box = await makeBox({ 'holdout.yaml': 'version: 1\ndatasets:\n  raw: {files: nowhere.jsonl}\n' });
    const missing = await box.run(['run']);
    expect(missing).toMatchObject({ status: 2, stderr: expect.stringContaining('nowhere.jsonl') as string });
    await box.write('holdout.yaml', 'version: 1\ndatasets:\n  raw: {files: data/aa.jsonl}\n');
    const planned = await box.run(['run', '--dry-run']);
    expect(planned.stdout).toMatch(
      /^raw {2}failed {6}holdout\.yaml:3:16: data\/aa\.jsonl: no such file or folder; did you mean .*a\.jsonl\?$/m,
    );
    await box.json(['add', 'raw', 'eval.jsonl', '--role', 'eval']);
    await box.write('holdout.yaml', 'version: 1\ndatasets:\n  raw: {files: data/a.jsonl}\n');
    const role = await box.run(['run']);
    expect(role).toMatchObject({ status: 2, stderr: expect.stringContaining('role eval, not none') as string });
  });

  it('refuses a lock that was merged by halves, with the place', async () => {
    const box = await makeBox({ 'holdout.lock': 'version: 1\n<<<<<<< HEAD\ndatasets: {}\n' });
    const { status, stderr } = await box.run(['run']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/error: holdout\.lock:[0-9]+:[0-9]+: [^]*hint: restore it from version control/);
  });
});
