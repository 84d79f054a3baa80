import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HoldoutError, checkFiles, identifyFiles } from 'holdout';
import type { LeakReport } from 'holdout';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdout-test-'));
});
afterEach(async () => rm(folder, { recursive: true }));

const question = 'Which river flows through Vienna and Budapest before it reaches the Black Sea?';

it('answers the first question from a program: did the eval set stay out?', async () => {
  const train = join(folder, 'train.jsonl');
  const gold = join(folder, 'eval.jsonl');
  await writeFile(train, `{"text":"Nothing to see here."}\n{"text":"Quiz: ${question} The Danube."}\n`);
  await writeFile(gold, `{"question":"${question}","answer":"The Danube"}\n`);
  const report: LeakReport = await checkFiles({ trains: [train], evals: [gold] });
  expect(report.verdict).toBe('leak');
  expect(report.hits.map((hit) => hit.source)).toEqual([{ file: train, line: 2 }]);
});

it('identifies files by their rows', async () => {
  const [a, b] = [join(folder, 'a.jsonl'), join(folder, 'b.json')];
  await writeFile(a, '{"x":1}\n{"x":2}\n');
  await writeFile(b, '[{"x": 1.0}, {"x": 2}]');
  const identity = await identifyFiles([a]);
  expect(identity.rows).toBe(2);
  expect((await identifyFiles([b])).table).toBe(identity.table);
});

it('says what is wrong by one error class', async () => {
  const failed = identifyFiles([join(folder, 'absent.jsonl')]);
  await expect(failed).rejects.toBeInstanceOf(HoldoutError);
  await expect(failed).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
