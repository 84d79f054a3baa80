import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check, evalOf, tableOf } from './sets.ts';
import type { Row } from './sets.ts';

const data = process.env['HOLDOUT_TEST_DATA'];

/** Rows of a JSONL file, a JSON array, or rows under `examples`. */
function rowsOf(path: string): Row[] {
  const text = readFileSync(join(data ?? '', path), 'utf8');
  return rowsIn(text);
}

function rowsIn(text: string): Row[] {
  try {
    const whole = JSON.parse(text) as Row[] | { examples: Row[] };
    return Array.isArray(whole) ? whole : (whole.examples ?? [whole]);
  } catch {
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
  }
}

describe.skipIf(data === undefined)('leaks in real data (needs HOLDOUT_TEST_DATA)', () => {
  it('finds all 1,319 gsm8k test questions among the model solutions to them', async () => {
    const { report } = await check(
      [tableOf('solutions', rowsOf('gsm8k/example_model_solutions.jsonl'))],
      [evalOf('gsm8k', rowsOf('gsm8k/test.jsonl'))],
    );
    expect(report.evals[0]).toMatchObject({ items: 1319, checked: 1319, leaked: 1319 });
    expect(report.trains[0]?.leakedRows).toBe(1319);
  });

  it('finds the BBH questions in outputs that quote them, all but one of 6,511', async () => {
    const text = execFileSync('zstd', ['-dc', join(data ?? '', 'bbh_model_outputs/code_davinci_002.jsonl.zst')], {
      maxBuffer: 1 << 28,
      encoding: 'utf8',
    });
    const bbh = readdirSync(join(data ?? '', 'bbh'))
      .sort()
      .flatMap((file) => rowsOf(`bbh/${file}`));
    const { report } = await check([tableOf('outputs', rowsIn(text))], [evalOf('bbh', bbh)], { threads: 2 });
    expect(report.evals[0]?.items).toBe(6511);
    expect(report.evals[0]?.leaked).toBeGreaterThanOrEqual(6510);
  });

  it('finds every contaminated fixture, the edited ones too, and leaves the clean one clean', async () => {
    const evals = ['passage_question_answer_reference', 'question_reference', 'question_answer_reference'].map((name) =>
      evalOf(name, rowsOf(`decon_fixtures/reference/${name}.jsonl`)),
    );
    const files = readdirSync(join(data ?? '', 'decon_fixtures/training')).filter((file) => file.endsWith('.jsonl'));
    const contaminated = files.filter((file) => file.startsWith('contaminated'));
    const { report } = await check(
      contaminated.map((file) => tableOf(file, rowsOf(`decon_fixtures/training/${file}`))),
      evals,
    );
    expect(report.trains.length).toBeGreaterThanOrEqual(9);
    for (const train of report.trains) expect(train.leakedRows + train.suspectRows).toBeGreaterThan(0);
    // The question alone is covered too little there: it is its passage beside it that tells.
    const edited = contaminated.filter((file) => file.startsWith('contaminated_single'));
    const alone = await check(
      edited.map((file) => tableOf(file, rowsOf(`decon_fixtures/training/${file}`))),
      evals.slice(0, 1),
    );
    expect(alone.report.trains.map(({ leakedRows, suspectRows }) => leakedRows + suspectRows)).toEqual([1, 1, 1]);
    const clean = await check([tableOf('clean', rowsOf('decon_fixtures/training/clean.jsonl'))], evals);
    expect(clean.report).toMatchObject({ verdict: 'clean', hits: [] });
  });

  it('finds no leak of gsm8k test, mmlu or webquestions in gsm8k train, and nothing incomplete', async () => {
    const { report } = await check(
      [tableOf('train', rowsOf('gsm8k/train.jsonl'))],
      [
        evalOf('gsm8k', rowsOf('gsm8k/test.jsonl')),
        evalOf('mmlu', rowsOf('mmlu/mmlu_test.jsonl')),
        evalOf('webquestions', rowsOf('webquestions/test.json')),
      ],
      { threads: 2 },
    );
    expect(report.verdict).toBe('clean');
    expect(report.evals.map(({ uncheckable, leaked }) => [uncheckable, leaked])).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
  });
});
