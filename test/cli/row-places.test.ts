import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

interface Place {
  readonly line: number;
  readonly offset: number;
  readonly bytes: number;
  readonly text: string;
}

const rows = Array.from({ length: 40 }, (_, n) => ({ n, output: n === 31 ? 5 : `answer ${n}` }));

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({
    'first.jsonl': lines(rows.slice(0, 10)),
    'rest.json': JSON.stringify(rows.slice(10), null, 1),
    'nested.json': `\ufeff{"of": "a test", "rows":\n  [{"n": 1, "output": "é{]"}, {"n":\n 2, "output": "two"}\n]}`,
    'one.json': '\n\n {"n": 7,\n "output": "alone"}\n',
    'refuse-all.mjs': 'export default () => { throw new Error("refused"); };\n',
    'refuse.mjs': 'export default (row) => { if (row.n === 35) throw new Error("refused"); return row; };\n',
  });
  await box.told(['init']);
  await box.told(['add', 'd', 'first.jsonl', 'rest.json']);
  for (const name of ['nested', 'one']) await box.told(['add', name, `${name}.json`]);
  await writeFile(join(box.folder, 'packed.json.gz'), gzipSync(JSON.stringify(rows.slice(0, 3))));
  await box.told(['add', 'packed', 'packed.json.gz']);
});
afterAll(async () => box.remove());

describe('a row that a step fails on', () => {
  it('is named with its file and line, also of a JSON document and behind other steps', async () => {
    const steps = ['--step', 'skip: {n: 5}', '--step', 'module: {path: refuse.mjs}'];
    const { status, stderr } = await box.run(['transform', 'd', 'out', ...steps]);
    expect(status).toBe(2);
    // Four lines a row, behind the bracket.
    expect(stderr).toContain(`rest.json:${2 + 25 * 4}: `);
    expect(stderr).toContain('row 31: ');
  });

  it('is named with its file and line again when the steps before it are taken from an earlier run', async () => {
    const before = ['skip: {n: 5}', 'filter: {where: "n % 2 = 1"}', 'derive: {columns: {twice: n * 2}}', 'shuffle: {}'];
    const steps = [...before, 'module: {path: refuse.mjs}'].flatMap((step) => ['--step', step]);
    const [first, again] = [
      await box.run(['transform', 'd', 'out', ...steps]),
      await box.run(['transform', 'd', 'out', ...steps]),
    ];
    expect(first.stderr).toContain('rest.json:102: ');
    expect(again.stderr).toBe(first.stderr);
  });

  it('is named with its file and its row there where the file is packed', async () => {
    const { status, stderr } = await box.run([
      'transform',
      'packed',
      'out',
      '--step',
      'module: {path: refuse-all.mjs}',
    ]);
    expect(status).toBe(2);
    expect(stderr).toContain('row 1 (row 1 of packed.json.gz): ');
  });

  it('is named with its file and its row there where the line holds other rows, too', async () => {
    const steps = ['--step', 'skip: {n: 1}', '--step', 'module: {path: refuse-all.mjs}'];
    expect((await box.run(['transform', 'nested', 'out', ...steps])).stderr).toContain(
      'row 1 (row 2 of nested.json): ',
    );
  });
});

const placeOf = async (name: string, row: number) => {
  const traced = await box.json<{ rows: { source: Place }[] }>(['trace', name, '--row', String(row)]);
  return traced.rows[0]!.source;
};
const forward = (file: string, line: number) => box.run(['trace', '--forward', '--file', file, '--line', String(line)]);

describe('a row of a JSON document', () => {
  it('is traced to the line on which it begins and to its bytes', async () => {
    const raw = await readFile(join(box.folder, 'rest.json'));
    const { line, offset, bytes, text } = await placeOf('d', 36);
    expect(line).toBe(2 + 25 * 4);
    expect(raw.subarray(offset, offset + bytes).toString()).toBe(text);
    expect(JSON.parse(text)).toEqual(rows[35]);
    const shown = await box.told(['trace', 'd', '--row', '36']);
    expect(offset).toBe(1043);
    expect(shown).toContain(`rest.json:102, ${bytes} bytes from byte 1,043\n  { "n": 35, "output": "answer 35" }`);
  });

  it('is told without a line where the bytes are nowhere any more, unless the store keeps them', async () => {
    const text = JSON.stringify(rows.slice(0, 4), null, 2);
    for (const name of ['gone', 'kept']) await writeFile(join(box.folder, `${name}.json`), `${text}\n`);
    await box.told(['add', 'gone', 'gone.json']);
    await box.told(['add', 'kept', 'kept.json', '--raw']);
    for (const name of ['gone', 'kept']) await writeFile(join(box.folder, `${name}.json`), `${text} `);
    expect(await box.told(['trace', 'gone', '--row', '2'])).toContain(
      'gone.json, row 2; where its bytes begin is not known',
    );
    expect(await placeOf('kept', 2)).toMatchObject({ line: 6, offset: 50 });
    const { stderr } = await box.run(['transform', 'gone', 'out', '--step', 'module: {path: refuse-all.mjs}']);
    expect(stderr).toContain('row 1 (row 1 of gone.json): ');
  });

  it('is found among what stands around the rows, and where it is the whole document', async () => {
    const nested = await readFile(join(box.folder, 'nested.json'));
    const [first, second] = [await placeOf('nested', 1), await placeOf('nested', 2)];
    expect([first.line, second.line]).toEqual([2, 2]);
    for (const { offset, bytes, text } of [first, second]) {
      expect(nested.subarray(offset, offset + bytes).toString()).toBe(text);
    }
    expect([JSON.parse(first.text), JSON.parse(second.text)]).toEqual([
      { n: 1, output: 'é{]' },
      { n: 2, output: 'two' },
    ]);
    expect(await placeOf('one', 1)).toMatchObject({
      line: 3,
      offset: 3,
      bytes: 28,
      text: '{"n": 7,\n "output": "alone"}',
    });
  });

  it('is followed forward from any of its lines, and from no line that has none or several', async () => {
    for (const line of [102, 103, 105]) {
      const { stdout, status } = await forward('rest.json', line);
      expect([status, stdout]).toEqual([0, expect.stringContaining('d@1  the row itself: row 36') as string]);
    }
    expect((await forward('rest.json', 1)).stderr).toContain('rest.json:1 holds no row');
    expect((await forward('one.json', 4)).stdout).toContain('one@1  the row itself: row 1');
    expect((await forward('one.json', 5)).stderr).toContain('one.json:5 holds no row');
    expect((await forward('nested.json', 2)).stderr).toContain('nested.json has several rows on line 2');
    expect((await forward('nested.json', 3)).stdout).toContain('row 2');
  });
});
