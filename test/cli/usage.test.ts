import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../dist/cli/command-table.js';
import { exitMeaning, exitStatusOf } from '../../dist/cli/exit-codes.js';
import { Sandbox } from './run-cli.js';

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({ 'bad.jsonl': '{"a":1}\n{"a":\n', 'good.jsonl': '{"a":1}\n' });
});
afterAll(async () => box.remove());

describe('the command line', () => {
  it('lists every command, and the exit statuses', async () => {
    const { status, stdout } = await box.run(['--help']);
    expect(status).toBe(0);
    for (const { name } of commands) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    for (const [code, meaning] of exitMeaning) expect(stdout).toContain(`${code}`.padEnd(4) + meaning);
  });

  it.each(commands.map(({ name }) => name))(
    '%s --help has an example, exit statuses and the shape of --json',
    async (name) => {
      const { status, stdout } = await box.run([name, '--help']);
      expect(status).toBe(0);
      expect(stdout).toContain(`$ holdout ${name}`.replace('$ holdout check', 'holdout check'));
      expect(stdout).toContain('Exit status:\n  0 ');
      expect(stdout).toContain('--json prints:');
      const codes = [...stdout.split('Exit status:')[1]!.matchAll(/^ {2}(\d+) /gm)].map(([, code]) => Number(code));
      expect(codes).toEqual([...new Set(codes)].sort((a, b) => a - b));
    },
  );

  it.each(['', ...commands.map(({ name }) => name)])(
    '%s --help fits a narrow terminal, but for examples',
    async (name) => {
      const args = name === '' ? ['--help'] : [name, '--help'];
      const { stdout } = await box.run(args, { env: { COLUMNS: '60' } });
      const wide = stdout.split('\n').filter((line) => line.length > 60 && !line.startsWith('  $ '));
      expect(wide).toEqual([]);
    },
  );

  it('without a command says what there is, and that this was none', async () => {
    const { status, stdout, stderr } = await box.run([]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('Usage: holdout');
  });

  it.each([
    [['chek'], "error: unknown command 'chek'\nhint: Did you mean check?\n"],
    [['ls', '--jsn'], "error: unknown option '--jsn'\nhint: Did you mean --json?\n"],
    [['id'], "error: missing required argument 'files'\n"],
    [['check', 'good.jsonl'], 'error: --against EVAL… says which eval sets to look for\n'],
    [['check', '--against', 'good.jsonl'], 'error: no training set was named\n'],
    [['id', 'good.jsonl', '--schema', 'a WORD'], 'error: --schema: unknown type WORD at the end\n'],
    [['id', 'good.jsonl', '--format', 'xml'], 'error: --format takes jsonl, json, csv'],
    [['id', 'absent.jsonl'], 'error: absent.jsonl: no such file or folder\n'],
    [['id', 'god.jsonl'], 'error: god.jsonl: no such file or folder\nhint: did you mean good.jsonl?\n'],
    [
      ['check', './goood.jsonl', '--against', 'good.jsonl'],
      'error: ./goood.jsonl: no such file or folder\nhint: did you mean good.jsonl?\n',
    ],
    [['check', 'good.jsonl', '--against', 'good.jsonl', '--schema', 'a WORD'], 'error: --schema: unknown type WORD'],
    [['sql', ' '], 'error: the query is empty\n'],
    [['compact', '--grace', '999999'], 'error: --grace takes a whole number of days up to 99999, got "999999"\n'],
    [['export', 'x', '--to', 'x.jsonl/'], 'error: --to x.jsonl/: this names a folder'],
    [['-C', 'nowhere', 'ls'], 'error: -C nowhere: no such folder\n'],
  ])('refuses %j with status 2', async (args, message) => {
    const { status, stdout, stderr } = await box.run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.startsWith(message)).toBe(true);
  });

  it('refuses a number of threads that is none, before anything is done', async () => {
    const { status, stdout, stderr } = await box.run(['init'], { env: { HOLDOUT_THREADS: '0' } });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe('error: HOLDOUT_THREADS takes a whole number from 1 to 256, got "0"\n');
    expect((await box.run(['ls'])).stderr).toContain('no store here');
  });

  it('names file, line and column of bad input, as text and as JSON', async () => {
    const { status, stdout, stderr } = await box.run(['id', 'bad.jsonl', '--json']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^error: bad\.jsonl:2:\d+: /);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'INPUT_INVALID', file: 'bad.jsonl', line: 2 } });
  });

  it('says that there is no store, with status 5', async () => {
    const { status, stderr } = await box.run(['ls']);
    expect(status).toBe(5);
    expect(stderr).toContain('no store here');
    expect(stderr).toContain('holdout init');
  });

  it.each(['trace', 'why'])('says in %s --help that rows count from another number in --json', async (name) => {
    const { stdout } = await box.run([name, '--help']);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('counted from 1 (in --json rows are counted from 0)');
  });

  it('maps every error code to a status that help explains', () => {
    const explained = new Set(exitMeaning.map(([code]) => code));
    for (const status of Object.values(exitStatusOf)) expect(explained.has(status)).toBe(true);
  });

  it('identifies files and standard input alike', async () => {
    const fromFile = await box.json(['id', 'good.jsonl']);
    expect(Object.keys(fromFile)).toEqual(['table', 'schema', 'setRoot', 'rows']);
    const fromInput = await box.run(['id', '-', '--json'], { stdin: '{"a":1}\n' });
    expect(JSON.parse(fromInput.stdout)).toEqual(fromFile);
  });
});
