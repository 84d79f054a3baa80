import fs from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { HoldoutError } from '../../dist/src/errors.js';
import { OwnSteps } from './own-steps.js';

const rows = Array.from({ length: 2000 }, (_, n) => ({ n, text: `row ${n}` }));
const clean = `import { up } from './lib/up.js';
import { basename } from 'node:path';
interface Row { n: number; text: string }
export default function clean(row: Row, context: { row: number; args: { skip: number } | null }): Row | null {
  console.log('printed by the module', basename('a/b'));
  if (row.n % 5 === (context.args?.skip ?? 3)) return null;
  return row.n === 7 ? row : { ...row, text: up<string>(row.text) };
}
export const twice = (row: Row) => [row, { ...row, text: row.text + '!' }];
`;
const up = 'export const up = <T extends string>(text: T): string => text.toUpperCase();\n';

let project: OwnSteps;
const made: OwnSteps[] = [];
afterEach(async () => {
  for (const each of made.splice(0)) await each.remove();
});

const make = async (modules: Readonly<Record<string, string>>, data: readonly unknown[] = rows): Promise<void> => {
  project = await OwnSteps.make(data, modules);
  made.push(project);
};
const failure = (yaml: string): Promise<HoldoutError> => project.failure(yaml);

/**
 * A project with twenty rows for all tests that write one module of their own. Where a step is declared not deterministic it
 * is one process in place of three to five; that others are tried on a sample is tested by itself.
 */
let small: OwnSteps;
const few = rows.slice(0, 20);
beforeAll(async () => {
  small = await OwnSteps.make(few);
});
afterAll(async () => small.remove());

/** How a module fails over the twenty rows. */
const failureOf = async (module: string, options = 'deterministic: false'): Promise<HoldoutError> => {
  await small.write('m.ts', module);
  return small.failure(`module: {path: m.ts, ${options}}`);
};

describe('a module', () => {
  it('in TypeScript changes, drops and keeps rows, in the order of the input and traced to it', async () => {
    await make({ 'steps/clean.ts': clean, 'steps/lib/up.ts': up });
    const { rowsOut, counts } = await project.take('module: {path: steps/clean.ts}');
    const kept = rows.filter(({ n }) => n % 5 !== 3);
    expect(rowsOut).toEqual(kept.map((row) => (row.n === 7 ? row : { ...row, text: row.text.toUpperCase() })));
    expect(counts).toEqual({ returnedNothing: 400, failed: 0, changed: kept.length - 1 });
    expect(await project.linesOf('out')).toEqual(kept.map(({ n }) => n + 1));
    const again = await project.take('module: {path: steps/clean.ts}', { to: 'again', threads: 7 });
    expect(again).toMatchObject({ reused: true });
    expect((await project.reproduce()).state).toBe('same');
    expect((await project.reproduce('out', false)).state).toBe('cannot-tell');
  });

  it('is an overlay where it gives rows back as they were', async () => {
    await small.write('only.mjs', 'export default (row) => (row.n < 10 ? row : null);');
    const parts = (await small.workspace.store.stats()).parts;
    const { rowsOut } = await small.take('module: {path: only.mjs, deterministic: false}');
    expect(rowsOut).toEqual(rows.slice(0, 10));
    expect((await small.workspace.store.stats()).parts).toBe(parts);
  });

  it('may export its function under a name, give several rows, and take arguments', async () => {
    await make({ 'clean.ts': clean, 'lib/up.ts': up });
    const { rowsOut } = await project.take('module: {path: clean.ts, export: twice}');
    expect(rowsOut).toHaveLength(4000);
    expect(rowsOut.slice(2, 4)).toEqual([rows[1], { n: 1, text: 'row 1!' }]);
    const { counts } = await project.take('module: {path: clean.ts, args: {skip: 9}, deterministic: false}');
    expect(counts['returnedNothing']).toBe(0);
  });

  it('may give very many rows for one, which come in pieces', async () => {
    const module = `const many = Array.from({ length: 100_000 }, (_, i) => ({ n: i, text: 'a text of some length ' + i }));
export default (row) => (row.n === 1 ? many : row.n === 2 ? [row, row] : row);`;
    await make({ 'm.mjs': module }, rows.slice(0, 4));
    const { rowsOut } = await project.take('module: {path: m.mjs, deterministic: false}');
    expect(rowsOut).toHaveLength(100_004);
    expect(rowsOut.slice(100_000)).toEqual([
      { n: 99_999, text: 'a text of some length 99999' },
      ...[2, 2, 3].map((n) => rows[n]),
    ]);
    expect((await project.linesOf('out')).slice(99_999)).toEqual([2, 2, 3, 3, 4]);
  });

  it('sees every value exactly, and gives it back so', async () => {
    const exact = [
      '{"big":9007199254740993,"huge":12345678901234567890123456789,"float":0.1,"far":1e300,"text":"\\ud83d\\ude00 \\u2028","list":[1,null,{"a":9007199254740995}]}',
      '{"big":1,"huge":2,"float":2.5,"far":1.5,"text":"","list":[]}',
    ];
    const module = `export default (row) => ({ kind: typeof row.big, ...row, more: typeof row.big === 'bigint' ? row.big + 2n : 1 });`;
    await make({ 'm.js': module }, exact);
    await project.take('module: {path: m.js, deterministic: false}');
    const [first = '', second = ''] = await project.workspace.lines('out', true);
    const [wanted = ''] = await project.workspace.lines('data', true);
    expect(first).toContain('"kind":"bigint"');
    expect(first).toContain('"more":9007199254740995');
    expect(first).toContain(wanted.slice(1, -1));
    expect(second).toContain('"kind":"number"');
  });

  it('keeps the types of the columns that it leaves, drops columns that no row has, and takes new ones', async () => {
    await small.write('m.js', 'export default ({ n, ...row }) => ({ ...row, length: row.text.length, tags: ["a"] });');
    await small.take('module: {path: m.js, deterministic: false}');
    const { columns } = await small.workspace.read('out', (reader) => Promise.resolve(reader.schema));
    expect(columns).toEqual([
      { name: 'text', type: 'VARCHAR' },
      { name: 'length', type: 'BIGINT' },
      { name: 'tags', type: { list: 'VARCHAR' } },
    ]);
  });
});

/** Columns and lines of the table `typed` after a module whose function gives this. */
const columnsAfter = async (body: string): Promise<unknown> => {
  await small.write('m.js', `export default (row) => (${body});`);
  await small.take('module: {path: m.js, deterministic: false}', { from: 'typed' });
  const types = await small.workspace.read('out', ({ schema }) => {
    return Promise.resolve(schema.columns.map(({ name, type }) => `${name} ${JSON.stringify(type)}`));
  });
  return { types, lines: await small.workspace.lines('out', true) };
};

describe('the types of what a module gives', () => {
  const typed = {
    type: 'holdout/schema@1' as const,
    columns: [
      { name: 'day', type: 'DATE' as const },
      { name: 'price', type: { decimal: [10, 2] as const } },
      { name: 'n', type: 'BIGINT' as const },
      { name: 'text', type: 'VARCHAR' as const },
    ],
  };
  const csv = 'day,price,n,text\n2024-01-02,1.50,1,a\n2024-02-03,2.25,2,b\n';
  beforeAll(async () => {
    const { workspace } = small;
    await workspace.add('typed', await workspace.write('typed.csv', csv), { schema: typed });
  });
  const had = ['day "DATE"', 'price {"decimal":[10,2]}', 'n "BIGINT"', 'text "VARCHAR"'];

  it.each([
    ['{ ...row, text: row.text + row.day }', had, '{"day":"2024-01-02","price":"1.50","n":1,"text":"a2024-01-02"}'],
    ['row.n === 1 ? { ...row, n: 7 } : row', had, '{"day":"2024-01-02","price":"1.50","n":7,"text":"a"}'],
    ['{ ...row, day: null, n: null }', had, '{"day":null,"price":"1.50","n":null,"text":"a"}'],
    [
      'row.n === 1 ? { ...row, n: 0.5 } : row',
      had.with(2, 'n "DOUBLE"'),
      '{"day":"2024-01-02","price":"1.50","n":0.5,"text":"a"}',
    ],
    [
      '{ ...row, text: [row.text] }',
      had.with(3, 'text {"list":"VARCHAR"}'),
      '{"day":"2024-01-02","price":"1.50","n":1,"text":["a"]}',
    ],
    [
      'row.n === 1 ? { ...row, more: 1 } : row',
      [...had, 'more "BIGINT"'],
      '{"day":"2024-01-02","price":"1.50","n":1,"text":"a","more":1}',
    ],
  ])('%s keeps what it can', async (body, types, line) => {
    expect(await columnsAfter(body)).toMatchObject({ types, lines: [line, expect.any(String)] });
  });

  it('cannot change for some rows only what the others still hold', async () => {
    const module = 'export default (row) => (row.n === 1 ? { ...row, text: [row.text] } : row);';
    expect(await failureOf(module)).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('text'),
    });
  });
});

describe('the identity of a module', () => {
  it('is the files that it imports: an edited one runs again, another does not', async () => {
    await make({ 'steps/clean.ts': clean, 'steps/lib/up.ts': up, 'steps/other.ts': 'export {}' }, few);
    const step = 'module: {path: steps/clean.ts, deterministic: false}';
    const { derivation } = await project.take(step);
    expect(derivation.code).toMatchObject({
      files: [{ path: 'steps/clean.ts' }, { path: 'steps/lib/up.ts' }],
      packages: [],
      builtins: ['node:path'],
      unvouched: [],
    });
    await project.write('steps/other.ts', 'export const changed = 1;');
    expect(await project.take(step)).toMatchObject({ reused: true });
    await project.write('steps/lib/up.ts', up.replace('toUpperCase', 'toLowerCase'));
    expect(await project.take(step)).toMatchObject({ reused: false });
  });

  it('names the version of each package that it imports, and fails without one', async () => {
    const module = `import { shout } from 'shout/loud';\nexport default (row) => ({ ...row, text: shout(row.text) });`;
    await make({
      'm.ts': module,
      'node_modules/shout/package.json': JSON.stringify({
        name: 'shout',
        version: '1.2.3',
        type: 'module',
        exports: { './loud': './index.js' },
      }),
      'node_modules/shout/index.js': 'export const shout = (text) => `${text}!`;',
    });
    const { derivation, rowsOut } = await project.take('module: {path: m.ts, deterministic: false}');
    expect(derivation.code).toMatchObject({ packages: ['shout@1.2.3'], unvouched: [] });
    expect(rowsOut[1]).toEqual({ n: 1, text: 'row 1!' });
    await project.write('m.ts', `import 'nowhere';\n${module}`);
    expect(await failure('module: {path: m.ts}')).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('no package "nowhere"'),
      place: { file: 'm.ts', line: 1 },
    });
  });

  it('says what it does not cover', async () => {
    const module = `import { readFileSync } from 'node:fs';\nconst words = readFileSync('words.txt', 'utf8');\nexport default (row) => ({ ...row, words });`;
    await make({ 'm.ts': module, 'words.txt': 'a' }, rows.slice(0, 3));
    const step = 'module: {path: m.ts, deterministic: false';
    process.chdir(project.workspace.folder);
    const open = await project.take(`${step}}`);
    expect(open.derivation.code).toMatchObject({ unvouched: [expect.stringContaining('node:fs')] });
    const declared = await project.take(`${step}, files: [words.txt]}`);
    expect(declared.derivation.code).toMatchObject({ unvouched: [], files: [{ path: 'm.ts' }, { path: 'words.txt' }] });
    await project.write('words.txt', 'b');
    const again = await project.take(`${step}, files: [words.txt]}`);
    expect(again).toMatchObject({ reused: false, rowsOut: [{ words: 'b' }, {}, {}] });
    process.chdir('/');
  });

  it.each([
    ['export default (row) => import(row.text);', 'USAGE', 1, /known only when it runs/],
    ['import "./gone.ts";\nexport default (row) => row;', 'NOT_FOUND', 1, /no such file/],
    ['\nexport default (row: = 3) => row;', 'INPUT_INVALID', 2, /Unexpected token/],
    ['export default (row) => row;\nenum A { b }', 'INPUT_INVALID', 2, /enum/],
  ])('refuses %j', async (module, code, line, says) => {
    const error = await failureOf(module);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says), place: { file: 'm.ts', line } });
  });
});

describe('a module that fails', () => {
  const thrower = `export default (row: { n: number }) => {
  if (row.n === 1500 || row.n === 1700) throw new TypeError('not this one');
  return row;
};`;

  it('names the row, its line, what it threw, where, and the row; nothing is registered', async () => {
    await make({ 'steps/m.ts': thrower });
    expect(await failure('module: {path: steps/m.ts}')).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(
        /row 1,501: TypeError: not this one \(steps\/m\.ts:2:\d+\); the row: \{"n":1500,"text":"row 1500"\}/,
      ),
      place: { file: expect.stringMatching(/data\.jsonl$/), line: 1501 },
    });
  });

  it('goes on without those rows, or with them as they were, where that is asked for, and counts them', async () => {
    await make({ 'm.ts': thrower });
    const dropped = await project.take('module: {path: m.ts, on_error: drop}');
    expect(dropped.counts).toMatchObject({ failed: 2 });
    expect(dropped.rowsOut).toHaveLength(1998);
    const kept = await project.take('module: {path: m.ts, on_error: keep, deterministic: false}');
    expect(kept.counts).toMatchObject({ failed: 2 });
    expect(kept.rowsOut).toEqual(rows);
    expect(kept.derivation.params).toMatchObject({ on_error: 'keep' });
  });

  it.each([
    ['for (;;);', /took longer than 300 ms for this row/],
    ['await new Promise(() => {});', /took longer than 300 ms for this row/],
    ['process.exit(0);', /ended its process/],
    ['process.kill(process.pid, "SIGKILL");', /was ended by SIGKILL/],
    ['setTimeout(() => { throw new Error("late"); }); await new Promise(() => {});', /late/],
    ['return { ...row, when: new Date(0) };', /"when" is a Date/],
    ['return 7;', /a row is an object, got a number/],
    ['return { ...row, half: "\\ud800" };', /half a surrogate pair/],
  ])('by %j is named with its row', async (body, says) => {
    const module = `export default async (row) => { if (row.n === 3) { ${body} } return row; };`;
    const error = await failureOf(module, 'timeout_ms: 300, memory_mb: 32, deterministic: false');
    expect(error.message).toMatch(/row 4: /);
    expect(error.message).toMatch(says);
  });

  it.each([
    ['arrays', 'const a = []; for (;;) a.push(new Array(1000).fill(row.n));'],
    ['one array', 'const a = [1]; for (;;) a.push(...a);'],
    ['text', 'let t = "ab"; for (;;) t = (t + t).replace("b", "bb");'],
    ['buffers', 'const a = []; for (;;) a.push(Buffer.alloc(1 << 22, 1));'],
    ['array buffers', 'const a = []; for (;;) a.push(new Uint8Array(1 << 22).fill(1));'],
  ])('for want of memory for %s is named with its row', async (_, body) => {
    const module = `export default (row) => { if (row.n === 3) { ${body} } return row; };`;
    const error = await failureOf(module, 'memory_mb: 32, deterministic: false');
    expect(error.message).toMatch(/row 4: .*(?:needs more than 32 MB|RangeError)/);
  });

  it('by a value that the rows beside it do not take is named with both rows', async () => {
    const module = 'export default (row) => (row.n < 5 ? row : { ...row, text: row.n === 9 ? 9 : "new" });';
    expect(await failureOf(module)).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(
        /row 10: column "text" holds a number in the new row, and VARCHAR in row 1 \(.*data\.jsonl:1\), which/,
      ),
      place: { file: expect.stringMatching(/data\.jsonl$/), line: 10 },
    });
  });

  it('by such a value behind text with every end of a line that text may hold is named with both rows', async () => {
    const module =
      'export default (row) => (row.n < 5 ? row : { ...row, text: row.n === 9 ? 9 : "a\\u2028b\\u2029c\\rd" });';
    expect((await failureOf(module)).message).toMatch(/row 10: column "text" holds a number/);
  });

  it.each([
    ['bytes without sense', 'Buffer.alloc(64, 255)'],
    ['a byte', 'Buffer.from("\\n")'],
    ['text', '"hello, world"'],
  ])('by %s that it writes among the messages is named with a row', async (_, bytes) => {
    const module = `import { writeSync } from 'node:fs';
export default (row) => { if (row.n === 3) writeSync(3, ${bytes}); return row; };`;
    expect(await failureOf(module)).toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/row \d+: .*it wrote to descriptor 3, which is Holdout's own/),
    });
  });

  it('for want of a function says what it exports', async () => {
    expect((await failureOf('export const other = 1;')).message).toMatch(
      /"default" is no function \(it exports other\)/,
    );
  });
});

describe('a disk that is full in the middle of a step', () => {
  it('is said with its path, and nothing is registered', async () => {
    await make({ 'm.js': 'export default (row) => ({ ...row, more: 1 });' });
    const { write } = fs;
    onTestFinished(() => void (fs.write = write));
    const failing = (fd: number, ...rest: unknown[]): void => {
      if (!fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith('module.jsonl'))
        return Reflect.apply(write, fs, [fd, ...rest]);
      const error = Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' });
      (rest.at(-1) as (cause: Error) => void)(error);
    };
    fs.write = Object.assign(failing, write);
    expect(await failure('module: {path: m.js, deterministic: false}')).toMatchObject({
      code: 'IO',
      message: expect.stringMatching(/cannot write .*module\.jsonl: ENOSPC/),
      hint: expect.stringContaining('The disk is full'),
    });
    fs.write = write;
    expect((await project.take('module: {path: m.js, deterministic: false}')).rowsOut).toHaveLength(rows.length);
  });
});

describe('a module that is not deterministic', () => {
  it.each([
    ['export default (row) => ({ ...row, x: Math.random() });', 'x'],
    ['export default (row) => ({ ...row, at: new Date().getFullYear() });', 'at'],
    ['let seen = 0;\nexport default (row) => ({ ...row, seen: seen++ });', 'seen'],
  ])('is found out: %j', async (module, column) => {
    await make({ 'm.ts': module });
    const error = await failure('module: {path: m.ts}');
    expect(error.code).toBe('NOT_DETERMINISTIC');
    expect(error.message).toContain(`column "${column}" of row `);
    expect(error.hint).toContain('deterministic: false');
  });

  it('is run once where it is declared so, by one worker that sees all rows in order', async () => {
    await make({ 'm.ts': 'let seen = 0;\nexport default (row) => ({ ...row, seen: seen++, x: Math.random() });' });
    const step = 'module: {path: m.ts, deterministic: false}';
    const { rowsOut, table } = await project.take(step);
    expect(rowsOut.map(({ seen }) => seen)).toEqual(rows.map(({ n }) => n));
    expect(await project.take(step)).toMatchObject({ reused: true, table });
    const { state, steps } = await project.reproduce();
    expect({ state, taken: steps.at(-1)?.taken }).toEqual({ state: 'same', taken: true });
  });
});
