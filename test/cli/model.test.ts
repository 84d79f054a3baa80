import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

const river = 'Which river flows through Vienna and Budapest before it reaches the Black Sea?';
const quiz = [{ question: river, answer: 'The Danube' }];
const train = [
  { text: 'A walk along the harbour.' },
  { text: `Quiz night! ${river} The Danube.` },
  { text: 'How to repot a cactus in spring.' },
  { text: `Quiz night! ${river} The Danube.` },
];
const readme = '---\nlicense: mit\n---\n# Model\n';

let box: Sandbox;
let report: string;
const inModel = (name: string): string => join(box.folder, 'model', name);

beforeAll(async () => {
  box = await Sandbox.make({
    'train.jsonl': lines(train),
    'quiz.jsonl': lines(quiz),
    'model/config.json': '{}',
    'model/README.md': readme,
  });
  await box.run(['init']);
  await box.json(['add', 'sft', 'train.jsonl', '--role', 'train']);
  await box.json(['add', 'quiz', 'quiz.jsonl', '--role', 'eval']);
  report = (await box.json<{ id: string }>(['check', 'sft', '--against', 'quiz'], 1)).id;
});
afterAll(async () => box.remove());

// The tests of this file are one story, told in order.
describe('from a leak to a pin', () => {
  it('a pin says that its report is missing, or that it leaks', async () => {
    expect(await box.json(['pin', 'model', '--train', 'sft', '--eval', 'quiz'])).toMatchObject({
      says: expect.stringMatching(/^LEAK/) as string,
    });
    const { stdout } = await box.run(['pin', 'model', '--eval', 'quiz']);
    expect(stdout).toMatch(/^NOT CHECKED/);
  });

  it('says which pin it replaced, and with --require-clean writes nothing', async () => {
    const args = ['pin', 'model', '--train', 'sft', '--eval', 'quiz'];
    const file = inModel('holdout.pin.json');
    const before = await readFile(file, 'utf8');
    expect((await box.run([...args, '--require-clean'])).status).toBe(1);
    const missing = await box.run(['pin', 'model', '--eval', 'quiz', '--require-clean']);
    expect(missing.status).toBe(3);
    expect(missing.stdout).toMatch(/^NOT CHECKED.*\nNothing was pinned/);
    expect(await readFile(file, 'utf8')).toBe(before);
    const { status, stdout } = await box.run(args);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^LEAK/);
    expect(stdout).toMatch(/^replaced the pin sha256:[0-9a-f]{64} of this folder$/m);
    expect((await box.run(args)).stdout).not.toContain('replaced the pin');
    const { stdout: compared } = await box.run(['pin', '--compare', 'model', 'model']);
    expect(compared).not.toContain('scores below');
  });

  it('remove makes a version without the rows that the report names', async () => {
    const removed = await box.json(['remove', 'sft', '--hits', report.slice(7, 15)]);
    expect(removed).toMatchObject({ name: 'sft', version: 2, rows: 2, removed: 2, new: true, report });
    expect((await box.run(['cat', 'sft'])).stdout).toBe(lines(train.filter((_, i) => i % 2 === 0)));
    const { stdout } = await box.run(['remove', 'sft', '--hits', report.slice(7, 15)]);
    expect(stdout).toMatch(/^Nothing to remove/);
    const again = await box.json(['remove', 'sft@1', '--hits', report]);
    expect(again).toMatchObject({ version: 2, new: false });
  });

  it('takes a report from a file, and names one that does not exist', async () => {
    await box.run(['check', 'sft@1', '--against', 'quiz', '--no-save', '-o', 'report.json']);
    expect(await box.json(['remove', 'sft@1', '--hits', 'report.json'])).toMatchObject({ removed: 2, new: false });
    expect((await box.run(['remove', 'sft', '--hits', 'ffff'])).stderr).toContain('no leak report "ffff"');
    expect((await box.run(['remove', 'sft'])).stderr).toContain('--hits REPORT');
  });

  it('the cleaned version checks clean, and its rows still trace to their lines', async () => {
    const words = 'How to repot a cactus in spring and where to put it after that?';
    await box.write('cactus.jsonl', lines([{ question: words }, { question: 'How to repot a cactus in spring.' }]));
    await box.json(['check', 'sft', '--against', 'quiz'], 0);
    const { hits } = await box.json<{ hits: { source: unknown }[] }>(
      ['check', 'sft', '--against', 'cactus.jsonl', '--no-save'],
      1,
    );
    expect(hits[0]?.source).toEqual({ file: 'train.jsonl', line: 3 });
  });

  it('reproduce re-runs every step, and puts back what was lost', async () => {
    const { state, steps } = await box.json<{ state: string; steps: unknown[] }>(['reproduce', 'sft']);
    expect(state).toBe('same');
    expect(steps).toMatchObject([
      { transform: 'holdout/read@1', state: 'same' },
      { transform: 'holdout/remove@1', state: 'same', restored: false },
    ]);
    const { layoutPath } = await box.json<{ layoutPath: string }>(['show', 'sft']);
    await rm(join(box.folder, layoutPath));
    const lost = await box.run(['cat', 'sft']);
    expect(lost.status).toBe(5);
    expect(lost.stderr).toContain('holdout reproduce sft@2 --restore');
    const text = await box.run(['reproduce', 'sft', '--restore']);
    expect(text).toMatchObject({ status: 0, stdout: expect.stringContaining('put its layout back') as string });
    expect((await box.run(['cat', 'sft'])).status).toBe(0);
  });

  it('reproduce says which raw file it needs, and takes it by its digest', async () => {
    await box.write('table.csv', 'a,b\n1,x\n2,y\n');
    await box.json(['add', 'table', 'table.csv', '--schema', 'a BIGINT, b VARCHAR']);
    expect(await box.json(['reproduce', 'table'])).toMatchObject({ state: 'same' });
    await writeFile(join(box.folder, 'copy.csv'), await readFile(join(box.folder, 'table.csv')));
    await rm(join(box.folder, 'table.csv'));
    const missing = await box.run(['reproduce', 'table']);
    expect(missing.status).toBe(3);
    expect(missing.stdout).toMatch(/table\.csv \(sha256 [0-9a-f]{64}, 12 bytes\)/);
    expect(await box.json(['reproduce', 'table', '--from-raw', 'copy.csv'])).toMatchObject({ state: 'same' });
  });

  it('pin writes the record and the card, binds scores, and finds the covering report', async () => {
    const made = await box.json(['pin', 'model', '--train', 'sft', '--eval', 'quiz', '--score', 'quiz:accuracy=1']);
    expect(made).toMatchObject({ says: expect.stringMatching(/^Clean/) as string, card: 'written' });
    const card = await readFile(inModel('README.md'), 'utf8');
    expect(card.replace(/holdout:\n(?: .*\n)+/, '')).toBe(readme);
    const wrong = ['pin', 'model', '--train', 'sft', '--eval', 'quiz', '--score', 'quiz=1'];
    expect(await box.run(wrong)).toMatchObject({ status: 2 });
    const stale = ['pin', 'model', '--train', 'sft', '--eval', 'quiz', '--report', report];
    await mkdir(join(box.folder, 'stale'));
    await writeFile(join(box.folder, 'stale', 'a'), 'a');
    expect((await box.run(stale.map((w) => (w === 'model' ? 'stale' : w)).concat('--require-clean'))).status).toBe(3);
    const { says } = await box.json<{ says: string }>(stale.map((word) => (word === 'model' ? 'stale' : word)));
    expect(says).toMatch(/^STALE/);
  });

  it('takes plain decimal numbers as scores', async () => {
    for (const value of ['0x10', '1e-1', 'Infinity', '61%', '']) {
      const { status, stderr } = await box.run(['pin', 'model', '--eval', 'quiz', '--score', `quiz:accuracy=${value}`]);
      expect({ value, status, stderr }).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('--score takes') as string,
      });
    }
  });

  it('a card that cannot take the entry leaves pin and store as they were', async () => {
    await mkdir(join(box.folder, 'odd'));
    await writeFile(join(box.folder, 'odd', 'README.md'), '---\na: *nothing\n---\n');
    const before = await box.json(['log']);
    const refused = await box.run(['pin', 'odd', '--eval', 'quiz']);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('--no-card') as string });
    expect(await readdir(join(box.folder, 'odd'))).toEqual(['README.md']);
    expect(await box.json(['log'])).toEqual(before);
    expect(await box.run(['pin', 'odd', '--eval', 'quiz', '--no-card'])).toMatchObject({ status: 0 });
  });

  it('verify holds with the store, with files alone, and cannot tell with neither', async () => {
    expect(await box.json(['pin', '--verify', 'model'])).toMatchObject({ state: 'holds' });
    await box.run(['export', 'sft', '--to', 'clean.jsonl']);
    const outside = await Sandbox.make({
      'clean.jsonl': await readFile(join(box.folder, 'clean.jsonl'), 'utf8'),
      'quiz.jsonl': lines(quiz),
      'model/config.json': '{}',
      'model/README.md': await readFile(inModel('README.md'), 'utf8'),
      'model/holdout.pin.json': await readFile(inModel('holdout.pin.json'), 'utf8'),
    });
    try {
      const data = ['--train', 'clean.jsonl', '--eval', 'quiz.jsonl'];
      expect(await outside.json(['pin', '--verify', 'model', ...data])).toMatchObject({ state: 'holds' });
      expect(await outside.json(['pin', '--verify', 'model'], 3)).toMatchObject({ state: 'cannot-tell' });
      expect(await outside.json(['pin', '--verify', 'model', '--files-only'])).toMatchObject({ state: 'holds' });
      await outside.write('quiz.jsonl', lines([{ question: 'Another?', answer: 'x' }]));
      await outside.write('model/config.json', '{ }');
      const { status, stdout } = await outside.run(['pin', '--verify', 'model', ...data]);
      expect(status).toBe(1);
      expect(stdout).toMatch(/^Differs/);
      expect(stdout).toContain('config.json: differs: changed');
      expect(stdout).toContain('quiz@1: differs');
    } finally {
      await outside.remove();
    }
  });

  it('compare refuses pins on other items, and says what to score again', async () => {
    await box.write('other/weights', 'w');
    await box.json(['pin', 'other', '--train', 'sft', '--eval', 'quiz', '--score', 'quiz:accuracy=0.5']);
    expect(await box.json(['pin', '--compare', 'model', 'other'])).toMatchObject({
      comparable: true,
      scores: [{ eval: 'quiz', metric: 'accuracy', a: 1, b: 0.5 }],
    });
    await box.write('quiz.jsonl', lines([...quiz, { question: 'Who wrote Dracula?', answer: 'Stoker' }]));
    await box.json(['add', 'quiz', 'quiz.jsonl']);
    await box.json(['pin', 'other', '--train', 'sft', '--eval', 'quiz', '--score', 'quiz:accuracy=0.5']);
    const { status, stdout } = await box.run(['pin', '--compare', 'model', 'other']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^Not comparable/);
    expect(stdout).toContain('To compare on quiz, score again');
  });
});
