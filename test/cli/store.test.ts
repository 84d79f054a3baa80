import { chmod, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

const rows = Array.from({ length: 40 }, (_, i) => ({ id: i, text: `row number ${i}`, tags: ['a', `t${i % 3}`] }));
const changed = rows.map((row) => (row.id === 7 ? { ...row, text: 'another text' } : row)).filter(({ id }) => id !== 9);

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({ 'train.jsonl': lines(rows), 'next.jsonl': lines(changed), 'dir/more.csv': 'a,b\n1,x\n' });
  await box.run(['init']);
  await box.json(['add', 'sft', 'train.jsonl', '--role', 'train']);
  await box.json(['add', 'sft', 'next.jsonl']);
  await box.json(['add', 'table', 'dir/more.csv', '--schema', 'a BIGINT, b VARCHAR', '--raw']);
});
afterAll(async () => box.remove());

describe('a store', () => {
  it('is made once', async () => {
    const { status, stderr } = await box.run(['init']);
    expect(status).toBe(2);
    expect(stderr).toContain('there is a store');
  });

  it('is found from folders below, by -C and by HOLDOUT_DIR', async () => {
    const here = await box.json(['ls']);
    await mkdir(join(box.folder, 'below'));
    expect(await box.json(['-C', 'below', 'ls'])).toEqual(here);
    const env = { HOLDOUT_DIR: join(box.folder, '.holdout') };
    const elsewhere = await box.run(['ls', '--json'], { env });
    expect(JSON.parse(elsewhere.stdout)).toEqual(here);
  });

  it('prints what was added', async () => {
    const result = await box.json(['add', 'sft', 'next.jsonl']);
    expect(Object.keys(result)).toEqual(
      'name version snapshot table schema setRoot itemsRoot rows logicalBytes storedBytes newBytes'.split(' '),
    );
    expect(result).toMatchObject({ name: 'sft', version: 2, rows: 39, itemsRoot: null, newBytes: 0 });
    const { stdout } = await box.run(['add', 'sft', 'next.jsonl']);
    expect(stdout).toMatch(/^sft@2 .*no new version\n/);
  });

  it('lists datasets and what happened', async () => {
    const { datasets } = await box.json<{ datasets: { name: string; version: number; role: string }[] }>(['ls']);
    expect(datasets.map(({ name, version, role }) => [name, version, role])).toEqual([
      ['sft', 2, 'train'],
      ['table', 1, 'none'],
    ]);
    expect((await box.run(['ls'])).stdout).toMatch(/^name +role +rows +table +added\nsft +@2 +train +39 /);
    const { entries } = await box.json<{ entries: { op: string; version?: number }[] }>(['log']);
    expect(entries.map(({ op }) => op)).toEqual(['version', 'version', 'version', 'init']);
    const { stdout } = await box.run(['log', 'sft', '-n', '1']);
    expect(stdout).toMatch(/ version {2}sft@2 {2}[0-9a-f]{12} {2}39 rows {2}from next\.jsonl\n$/);
  });

  it('shows a version by count and by the beginning of its id', async () => {
    const shown = await box.json<{ table: string; lineage: unknown[] }>(['show', 'sft@1']);
    expect(shown).toMatchObject({ name: 'sft', version: 1, rows: 40, role: 'train' });
    expect(shown).toMatchObject({
      columns: [{ name: 'id' }, { name: 'text', type: 'VARCHAR' }, { type: 'VARCHAR[]' }],
    });
    const prefix = shown.table.split(':')[1]?.slice(0, 8);
    expect(await box.json(['show', `sft@${prefix}`])).toEqual(shown);
    expect((await box.run(['show', 'sft'])).stdout).toContain('read next.jsonl → sft@2, 39 rows');
  });

  it.each(['show', 'cat', 'export', 'remove', 'reproduce'])('suggests a name to %s', async (command) => {
    const more = { export: ['--to', 'x.jsonl'], remove: ['--hits', 'abcd'] }[command] ?? [];
    const { status, stderr } = await box.run([command, 'stf', ...more]);
    expect(status).toBe(2);
    expect(stderr).toContain('no dataset "stf"');
    expect(stderr).toContain('did you mean sft?');
  });

  it('says which source files changed', async () => {
    await box.write('changing.jsonl', '{"a":1}\n');
    await box.json(['add', 'changing', 'changing.jsonl']);
    expect((await box.run(['status'])).stdout).toMatch(/^Nothing has changed/);
    await box.write('changing.jsonl', '{"a":2}\n');
    const { status, stdout } = await box.run(['status', 'changing', '--exit-code']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^changed +changing@1 +changing\.jsonl\n/);
    expect(stdout).toContain('; holdout add NAME FILES… makes the next version');
    await box.write('holdout.yaml', 'version: 1\ndatasets:\n  changing: {files: changing.jsonl}\n');
    const ofPipeline = await box.run(['status', 'changing']);
    expect(ofPipeline.stdout).toContain('; holdout run makes the next version of what changed\n');
    await box.write('holdout.yaml', 'datasets: [\n');
    const broken = await box.run(['status', 'changing']);
    expect(broken).toMatchObject({ status: 0, stdout });
    await rm(join(box.folder, 'holdout.yaml'));
  });

  it('says of standard input what --json says of it', async () => {
    await box.run(['add', 'piped', '-'], { stdin: '{"a":1}\n' });
    expect(await box.json(['status', 'piped'])).toMatchObject({ sources: [{ path: '-', state: 'gone' }] });
    const { stdout } = await box.run(['status', 'piped', '--exit-code']);
    expect(stdout).toBe('was standard input  piped@1  -\nNo source file to compare with\n');
  });

  it('tells rows added, removed and changed by key', async () => {
    const difference = await box.json<{ changed: { fields: unknown }[] }>(['diff', 'sft@1', 'sft@2', '--key', 'id']);
    expect(difference).toMatchObject({ same: false, counts: { added: 0, removed: 1, changed: 1, unchanged: 38 } });
    expect(difference.changed[0]?.fields).toEqual([
      { name: 'text', before: '"row number 7"', after: '"another text"' },
    ]);
    const text = await box.run(['diff', 'sft@1', 'next.jsonl', '--exit-code']);
    expect(text.status).toBe(1);
    expect(text.stdout).toContain('row number 9');
    expect(await box.run(['diff', 'sft', 'next.jsonl', '--exit-code'])).toMatchObject({ status: 0 });
  });

  it('streams rows, all or some, and ends quietly when nobody reads on', async () => {
    expect((await box.run(['cat', 'sft@1'])).stdout).toBe(lines(rows));
    expect((await box.run(['cat', 'sft@1', '--limit', '2'])).stdout).toBe(lines(rows.slice(0, 2)));
    await box.write('long.jsonl', lines(Array.from({ length: 30_000 }, (_, i) => ({ i, text: 'x'.repeat(80) }))));
    await box.json(['add', 'long', 'long.jsonl']);
    const { stderr } = await box.run(['cat', 'long'], { closeEarly: true });
    expect(stderr).toBe('');
  });

  it('prints JSON that any reader takes of rows of any length', async () => {
    const text = `NaN ${'x'.repeat(9_000_000)}`;
    await box.write('huge.jsonl', `{"a":NaN,"t":"${text}\\""}\n`);
    await box.json(['add', 'huge', 'huge.jsonl']);
    expect(await box.told(['cat', 'huge'])).toBe(`{"a":null,"t":"${text}\\""}\n`);
  });

  it('prints JSON that any reader takes: null for NaN and infinities, and how many there are', async () => {
    await box.write(
      'odd.jsonl',
      '{"a":NaN,"t":"NaN \\"-Infinity"}\n{"a":[-Infinity,1],"t":"é"}\n{"a":2,"t":"Infinity"}\n',
    );
    await box.json(['add', 'odd', 'odd.jsonl']);
    const { stdout, stderr } = await box.run(['cat', 'odd']);
    expect(stdout).toBe('{"a":null,"t":"NaN \\"-Infinity"}\n{"a":[null,1],"t":"é"}\n{"a":2,"t":"Infinity"}\n');
    expect(stderr).toBe('(2 values are NaN or infinite: JSON does not have them, so null stands there)\n');
    const query = "SELECT 'nan'::DOUBLE AS a, ['inf'::FLOAT, 1] AS l, NULL AS n";
    const inJsonl = await box.run(['sql', query, '--format', 'jsonl']);
    expect(inJsonl.stdout).toBe('{"a":null,"l":[null,1],"n":null}\n');
    expect(inJsonl.stderr).toContain('(2 values are NaN or infinite');
    expect((await box.run(['sql', query, '--format', 'csv'])).stdout).toBe('a,l,n\nNaN,"[""Infinity"",1]",\n');
  });

  it('answers SELECTs over snapshots, and nothing else', async () => {
    const query = 'SELECT count(*) AS n, (SELECT count(*) FROM "sft@1") AS before FROM sft';
    expect(await box.json(['sql', query])).toMatchObject({ rows: [[39, 40]] });
    expect((await box.run(['sql', query, '--format', 'csv'])).stdout).toBe('n,before\n39,40\n');
    expect((await box.run(['sql', query, '--format', 'jsonl'])).stdout).toBe('{"n":39,"before":40}\n');
    expect((await box.run(['sql', query])).stdout).toBe(' n  before\n39      40\n');
    const refused = ['DROP TABLE sft', "SELECT * FROM read_text('/etc/hostname')", 'SELECT * FROM nothing'];
    for (const each of refused) expect(await box.run(['sql', each])).toMatchObject({ status: 2, stdout: '' });
    expect((await box.run(['sql', 'SELECT * FROM stf'])).stderr).toMatch(/no table "stf"\nhint: did you mean sft\?/);
    expect((await box.run(['sql', 'DROP TABLE sft'])).stderr).toMatch(/only a SELECT.*\nhint: Data is never changed/);
  });

  it('gives long answers a page at a time, ends when nobody reads on, and when it is told to', async () => {
    const query = 'SELECT i, i % 7 AS m FROM range(200000) t(i) ORDER BY i DESC';
    const { stdout } = await box.run(['sql', query, '--format', 'jsonl']);
    expect(
      stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { i: number }).i),
    ).toEqual(Array.from({ length: 200_000 }, (_, i) => 199_999 - i));
    expect((await box.json<{ rows: unknown[] }>(['sql', query])).rows).toHaveLength(200_000);
    const shown = await box.run(['sql', query]);
    expect(shown.stdout.split('\n')).toHaveLength(1002);
    expect(shown.stderr).toContain('the first 1,000 of 200,000 rows');
    // All of it as rows of JavaScript would not fit.
    const env = { NODE_OPTIONS: '--max-old-space-size=120' };
    const long = ['sql', 'SELECT * FROM range(4000000)', '--format', 'jsonl'];
    expect(await box.run(long, { closeEarly: true, env })).toMatchObject({ status: 0, stderr: '' });
    for (const [signal, status] of [
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const) {
      expect(await box.run(long, { signal, env })).toMatchObject({ status });
    }
  });

  it('exports rows that have the same id, and raw files byte for byte', async () => {
    const { table } = await box.json(['show', 'sft@1']);
    for (const format of ['jsonl', 'parquet', 'arrow']) {
      await box.json(['export', 'sft@1', '--to', `out.${format}`, '--verify']);
      expect(await box.json(['id', `out.${format}`])).toMatchObject({ table });
    }
    for (const format of ['jsonl', 'csv', 'parquet', 'arrow']) {
      const path = join('nodir', `out.${format}`);
      expect(await box.run(['export', 'sft@1', '--to', path])).toEqual({
        status: 2,
        stdout: '',
        stderr: `error: cannot write ${join(box.folder, path)}: no such folder\nhint: Make the folder first.\n`,
      });
    }
    expect(await box.run(['export', 'sft@1', '--to', 'out.jsonl'])).toMatchObject({ status: 2 });
    expect(await box.run(['export', 'sft@1', '--to', 'out.jsonl', '--force'])).toMatchObject({ status: 0 });
    expect(await box.run(['export', 'sft@1', '--to', 'out.xyz'])).toMatchObject({ status: 2 });
    expect(await box.run(['export', 'sft@1', '--raw', 'out.jsonl'])).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^error: out\.jsonl: a file stands where a folder is needed\nhint: /) as string,
    });
    await box.json(['export', 'table', '--raw', 'raw']);
    expect(await readFile(join(box.folder, 'raw', 'more.csv'), 'utf8')).toBe('a,b\n1,x\n');
  });

  it('names what is damaged, and which versions that touches', async () => {
    const other = await Sandbox.make({ 'a.jsonl': lines(rows) });
    try {
      await other.run(['init']);
      await other.json(['add', 'a', 'a.jsonl']);
      expect(await other.json(['verify', '--read-data'])).toMatchObject({ ok: true, problems: [] });
      const parts = join(other.folder, '.holdout', 'parts');
      const [part = ''] = (await readdir(parts, { recursive: true })).filter((name) => name.includes('.'));
      await chmod(join(parts, part), 0o644);
      await writeFile(join(parts, part), 'damaged');
      const { ok, problems } = await other.json<{ ok: boolean; problems: { touches: string[] }[] }>(['verify'], 1);
      expect(ok).toBe(false);
      expect(problems[0]?.touches).toEqual(['a@1']);
      expect(await other.run(['cat', 'a'])).toMatchObject({ status: 5, stdout: '' });
      const { snapshot } = await other.json<{ snapshot: string }>(['show', 'a']);
      const hex = snapshot.slice(7);
      const folder = join(other.folder, '.holdout', 'records', hex.slice(0, 2));
      const [name = ''] = (await readdir(folder)).filter((each) => each.startsWith(hex));
      await rm(join(folder, name));
      expect(await other.run(['cat', 'a'])).toMatchObject({ status: 5, stdout: '' });
    } finally {
      await other.remove();
    }
  });
});
