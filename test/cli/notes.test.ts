import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.ts';

const alpaca = Array.from({ length: 6 }, (_, i) => ({
  instruction: `Name a thing of kind ${i}`,
  input: i % 2 === 0 ? '' : 'in two words',
  output: `thing ${i}`,
}));
const other = Array.from({ length: 4 }, (_, i) => ({ instruction: `Say ${i}`, topic: 'a' }));

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({
    'a.jsonl': lines(alpaca),
    'b.jsonl': lines(other),
    'none.json': '[]',
    'list.json': '[{"id": 1},\n {"id": 2}]',
  });
  await box.told(['init']);
  await box.told(['add', 'a', 'a.jsonl', '--role', 'train']);
  await box.told(['add', 'b', 'b.jsonl', '--role', 'train']);
});
afterAll(() => box.remove());

const lineOf = async (step: string): Promise<string> => {
  const text = await box.told(['transform', 'a', 'out', '--step', step]);
  return text.split('\n')[0]!;
};

describe('a person is told', () => {
  it('that a file has no row', async () => {
    const { status, stderr } = await box.run(['add', 'none', 'none.json']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: 'none.json: 0 rows\n' });
    expect((await box.run(['add', 'most', 'list.json', 'none.json'])).stderr).toBe('none.json: 0 rows\n');
  });

  it('that a set is checked against itself, or against training data', async () => {
    expect((await box.run(['check', 'a', '--against', 'a'])).stderr).toContain('note: a@1 is compared with itself');
    const files = await box.run(['check', 'a.jsonl', '--against', './a.jsonl', '--fields', 'question=instruction']);
    expect(files.stderr).toContain('note: ./a.jsonl has the same rows as a.jsonl');
    expect((await box.run(['check', 'a', '--against', 'b'])).stderr).toContain('note: b@1 has role train');
  });

  it('that a step leaves out what it is made of, or compares with training data', async () => {
    expect(await lineOf('decontaminate: {against: [a]}')).toContain('; a has the same rows as the input');
    expect(await lineOf('decontaminate: {against: [b]}')).toContain('; b has role train: is it meant');
  });

  it('which columns a dataset lacks that is mixed in, and which one the conversation takes unasked', async () => {
    const mixed = await lineOf('mixture: {weight: 1, with: [{dataset: b, weight: 1}], rows: 4}');
    expect(mixed).toContain('; the input lacks the column topic, which is null in its rows');
    expect(mixed).toContain('; b lacks the columns input, output, which are null in its rows');
    expect(await lineOf('concat: {with: [b]}')).toContain('; b lacks the columns input, output');
    expect(await lineOf('to-chat')).toContain('; made of input, too');
    expect(await lineOf('to-chat: {input: input}')).not.toContain('too');
  });

  it('ids by their first digits, and programs the whole of them', async () => {
    await box.told(['transform', 'a', 'short', '--step', 'head: {n: 2}']);
    const [text, json] = [
      await box.told(['reproduce', 'short']),
      JSON.stringify(await box.json(['reproduce', 'short'])),
    ];
    expect(text).not.toMatch(/[0-9a-f]{13}/);
    expect(text).toMatch(/Reproduced: short@1 is [0-9a-f]{12} again/);
    expect(json).toMatch(/holdout-table-v1:[0-9a-f]{64}/);
  });
});
