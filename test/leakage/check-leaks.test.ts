import * as fc from 'fast-check';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { leakReport } from '../../dist/schemas/leak-report.js';
import type { LeakReport } from '../../dist/schemas/leak-report.js';
import { symbolForm } from '../../dist/src/leakage/normal-form.js';
import { check, checkTexts, evalOf, filler, question, tableOf } from './sets.ts';

function only(report: LeakReport): LeakReport['hits'][number] {
  expect(report.hits.length).toBe(1);
  const [hit] = report.hits;
  if (hit === undefined) throw new Error('expected a hit');
  return hit;
}

describe('classes', () => {
  it('counts a story once that the question column repeats', async () => {
    const body = 'Julia played tag with some kids on Monday and with many others on Tuesday.';
    const ask = 'How many more was it on the second of the days?';
    const row = { Question: `${body} ${ask}`, Body: body, Answer: '2' };
    const { report } = await checkTexts([`${body} ${filler}`], [row]);
    expect(only(report)).toMatchObject({ class: 'suspect', leak: false, coverage: 0.56 });
    // The halves of a question that are two columns are still one.
    const halves = { Question: ask, Body: body, Answer: '2' };
    const { report: of } = await checkTexts([`${body} ${ask}`], [halves, row]);
    expect(of.hits.map(({ class: named, leak }) => [named, leak])).toEqual([
      ['contained', true],
      ['normalised-equal', true],
    ]);
  });

  it('says how many questions one changed word or character may hide', async () => {
    const items = ['水的沸点是', '中国的首都在哪里', 'What is the name of it?', question].map((text) => ({
      question: text,
    }));
    const { report } = await checkTexts([filler, '水的冰点是'], items);
    expect(report.verdict).toBe('clean');
    const { doesNotSay } = report.guarantee;
    expect(doesNotSay).toContainEqual(expect.stringMatching(/^3 questions so short that one changed word .* may hide/));
    expect(doesNotSay).toContainEqual(expect.stringMatching(/^2 questions in Chinese.* runs of five characters/));
    const { report: long } = await checkTexts([filler], [{ question }]);
    expect(long.guarantee.doesNotSay.join()).not.toMatch(/so short|Chinese/);
  });

  it('names a row that both sets have row-equal', async () => {
    const row = { question, answer: 'sixty' };
    const { report } = await check(
      [tableOf('train', [{ question: filler, answer: 'x' }, row])],
      [evalOf('eval', [row])],
    );
    expect(report.verdict).toBe('leak');
    expect(report.hits.some((hit) => hit.class === 'row-equal' && hit.row.row === 1 && hit.source?.line === 2)).toBe(
      true,
    );
    expect(report.evals[0]?.classes).toEqual({ 'row-equal': 1 });
    expect(report.notes.join()).toContain('1 row of train stand in eval as they are');
  });

  it('names equal values under columns of the same roles key-equal, however short', async () => {
    const items = [{ question: 'Inflation', answer: 'rising prices', subject: 'economics' }];
    const { report } = await check(
      [tableOf('train', [{ prompt: 'Inflation', response: 'rising prices' }])],
      [evalOf('eval', items)],
    );
    expect(only(report).class).toBe('key-equal');
  });

  it('names a string that differs in case, marks and entities normalised-equal', async () => {
    const { report } = await checkTexts([question.toUpperCase().replaceAll(',', ' &amp;')], [{ question }]);
    expect(only(report)).toMatchObject({ class: 'normalised-equal', leak: true, coverage: 1 });
  });

  it('names an embedded question contained, with a word changed too', async () => {
    const edited = question.replace('forty', 'fifty');
    const { report } = await checkTexts([filler, `${filler} ${edited} ${filler}`], [{ question }]);
    expect(only(report)).toMatchObject({ class: 'contained', leak: true, row: { row: 1 } });
    expect(only(report).coverage).toBeLessThan(1);
  });

  it('warns of a question of few words, and calls it a leak where its options stand near', async () => {
    const items = [
      { question: 'The heart has:', choices: ['four chambers', 'three valves', 'two lungs', '7'], answer: 0 },
    ];
    const alone = await checkTexts(['He said that the heart has reasons.'], items);
    expect(only(alone.report)).toMatchObject({ class: 'short', leak: false });
    expect(alone.report.verdict).toBe('clean');
    const near = await checkTexts(['The heart has: (A) four chambers (B) three valves (C) two lungs (D) 7'], items);
    expect(near.report.verdict).toBe('leak');
  });

  it('calls no leak of options that stand near everything', async () => {
    const items = [{ question: 'The result is:', choices: ['0', '1', '2', 'no'], answer: 0 }];
    const { report } = await checkTexts(['The result is: 0 or 1 or 2, no?'], items);
    expect(only(report)).toMatchObject({ class: 'short', leak: false });
  });

  it('shows half of a long question as suspect, and fails on it only if asked', async () => {
    const half = question.slice(0, question.indexOf(' in May'));
    const trains = [tableOf('train', [{ text: half }])];
    const shown = await check(trains, [evalOf('eval', [{ question }])]);
    expect(only(shown.report)).toMatchObject({ class: 'suspect', leak: false });
    expect(shown.report.verdict).toBe('clean');
    const asked = await check(trains, [evalOf('eval', [{ question }])], { failOn: 'suspect' });
    expect(asked.report.verdict).toBe('leak');
  });

  it('takes the same story with other numbers for a suspect', async () => {
    const story =
      'A train travels 270 miles in 3 hours. At the same rate, how many additional hours would it take to travel an additional 180 miles?';
    const { report } = await checkTexts(
      [story.replace('270', '360').replace('3 hours', '9 hours').replace('180', '240')],
      [{ question: story }],
    );
    expect(only(report)).toMatchObject({ class: 'suspect', leak: false });
  });

  it('calls the passage alone source-overlap', async () => {
    const items = [
      { passage: question, question: 'What is the tone of the author in the second paragraph above?', answer: 'dry' },
    ];
    const { report } = await checkTexts([`${question} ${filler}`], items);
    expect(only(report)).toMatchObject({ class: 'source-overlap', leak: false, field: 'passage' });
    expect(report.verdict).toBe('clean');
  });
});

describe('what is no leak', () => {
  it('one common run of five words in a question of nine is none', async () => {
    const { report } = await checkTexts(
      ['So what do meteorites reveal about the solar system? Books about the solar system.'.slice(30)],
      [{ question: 'What do planets reveal about the solar system today?', answer: 'much' }],
    );
    expect(report.hits).toEqual([]);
    expect(report.verdict).toBe('clean');
  });

  it('a stem that many items share is none, but each of them with its own options is', async () => {
    const stem = 'Which of the following statements is not true?';
    const items = ['apples', 'bridges', 'comets', 'deserts'].map((topic) => ({
      question: stem,
      choices: [`${topic} are red`, `${topic} are blue`, `${topic} are old`],
      answer: 0,
    }));
    const bare = await checkTexts([`${filler} ${stem} ${filler}`], items);
    expect(bare.report.verdict).toBe('clean');
    expect(bare.report.evals[0]?.classes).toEqual({ short: 4 });
    const full = await checkTexts([`${stem} A: bridges are red B: bridges are blue C: bridges are old`], items);
    expect(full.report.hits.filter((hit) => hit.leak).map((hit) => hit.item.row)).toEqual([1]);
  });

  it('another bracket puzzle with the same words is none', async () => {
    const head = 'Complete the rest of the sequence, making sure that the parentheses are closed properly. Input:';
    const items = ['[ { [', '( ( <', '[ { [ (', '< >', '{ ( {', '{ {'].map((symbols) => ({
      input: `${head} ${symbols}`,
      target: ']',
    }));
    const { report } = await checkTexts([`Q: ${head} [ { [ (\nA: ) ] } ]`], items);
    expect(report.hits.filter((hit) => hit.leak).map((hit) => hit.item.row)).toEqual([2]);
    expect(symbolForm('A &lt; B\n  ﬁ')).toBe('a < b fi');
  });
});

describe('report', () => {
  it('follows its schema and holds no text of any row', async () => {
    const word = fc.integer({ min: 0, max: 400 }).map((n) => `zq${n}x`);
    const texts = fc.array(
      fc.array(word, { minLength: 6, maxLength: 30 }).map((words) => words.join(' ')),
      { minLength: 1, maxLength: 6 },
    );
    let hits = 0;
    await fc.assert(
      fc.asyncProperty(texts, texts, async (items, others) => {
        const { report } = await checkTexts(
          [...others, ...items.map((item) => `${filler} ${item}`)],
          items.map((text) => ({ question: text })),
        );
        leakReport.parse(report);
        hits += report.hits.length;
        expect(JSON.stringify(report)).not.toMatch(/zq\d+x/);
        expect(report.evals[0]?.leaked).toBe(items.length);
      }),
      { numRuns: 15 },
    );
    expect(hits).toBeGreaterThan(15);
  });

  it('names every leaking row, however often one item stands in them', async () => {
    const rows = Array.from({ length: 350 }, (_, i) => ({ text: i % 7 === 0 ? filler : `${i} ${question}` }));
    const { report } = await check([tableOf('train', rows)], [evalOf('eval', [{ question }])], { threads: 2 });
    expect(report.trains[0]?.leakedRows).toBe(300);
    expect(new Set(report.hits.map((hit) => hit.row.row)).size).toBe(300);
    expect(report.hits.every((hit) => hit.row.row % 7 !== 0)).toBe(true);
  });

  it('says by name that a set was checked against itself', async () => {
    const rows = [{ question, answer: 'x' }];
    const { report } = await check([tableOf('mine', rows)], [evalOf('theirs', rows)]);
    expect(report.notes[0]).toBe('mine and theirs are one table: this is a set checked against itself.');
  });

  it('says what was checked and what was not', async () => {
    const { report } = await checkTexts([filler], [{ question }]);
    expect(report.guarantee.says).toContain('1 of 1 checked; paraphrase not checked');
    expect(report.evals[0]?.radius).toEqual([[3, 1]]);
  });

  it('is the same whatever the order of keys in a line', async () => {
    const one = { a: question.slice(0, 60), b: question.slice(60) };
    const other = { b: one.b, a: one.a };
    const set = evalOf('eval', [{ question }]);
    const base = tableOf('train', [one]);
    const swapped = { ...tableOf('train', [other]), table: base.table, schemaId: base.schemaId };
    const [first, second] = [
      await check([base], [set]),
      await check(
        [
          {
            ...swapped,
            reader: { ...swapped.reader, schema: base.reader.schema, digests: () => base.reader.digests() },
          },
        ],
        [set],
      ),
    ];
    expect(first.report.hits.length).toBe(1);
    expect(second.report).toEqual(first.report);
  });
});

describe('evidence', () => {
  it('is looked up from the rows, with what both sides share marked', async () => {
    const result = await checkTexts([filler, `${filler} ${question.replace('forty', 'fifty')}`], [{ question }]);
    const found = await result.evidence(only(result.report));
    const marked = found.row.spans.map(([start, end]) => found.row.text.slice(start, end));
    expect(found.column).toBe('text');
    expect(found.item.text).toBe(question);
    expect(marked).toEqual(
      [
        'Natalia sold clips to',
        'of her friends in April, and then she sold half as many clips in May. How many clips did Natalia sell altogether in April and May',
      ].slice(1),
    );
  });
});

describe('queries', () => {
  it('run as they are printed, on the tables that their comments name', async () => {
    const statements: string[] = [];
    await check([tableOf('train', [{ text: question }, { question }])], [evalOf('eval', [{ question }])], {
      explain: (sql) => statements.push(sql),
    });
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    for (const sql of statements) {
      const tables = [...sql.matchAll(/^-- (\w+ \([^)]*\))/gm)].map(([, table]) => table ?? '');
      expect(tables.length).toBeGreaterThan(0);
      for (const table of tables) await connection.run(`CREATE TABLE ${table}`);
      expect((await connection.runAndReadAll(sql)).currentRowCount).toBe(0);
    }
    connection.closeSync();
    instance.closeSync();
  });

  it('that compute the overlap are handed to whoever asks', async () => {
    const statements: string[] = [];
    await check([tableOf('train', [{ text: question }])], [evalOf('eval', [{ question }])], {
      explain: (sql) => statements.push(sql),
    });
    expect(statements.length).toBe(2);
    expect(statements.join()).toContain('holdout_train_digests');
    expect(statements.join()).toContain('holdout_hits');
  });
});
