import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useWorkplace } from './files.ts';

const data = process.env['HOLDOUT_TEST_DATA'];
const place = useWorkplace();

/** Rows as the folder's README counts them. */
const counts: readonly [string, number][] = [
  ['gsm8k/train.jsonl', 7473],
  ['gsm8k/example_model_solutions.jsonl', 1319],
  ['humaneval/HumanEval.jsonl.gz', 164],
  ['bbh', 6511],
  ['bbh_model_outputs/code_davinci_002.jsonl.zst', 13_022],
  ['mmlu/mmlu_test.jsonl', 14_042],
  ['agieval/*.jsonl', 8269],
  ['aqua/dev.json', 254],
  ['svamp/SVAMP.json', 1000],
  ['svamp/train.csv', 3138],
  ['svamp/dev.csv', 1000],
  ['webquestions/*est*.json', 2032],
  ['gpteacher/codegen-instruct.json', 4535],
  ['hh_rlhf/test.jsonl.gz', 2312],
  ['natural_instructions/gpt3_io.jsonl.zst', 23_300],
];

describe.skipIf(data === undefined)('real files are read whole (needs HOLDOUT_TEST_DATA)', () => {
  test.each(counts)('%s', async (path, rows) => {
    const table = await place.read(join(data ?? '', path));
    expect(table.rows).toBe(rows);
    expect(table.sources.reduce((sum, source) => sum + source.rows, 0)).toBe(rows);
    for (const source of table.sources.slice(0, 3)) {
      if (source.rows > 0) expect(source.lineOfRow(source.firstRow)).toBeGreaterThan(0);
    }
  });

  test('the twenty files of agieval, whose labels are numbers and text, make one table', async () => {
    const table = await place.read(join(data ?? '', 'agieval/*.jsonl'));
    expect(table.schema.columns.find((column) => column.name === 'label')?.type).toBe('JSON');
  });
});
