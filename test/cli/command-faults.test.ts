import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

// More than a pipe holds, so that a command which reads nothing leaves us with a write that fails.
const rows = Array.from({ length: 3000 }, (_, n) => ({ n, text: `row ${n} ${'x'.repeat(60)}` }));

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({ 'd.jsonl': lines(rows), 'no-program.txt': 'text' });
  await box.told(['init']);
  await box.told(['add', 'd', 'd.jsonl']);
});
afterAll(async () => box.remove());

/** A step that is run once, which spares the test the check of determinism. */
const step = (run: string | readonly string[], more: object = {}): string =>
  JSON.stringify({ command: { run, deterministic: false, ...more } });
const carry = { carry: true };
const take = (to: string, yaml: string): ReturnType<Sandbox['run']> => box.run(['transform', 'd', to, '--step', yaml]);

describe('a command that goes wrong ends with 2, one error, and nothing registered', () => {
  it.each([
    ['that fails after half of its rows', step('head -n 1500; exit 1'), /exit 1 ended with exit code 1\n$/],
    [
      'that breaks a line of its output',
      step(`sed '1200s/.$//'`),
      /command: the command's output, line 1,200, column \d+: the line ends too early.*\nhint: It prints one JSON/,
    ],
    [
      'that breaks its last line, of which the row can be made out',
      step(`sed 1d | head -n 1200 | sed '1200s/.$//' | head -c -1`, carry),
      /: d\.jsonl:1201: .*row 1,201: the command's output, line 1,200, column \d+: the line ends too early/,
    ],
    [
      'that passes on a number past the last row',
      step(`sed 's/"_row":7,/"_row":3000,/'`, carry),
      /line 8 of the command's output has "_row": 3000, and the rows it was given have the numbers 0 to 2,999\nhint: With `carry: true`/,
    ],
    [
      'that passes on a number before the first',
      step(`sed 's/"_row":7,/"_row":-1,/'`, carry),
      /line 8 .* has "_row": -1, and/,
    ],
    [
      'that passes on a text for a number',
      step(`sed 's/"_row":7,/"_row":"7",/'`, carry),
      /line 8 .* has "_row": "7", which is no row number/,
    ],
    [
      'that passes on half a number',
      step(`sed 's/"_row":7,/"_row":7.5,/'`, carry),
      /line 8 .* has "_row": 7\.5, which is no row number/,
    ],
    ['that leaves a number out', step(`sed 's/"_row":7,//'`, carry), /line 8 of the command's output has no "_row"\n/],
    ['that leaves all out', step(`sed 's/"_row":[0-9]*,//'`, carry), /line 1 of the command's output has no "_row"\n/],
    [
      'that says why, which is shown once',
      step('cat > /dev/null; echo first >&2; echo the reason >&2; exit 3'),
      /^first\nthe reason\nerror: .*; exit 3 ended with exit code 3; what it said stands above\n$/,
    ],
    ['that is not there', step(['no-such-program', '--x']), /there is no program "no-such-program"\nhint: .*PATH/],
    [
      'that a shell does not find',
      step('no-such-program --x'),
      /not found\n.*ended with exit code 127; what it said stands above\n$/,
    ],
    ['that is no program', step(['./no-program.txt']), /no-program\.txt is no program that may be run\nhint: .*chmod/],
  ])('%s', async (_, yaml, says) => {
    const { status, stdout, stderr } = await take('out', yaml);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr.match(/^error:/gm)).toHaveLength(1);
    expect(await readdir(join(box.folder, '.holdout', 'tmp'))).toEqual([]);
    expect((await box.run(['show', 'out'])).status).toBe(2);
  });
});

describe('a command that does not take all and give all is a filter, too', () => {
  it.each([
    ['prints nothing', step('cat > /dev/null'), '3,000 → 0 (3,000 dropped)', 0],
    ['never reads its standard input', step(`exec <&-; sleep 0.2; echo '{"n":1}'`), '3,000 → 1\n', 1],
    ['closes its standard output early', step('head -n 5; exec >&-; cat > /dev/null'), '3,000 → 5\n', 5],
    [
      'passes one number on twice',
      step(`sed 's/"_row":7,/"_row":6,/'`, carry),
      '3,000 → 3,000 (1 dropped, 1 repeated)',
      3000,
    ],
  ])('that %s', async (name, yaml, says, count) => {
    const to = name.replaceAll(' ', '-');
    const { status, stdout } = await take(to, yaml);
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining(says) });
    expect((await box.told(['cat', to])).split('\n')).toHaveLength(count + 1);
  });

  it('that puts rows in another order without their numbers keeps that order, and says that nothing traces them', async () => {
    await take('reversed', step('tac'));
    expect(await box.told(['cat', 'reversed'])).toBe(lines(rows.toReversed()));
    expect(await box.told(['trace', 'reversed', '--row', '1'])).toContain('does not say of which rows it made its own');
  });
});

describe('a column that becomes JSON is told with the first two rows and their kinds', () => {
  it.each([
    [
      'by a command that carries row numbers',
      step(`sed '/"n":4,/s/"text":"[^"]*"/"text":4/'`, carry),
      'text for row 1 (d.jsonl:1), a number for row 5 (d.jsonl:5)',
    ],
    [
      'by a command',
      step(`sed '/"n":4,/s/"text":"[^"]*"/"text":4/'`),
      'text in line 1 of its output, a number in line 5 of its output',
    ],
    [
      'by a module',
      'module: {path: m.mjs, deterministic: false}',
      'a truth value for row 3 (d.jsonl:3), a list for row 4 (d.jsonl:4)',
    ],
  ])('%s', async (name, yaml, says) => {
    await box.write('m.mjs', 'export default ({ n }) => ({ n, text: n < 2 ? null : n === 2 || [n] });');
    const { status, stdout } = await take(name.replaceAll(' ', '-'), yaml);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: expect.stringContaining(`; column "text" became JSON: ${says}\n`),
    });
  });
});
