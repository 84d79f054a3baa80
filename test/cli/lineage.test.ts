import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineageReport } from '../../dist/schemas/lineage.js';
import { Sandbox, lines } from './run-cli.js';

let box: Sandbox;
beforeAll(async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ id: i, text: 'x'.repeat(i % 7) }));
  box = await Sandbox.make({ 'a.jsonl': lines(rows), 'b <"&>.jsonl': lines(rows.slice(0, 10)) });
  const told = (...args: string[]): Promise<string> => box.told(args);
  await told('init');
  await told('add', 'a', 'a.jsonl');
  await told('add', 'b', 'b <"&>.jsonl');
  await told('transform', 'a', 'fa', '--step', `filter: {where: "text <> '</text><script>'"}`);
  const steps = ['concat: {with: [b, a]}', ...Array.from({ length: 30 }, (_, i) => `skip: {n: ${i % 2}}`)];
  await told('transform', 'fa', 'mix', ...steps.flatMap((step) => ['--step', step]));
});
afterAll(async () => box.remove());

describe('lineage', () => {
  it('tells each step once on a line of its own, also where there are thirty', async () => {
    const { stdout } = await box.run(['lineage', 'mix']);
    const told = stdout.split('\n');
    expect(told.slice(0, 2)).toEqual([
      'mix@1',
      expect.stringMatching(/^● 34 skip: .* → mix@1 +\d+ → \d+ {2}[0-9a-f]{12}$/),
    ]);
    expect(told.slice(31, 37).map((line) => line.slice(0, 24).trimEnd())).toEqual([
      '● 4 concat: put b@1, a@1',
      '├─○ 3 read b <"&>.jsonl',
      '├─→ step 1, a@1',
      `● 2 filter: keep rows wh`,
      '○ 1 read a.jsonl → a@1',
      '',
    ]);
    for (const line of told) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('tells long sentences in several lines where COLUMNS asks for few, and cuts no version', async () => {
    const where = `id >= 0 and ${Array.from({ length: 20 }, (_, i) => `id <> ${i}`).join(' and ')}`;
    await box.told(['transform', 'a', 'long', '--step', `filter: {where: "${where}"}`]);
    const { stdout } = await box.run(['lineage', 'long'], { env: { COLUMNS: '60' } });
    const [, ...told] = stdout.split('\n');
    expect(told.slice(0, 3)).toEqual([
      '● 2 filter: keep rows where id >= 0 and id <> 0 and id <> 1',
      expect.stringMatching(/^│ {3}and id <> 2 /),
      expect.stringMatching(/^│ {3}.*… → long@1$/),
    ]);
    for (const line of told) expect(line.length).toBeLessThanOrEqual(60);
    const svg = await box.told(['lineage', 'long', '--format', 'svg']);
    expect(svg.match(/<text class="says"/g)).toHaveLength(6);
    expect(svg).toContain('id &lt;&gt; 19\n(20 false)\n');
  });

  it('counts rows of other datasets under their names', async () => {
    const step = 'mixture: {weight: 3, with: [{dataset: b, weight: 1}], rows: 8}';
    expect(await box.told(['transform', 'a', 'mixed', '--step', step])).toContain('60 → 8 (6 of input, 2 of b)');
    expect(await box.told(['why', 'mixed'])).toContain('60 and 10 of b@1 → 8 (6 of input, 2 of b@1)');
  });

  it('is data of a stated shape', async () => {
    const report = lineageReport.parse(await box.json(['lineage', 'mix']));
    expect(report.steps.map(({ step }) => step)).toEqual(Array.from({ length: 34 }, (_, i) => i + 1));
    expect(report.steps[3]).toMatchObject({ kind: 'row-adding', inputs: [{ step: 2 }, { step: 3 }, { step: 1 }] });
    expect(report.steps[0]).toMatchObject({ kind: 'read', files: ['a.jsonl'], output: 'stored', code: 'own' });
  });

  it('is a picture without scripts, whatever the data is called', async () => {
    await box.run(['lineage', 'mix', '--output', 'mix.svg']);
    const svg = await readFile(join(box.folder, 'mix.svg'), 'utf8');
    expect(svg).not.toMatch(/<script|href|javascript:|<text>|on\w+=/);
    // Every tag is one that we write, and each is closed.
    const tags = [...svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)].map(
      ([, end, name, empty]) => `${end}${name}${empty}`,
    );
    const open: string[] = [];
    for (const tag of tags) {
      if (tag.endsWith('/')) continue;
      if (tag.startsWith('/')) expect(open.pop()).toBe(tag.slice(1));
      else open.push(tag);
    }
    expect(open).toEqual([]);
    expect(svg.match(/<rect /g)).toHaveLength(34);
    expect(svg).toContain('b &lt;&quot;&amp;&gt;.jsonl');
    expect(svg).toContain('prefers-color-scheme: dark');
  });

  it('is a flowchart in which no name can break out of its label', async () => {
    const { stdout } = await box.run(['lineage', 'mix', '--format', 'mermaid']);
    expect(stdout).toContain('s3[("3 read@1 → b@1<br/>read b #60;#34;#38;#62;.jsonl<br/>');
    expect(stdout.match(/-->/g)).toHaveLength(34);
  });

  it('refuses a format that it does not have', async () => {
    const { status, stderr } = await box.run(['lineage', 'mix', '--format', 'dot']);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'error: --format takes tree, json, mermaid, svg, not "dot"\n',
    });
  });
});
