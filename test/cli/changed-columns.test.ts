import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox } from './run-cli.js';

const rows = Array.from({ length: 40 }, (_, n) => ({ n, output: ` answer ${n} `, gone: 1 }));
const odd = rows.map(({ n, output }) => ({ n, output: n === 31 ? 5 : output, 'new one': true }));
const pipeline = (steps: string): string =>
  `version: 1\ndatasets:\n  raw: {files: raw.json}\n  clean: {from: raw, steps: [${steps}]}\n`;
const clean = 'clean-text: {columns: [output]}';

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({ 'raw.json': JSON.stringify(rows), 'holdout.yaml': pipeline(clean) });
  await box.told(['init']);
  await box.told(['run']);
});
afterAll(async () => box.remove());

describe('one value of another kind in a changed file', () => {
  it('is said of its column by run, and the step that wants text says how to find and mend it', async () => {
    await box.write('raw.json', JSON.stringify(odd));
    const { status, stdout, stderr } = await box.run(['run']);
    expect(status).toBe(2);
    expect(stdout).toContain(
      'raw@2, 40 rows (raw.json has changed)\n' +
        '  column "output" is JSON now, was VARCHAR\n' +
        '  column "new one" is new: BOOLEAN\n' +
        '  column "gone" is not there any more\n',
    );
    expect(stderr).toContain('column "output" holds JSON, not text\nhint: ');
    expect(stderr).toContain('GROUP BY json_type("output")');
    const [, step = ''] = /step before: (.*)$/m.exec(stderr) ?? [];
    await box.write('holdout.yaml', pipeline(`{${step}}, {${clean}}`));
    await box.told(['run']);
    const found = await box.told(['cat', 'clean', '--json']);
    expect(found).toContain('"output":"answer 30"');
    expect(found).toContain('"output":"5"');
  });
});
