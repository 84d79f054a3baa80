import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

const questions = [
  'A farmer packs nine crates of green pears every morning and sells four of them before noon, how many are left?',
  'Which of the seven mountain lakes named in the old survey was drained when the northern tunnel was finished?',
  'How many minutes does a slow kettle need to warm three cups of water when each cup takes ninety seconds?',
];
const filler = Array.from({ length: 40 }, (_, i) => ({
  id: i,
  text: `note ${i} about gardens, number ${i * 37} of many`,
}));
const leaking = [
  { id: 100, text: `Please answer: ${questions[0]}` },
  { id: 101, text: questions[1] },
  { id: 102, text: `Again: ${questions[0]}` },
];
const train = [...filler.slice(0, 20), leaking[0]!, ...filler.slice(20), leaking[1]!, leaking[2]!];

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({
    'train.jsonl': lines(train),
    'eval.jsonl': lines(questions.map((question, i) => ({ question, answer: `${i}` }))),
  });
  await box.run(['init']);
  await box.json(['add', 'sft', 'train.jsonl', '--role', 'train']);
  await box.json(['add', 'held', 'eval.jsonl', '--role', 'eval']);
});
afterAll(async () => box.remove());

interface Shown {
  readonly rows: number;
  readonly lineage: readonly {
    readonly transform: string;
    readonly records: readonly string[];
    readonly counts: object;
  }[];
}
const step = 'decontaminate: {against: [held]}';

describe('decontaminate', () => {
  it('leaves out the rows that leak, and the check is clean then', async () => {
    expect((await box.run(['check', 'sft', '--against', 'held'])).status).toBe(1);
    const made = await box.run(['transform', 'sft', 'clean', '--step', 'head: {n: 43}', '--step', step]);
    expect(made.stderr).toBe('');
    expect(made.stdout).toContain('2. decontaminate: leave out rows that leak held: 43 → 40');
    expect(made.stdout).toContain('2 items hit');
    expect((await box.run(['cat', 'clean'])).stdout).toBe(lines(filler));
    expect((await box.run(['check', 'clean', '--against', 'held'])).status).toBe(0);
  });

  it('keeps the report of the check as evidence: which rows went, for which items', async () => {
    const shown = await box.json<Shown>(['show', 'clean']);
    const { records, transform } = shown.lineage.find(({ transform }) =>
      transform.startsWith('holdout/decontaminate'),
    )!;
    expect(transform).toBe('holdout/decontaminate@1');
    expect(records).toHaveLength(1);
    const short = records[0]!.slice(7, 19);
    expect((await box.run(['show', 'clean'])).stdout).toContain(`report ${short}`);
    // The report is found by the beginning of its id: it cleans another version as well.
    const removed = await box.json<{ rows: number }>(['remove', 'sft', '--hits', short]);
    expect(removed.rows).toBe(filler.length);
  });

  it('is replayed to the same id', async () => {
    expect((await box.json<{ state: string }>(['reproduce', 'clean'])).state).toBe('same');
  });

  it('names the eval version: a new one is another derivation', async () => {
    await box.write(
      'more.jsonl',
      lines(
        [...questions, filler[3]!.text + ' and of the many that came before it'].map((question) => ({
          question,
          answer: '',
        })),
      ),
    );
    await box.json(['add', 'held', 'more.jsonl', '--role', 'eval']);
    const old = await box.json<{ rows: number; new: boolean }>([
      'transform',
      'sft@1',
      'old',
      '--step',
      'decontaminate: {against: [held@1]}',
    ]);
    const now = await box.json<{ rows: number }>(['transform', 'sft@1', 'now', '--step', step]);
    expect(old.rows).toBe(filler.length);
    expect(now.rows).toBeLessThanOrEqual(filler.length);
  });

  it.each([
    ['decontaminate: {against: [nowhere]}', 2, 'no dataset'],
    ['decontaminate: {against: [held, held]}', 2, 'names a set twice'],
    ['decontaminate: {against: [held], fields: {question: [text]}}', 2, 'text'],
  ])('%s: refused', async (text, status, says) => {
    const refused = await box.run(['transform', 'sft', 'no', '--step', text]);
    expect(refused.status).toBe(status);
    expect(refused.stderr).toContain(says);
  });

  it('lets verify see that the report is gone', async () => {
    const { lineage } = await box.json<Shown>(['show', 'clean']);
    const [report] = lineage.flatMap(({ records }) => records);
    const hex = report!.slice(7);
    const path = join(box.folder, '.holdout', 'records', hex.slice(0, 2), `${hex}.json`);
    await rm(path, { force: false });
    const verified = await box.run(['verify']);
    expect(verified.status).toBe(1);
    expect(verified.stdout).toContain(hex.slice(0, 12));
  });
});
