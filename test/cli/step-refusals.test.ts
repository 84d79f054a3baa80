/**
 * What a person can do wrong with steps, as commands: one clear error, the exit status for it, and a store that is
 * as it was.
 * @module
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

const rows = Array.from({ length: 8000 }, (_, id) => ({ id, text: `row ${id}`, source: 'abc'[id % 3] }));
const modules = {
  'throws.mjs': `export default (row) => {
  if (row.id === 7122) throw new TypeError('not this one');
  return row;
};`,
  'prints.mjs': `console.log('loading');
export default (row) => { if (row.id < 3) process.stdout.write('printed\\n'); return row; };`,
  'chance.mjs': 'export default (row) => ({ ...row, x: Math.random() });',
  'broken.mjs': 'export default (row) => {{ row',
  'other.mjs': 'export const clean = (row) => row;',
  'huge.mjs': 'export default (row) => (row.id === 5 ? { ...row, id: 10n ** 50n } : row);',
  'twins.mjs': 'export default (row) => (row.id === 5 ? { ...row, ID: 1 } : row);',
  'types.mjs': 'export default (row) => (row.id === 5 ? { ...row, id: "five" } : row);',
  'class.mjs': 'export default function* (row) { yield row; }',
  'escape.mjs': 'export default () => { throw new Error("\\u001b[2J"); };',
};

let box: Sandbox;
let before: readonly unknown[];
/** What could be half-made: journal entries, of which all names and versions follow, and scratch files. */
const stateOf = async (): Promise<readonly unknown[]> => [
  await readdir(join(box.folder, '.holdout', 'journal')),
  await readdir(join(box.folder, '.holdout', 'tmp')),
];
beforeAll(async () => {
  box = await Sandbox.make({ 'd.jsonl': lines(rows), ...modules });
  await box.run(['init']);
  await box.json(['add', 'd', 'd.jsonl']);
  await box.write('s.jsonl', lines(rows.slice(0, 40)));
  await box.json(['add', 's', 's.jsonl']);
  before = await stateOf();
});
afterAll(async () => box.remove());

const take = (step: object | string, from = 's', ...more: readonly string[]): ReturnType<Sandbox['run']> => {
  const text = typeof step === 'string' ? step : JSON.stringify(step);
  return box.run(['transform', from, 'out', '--step', text, ...more]);
};

describe('a step that is refused', () => {
  // What is left is looked at once, behind all of them.
  it.each<[step: object | string, says: string, status?: number]>([
    // Expressions.
    [{ filter: { where: 'id >' } }, 'error: holdout/filter: the expression ends too early\n'],
    [{ filter: { where: 'length(id > 20' } }, 'error: holdout/filter: the expression ends too early\n'],
    [{ filter: { where: "text = 'x" } }, `unterminated quoted string at or near "'x" at character 8\n`],
    [{ filter: { where: 'id > 1e400' } }, 'a number is too large for a DOUBLE'],
    [{ filter: { where: 'true) OR (true' } }, 'syntax error at or near ")" at character 5'],
    [{ derive: { columns: { x: 'id +' } } }, 'column "x": the expression ends too early'],
    [{ derive: { columns: { 'a\0b': 'id' } } }, 'a parameter holds a NUL character'],
    [{ derive: { columns: { '\ud800': 'id' } } }, 'half a surrogate pair'],
    [{ dedupe: { by: ['id', 'id'] } }, 'column "id" is named twice'],
    // YAML.
    ['sample: {count: *nowhere}', 'an alias (*NAME) cannot stand in a step'],
    ['sample: {count: 5, count: 6}', 'Map keys must be unique'],
    ['sample: {count: !!js/function "x"}', 'count: expected a number, not the text "x"'],
    // Queries.
    [{ sql: { query: '-- nothing' } }, 'the query is empty'],
    [{ sql: { query: 'SELECT 1e400 AS x FROM input' } }, 'too large for a DOUBLE'],
    [{ sql: { query: 'SELECT $1 AS x FROM input' } }, 'a parameter ($1, ?) has no value here'],
    [{ sql: { query: 'SELECT txet FROM input' } }, 'hint: near it: "text"'],
    [{ sql: { query: 'SELECT id FROM input WHERE' } }, 'error: holdout/sql: syntax error at end of input'],
    [{ sql: { query: "SELECT 'ü😀' AS é,\n  , id FROM input" } }, 'syntax error at or near "," at line 2, character 3'],
    [{ filter: { where: "text = 'ü😀' AND > 1" } }, 'syntax error at or near ">" at character 17'],
    [{ sql: { query: "SELECT * FROM read_text('/etc/passwd')" } }, 'the function read_text cannot stand in a FROM'],
    [{ sql: { query: "ATTACH 'x.db'" } }, 'only a SELECT can be run'],
    [{ sql: { query: "COPY input TO 'x.csv'" } }, 'only a SELECT can be run'],
    [{ sql: { query: 'SELECT random() AS x FROM input' } }, 'random may give another answer the next time'],
    // Modules.
    [{ module: { path: 'broken.mjs' } }, 'error: broken.mjs:1:31: '],
    [{ module: { path: 'other.mjs' } }, '"default" is no function (it exports clean)'],
    [{ module: { path: 'd.jsonl' } }, 'd.jsonl is no module: its name ends in none of .ts, .mts, .js, .mjs'],
    [{ module: { path: '.' } }, '. is no module'],
    [
      { module: { path: 'huge.mjs' } },
      's.jsonl:6: holdout/module: row 6: of what the module gave: the integer has more',
    ],
    [
      { module: { path: 'twins.mjs' } },
      's.jsonl:6: holdout/module: row 6: of what the module gave: the columns "id" and',
    ],
    [
      { module: { path: 'class.mjs' } },
      's.jsonl:1: holdout/module: row 1: Error: a row is an object, got an object that',
    ],
    [{ module: { path: 'escape.mjs' } }, 'row 1: Error: \\x1b[2J (escape.mjs:1:'],
    [{ module: { path: 'chance.mjs' } }, 'not deterministic: run twice on a sample, column "x"', 4],
    // Commands.
    [{ command: { run: 'head -20; exit 1' } }, 'ended with exit code 1'],
    [{ command: { run: 'kill -9 $$', deterministic: false } }, 'was ended by SIGKILL'],
    [{ command: { run: 'echo garbage' } }, "the command's output, line 1, column 1: the line holds no JSON object"],
    [{ command: { run: `printf '{"a":"\\377"}\\n'` } }, 'line 1, column 7: the string is not valid UTF-8'],
    [{ command: { run: 'exec <&-; sleep 60', timeout_s: 1, deterministic: false } }, 'took longer than 1 s'],
    [{ command: { run: ['cat'], fingerprint: 'false' } }, 'its fingerprint: false ended with exit code 1'],
    [{ command: { run: ['no-such-program'] } }, 'there is no program "no-such-program"'],
    [{ command: { run: ['./d.jsonl'] } }, './d.jsonl is no program that may be run'],
    [{ command: { run: [''] } }, 'run: it names no program'],
    [{ command: { run: ' ' } }, 'run: it names no program'],
    [{ command: { run: `echo "{\\"t\\":$$}"` } }, 'not deterministic', 4],
  ])('says so for %j', async (step, says, status = 2) => {
    const outcome = await take(step);
    expect(outcome).toEqual({ status, stdout: '', stderr: expect.stringContaining(says) as string });
    expect(outcome.stderr).toMatch(/^error: /m);
    expect(outcome.stderr).not.toMatch(/should not happen|\.holdout/);
  });

  it('names the row, its file and line, the place in the code and the value', async () => {
    const { status, stderr } = await take({ module: { path: 'throws.mjs' } }, 'd');
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^error: d\.jsonl:7123: holdout\/module: row 7,123: TypeError: not this one \(throws\.mjs:2:\d+\); the row: \{"id":7122,/,
    );
  });
});

describe('a store after refusals', () => {
  it('has no new entry and no scratch file', async () => {
    expect(await stateOf()).toEqual(before);
  });

  it('is intact, and takes the step when it is mended', async () => {
    expect(await box.json(['verify', '--read-data'])).toMatchObject({ ok: true });
    for (const [onError, left] of [
      ['drop', 7999],
      ['keep', 8000],
    ] as const) {
      const made = await box.json<{ rows: number }>([
        'transform',
        'd',
        onError,
        '--step',
        JSON.stringify({ module: { path: 'throws.mjs', on_error: onError } }),
      ]);
      expect(made).toMatchObject({ rows: left, steps: [{ dropped: { failed: 1 } }] });
    }
  });

  it('has standard output to itself where a module prints', async () => {
    const { status, stdout, stderr } = await take({ module: { path: 'prints.mjs' } }, 's', '--json');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 40 });
    expect(stderr).toContain('printed');
  });

  it('takes columns of any name', async () => {
    const names = [
      'holdout_position',
      'file_row_number',
      'rowid',
      'select',
      'target',
      'r',
      'm',
      'c0',
      'v0',
      'p',
      'line',
    ];
    const odd = ['a"b.c', 'line\nbreak', 'x'.repeat(300), '😀'];
    const columns = Object.fromEntries([...names, ...odd].map((name) => [name, 'id']));
    const steps = [
      { derive: { columns } },
      { filter: { where: 'rowid > 3 AND holdout_position < 30 AND "a""b.c" <> 7' } },
      { sql: { query: 'SELECT * FROM input WHERE p % 2 = 0' } },
      { command: { run: 'cat', carry: true } },
      { module: { path: 'one.mjs' } },
    ];
    await box.write('one.mjs', 'export default (row) => (row.id === 10 ? { ...row, source: "z" } : row);');
    const made = await box.json<{ rows: number }>([
      'transform',
      's',
      'odd',
      ...steps.flatMap((step) => ['--step', JSON.stringify(step)]),
    ]);
    expect(made.rows).toBe(13);
    const [first = ''] = (await box.run(['cat', 'odd'])).stdout.split('\n');
    expect(JSON.parse(first)).toMatchObject({ id: 4, rowid: 4, 'a"b.c': 4, 'line\nbreak': 4, '😀': 4, source: 'b' });
    expect(await box.json(['reproduce', 'odd', '--run-code'])).toMatchObject({ state: 'same' });
  });
});
