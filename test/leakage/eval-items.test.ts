import { describe, expect, it } from 'vitest';
import { recogniseFields } from '../../dist/src/leakage/fields.js';
import { check, checkTexts, evalOf, filler, question, schemaOf, tableOf } from './sets.ts';

describe('items', () => {
  it('that share a normal form are checked together and all named', async () => {
    const { report } = await checkTexts(
      [question],
      [{ question }, { question: 'Something else altogether, I should think?' }, { question: question.toUpperCase() }],
    );
    expect(report.hits.map((hit) => [hit.item.row, hit.leak])).toEqual([
      [0, true],
      [2, true],
    ]);
    expect(report.evals[0]).toMatchObject({ items: 3, checked: 3, leaked: 2 });
  });

  it('have a beginning that half of them share taken off, and the report says so', async () => {
    const preamble = 'You are a helpful assistant. Please answer the following question as well as you can.';
    const questions = [
      'Who wrote the seventh book about the lighthouse keeper?',
      'When was the old stone bridge over the river rebuilt?',
      'Where do the grey whales of the northern ocean winter?',
      'Why did the clock maker leave the city in anger?',
    ];
    const { report } = await checkTexts(
      [`${preamble} What else?`],
      questions.map((text) => ({ prompt: `${preamble} ${text}` })),
    );
    expect(report.hits).toEqual([]);
    expect(report.evals[0]?.notes.join()).toContain('of 4 of 4 questions are the same');
    const found = await checkTexts(
      [`See: ${questions[2]}`],
      questions.map((text) => ({ prompt: `${preamble} ${text}` })),
    );
    expect(found.report.hits.map((hit) => hit.item.row)).toEqual([2]);
  });

  it('without a word are compared by their symbols, as whole strings', async () => {
    const items = [{ question: '( [ { } ] ) < > { }' }, { question: '?!' }, { question: '+ - * / % = + - * /' }];
    const { report } = await checkTexts(['?!', filler, '( [ { } ] )  &lt; &gt; { }', '( [ { } ] ) { }'], items);
    expect(report).toMatchObject({ verdict: 'leak', evals: [{ items: 3, checked: 3, uncheckable: 0, leaked: 1 }] });
    expect(report.hits.map((hit) => [hit.item.row, hit.row.row, hit.class, hit.leak])).toEqual([
      [0, 2, 'normalised-equal', true],
      [1, 0, 'short', false],
    ]);
    expect(report.evals[0]?.radius).toEqual([[0, 3]]);
  });

  it('are suspect from half of the question where their passage stands beside it, and only there', async () => {
    const passage = 'The Belfry Tower, a landmark in Lisbon, Portugal, was built in 1889 by a guild of masons.';
    const items = [{ passage, question: 'What year was the Belfry Tower built?', answer: '1889' }];
    const edited = 'What year was the Belfrey Tower built?';
    const both = await checkTexts([`${passage} ${edited}`, `${passage} ${filler}`, edited], items);
    expect(both.report.hits.map((hit) => [hit.row.row, hit.class])).toEqual([
      [0, 'suspect'],
      [0, 'source-overlap'],
      [1, 'source-overlap'],
    ]);
    const far = await checkTexts([`${passage} ${'apart '.repeat(80)} ${edited}`], items);
    expect(far.report.evals[0]?.suspect).toBe(0);
  });

  it('without a word or a symbol under any normal form make a check incomplete, and rows without text do', async () => {
    const noWord = await checkTexts([filler], [{ question }, { question: ' \u200b\n' }]);
    expect(noWord.report).toMatchObject({ verdict: 'incomplete', evals: [{ items: 2, checked: 1, uncheckable: 1 }] });
    const noText = await check(
      [
        tableOf('train', [
          { tokens: [1, 2], text: '…' },
          { tokens: [3], text: filler },
        ]),
      ],
      [evalOf('eval', [{ question }])],
    );
    expect(noText.report).toMatchObject({ verdict: 'incomplete', trains: [{ rows: 2, unreadable: 1 }] });
  });

  it('are found by the answer of the question that they lack: a passage, then choices', async () => {
    const { report } = await checkTexts(
      [question],
      [
        { question: null, passage: question, answer: 'x' },
        { question: 'Who then?', passage: '', answer: 'y' },
      ],
    );
    expect(report.hits.filter((hit) => hit.leak).map((hit) => [hit.item.row, hit.field])).toEqual([[0, 'passage']]);
  });
});

describe('fields', () => {
  it.each([
    [
      { qId: 'a', qText: 'b', answers: ['c'] },
      { question: ['qText'], answer: ['answers'], id: ['qId'] },
    ],
    [
      { task_id: 'a', prompt: 'b', canonical_solution: 'c', test: 'd' },
      { question: ['prompt'], answer: ['canonical_solution'], id: ['task_id'] },
    ],
    [
      { ID: 'a', Body: 'b', Question: 'c', Answer: 5 },
      { question: ['Body', 'Question'], answer: ['Answer'], id: ['ID'] },
    ],
    [
      { instruction: 'a', input: 'b', output: 'c' },
      { question: ['instruction', 'input'], answer: ['output'] },
    ],
    [
      { passage: 'a', question: 'b', options: ['c'], label: 'd' },
      { question: ['question'], passage: ['passage'], choices: ['options'], answer: ['label'] },
    ],
    [{ number: 5 }, {}],
  ])('are recognised in %j', (row, expected) => {
    expect(recogniseFields(schemaOf([row]))).toEqual(expected);
  });

  it('that do not exist are refused, and a set without a question', async () => {
    const train = tableOf('train', [{ text: filler }]);
    await expect(check([train], [evalOf('eval', [{ a: 'b', c: 'd' }])])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    await expect(check([train], [evalOf('eval', [{ a: 'b' }], { question: ['x'] })])).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });

  it('may lie inside structs and lists', async () => {
    const set = evalOf('eval', [{ messages: [{ role: 'user', content: question }] }], {
      question: ['messages.content'],
    });
    const { report } = await check([tableOf('train', [{ text: question }])], [set]);
    expect(report.verdict).toBe('leak');
  });
});
