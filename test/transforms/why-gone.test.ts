import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OwnSteps } from './own-steps.js';

const fox = 'the quick brown fox jumps over the lazy dog';
const rows = [
  { id: 1, text: fox, group: 'x', list: [1, 2], number: '12' },
  { id: 2, text: fox, group: 'x', list: [], number: '1x' },
  { id: 3, text: 'hello', group: 'x', list: [1], number: '3' },
  { id: 4, text: null, group: 'y', list: null, number: '4' },
  { id: 5, text: `${fox}s today`, group: 'x', list: [3], number: null },
  { id: 6, text: 'a b c d e f g h i j k l', group: 'x', list: [3], number: '7' },
];

let project: OwnSteps;
let made = 0;
beforeAll(async () => {
  project = await OwnSteps.make(rows, {
    'throws.mjs': 'export default (row) => { if (row.id === 2) throw new Error("no"); return row; };\n',
    'null.mjs': 'export default (row) => (row.id === 3 ? null : row);\n',
    'both.mjs':
      'export default (row) => { if (row.id === 2) throw new Error("no"); return row.id === 3 ? null : row; };\n',
  });
  await project.add('answers', [
    { id: 1, answer: 'one' },
    { id: 3, answer: 'three' },
  ]);
  await project.add('eval', [{ question: fox, answer: 'x' }]);
});
afterAll(async () => project.remove());

/** Why each row of `data` went in a step, by the row's number from 1. */
async function whyBy(step: string): Promise<Readonly<Record<number, string | null>>> {
  const name = `out-${(made += 1)}`;
  await project.take(step, { to: name });
  const fates = await project.fates(name);
  const gone = fates.filter(({ stays, unknown }) => stays.length === 0 && unknown === null);
  for (const { dropped } of gone) expect(dropped).toHaveLength(1);
  return Object.fromEntries(gone.map(({ row, dropped }) => [row + 1, dropped[0]!.why]));
}

const told: readonly (readonly [step: string, why: Readonly<Record<number, string>>])[] = [
  [
    'filter: {where: "length(text) > 8"}',
    { 3: 'length(text) > 8 is false (text = "hello")', 4: 'length(text) > 8 is NULL (text = null)' },
  ],
  [
    'filter: {where: "number::int > 3", on_error: drop}',
    {
      2: `where: Could not convert string '1x' to INT32 (number = "1x")`,
      3: 'number::int > 3 is false (number = "3")',
      5: 'number::int > 3 is NULL (number = null)',
    },
  ],
  [
    'length: {column: text, min: 6, max: 43}',
    {
      3: '5 characters in text, and at least 6 stay',
      4: 'text is null',
      5: '50 characters in text, and at most 43 stay',
    },
  ],
  ['dedupe: {by: [text]}', { 2: 'equal in text to a row that stays as the first' }],
  [
    'near-dedupe: {columns: [text], threshold: 0.5, words: 2}',
    {
      2: 'like row 1 of its input, which stays: all of their runs of 2 words stand in both',
      5: 'like row 1 of its input, which stays: 70.0 % of their runs of 2 words stand in both',
    },
  ],
  [
    'quality: {column: text, words_min: 3, words_max: 10}',
    {
      3: 'text is below words_min 3 (the least number of words)',
      4: 'text is null',
      6: 'text is above words_max 10 (the greatest number of words)',
    },
  ],
  [
    'limit-per-group: {by: [group], max: 3}',
    {
      5: 'row 4 of its group (group = "x"), and 3 of each stay',
      6: 'row 5 of its group (group = "x"), and 3 of each stay',
    },
  ],
  ['head: {n: 5}', { 6: 'only the first 5 rows stay' }],
  ['skip: {n: 1}', { 1: 'the first 1 rows go' }],
  [
    'decontaminate: {against: [eval]}',
    {
      1: 'leak of item 1 of eval@1 (key-equal, coverage 1.00)',
      2: 'leak of item 1 of eval@1 (key-equal, coverage 1.00)',
      5: 'leak of item 1 of eval@1 (contained, coverage 0.89)',
    },
  ],
  [
    'join: {dataset: answers, on: id, on_missing: drop}',
    Object.fromEntries([2, 4, 5, 6].map((id) => [id, `no row of answers@1 has its key (id = ${id})`])),
  ],
  [
    'cast: {columns: {number: BIGINT}, on_error: drop}',
    { 2: `column "number": Could not convert string '1x' to INT64 (number = "1x")` },
  ],
  [
    'derive: {columns: {made: "number::int"}, on_error: drop}',
    { 2: `column "made": Could not convert string '1x' to INT32 (number = "1x")` },
  ],
  [
    'to-chat: {instruction: text, output: number, on_error: drop}',
    {
      4: 'conversation: text must hold text and number must not be null (text = null, number = "4")',
      5: `conversation: text must hold text and number must not be null (text = "${fox}s today", number = null)`,
    },
  ],
  [
    'render: {template: "{text}", into: made, nulls: drop}',
    { 4: 'column "made": a value that the template names is null (text = null)' },
  ],
  ['template: {templates: ["Q: {text}"], column: made, nulls: drop}', { 4: 'a value that its template names is null' }],
  [
    'explode: {column: list}',
    { 2: 'it has no element to make a row of: list = []', 4: 'it has no element to make a row of: list = null' },
  ],
  [
    'sql: {query: "SELECT id FROM input WHERE id > 1"}',
    { 1: 'the SELECT makes no row of it: its WHERE is not true for it' },
  ],
  [
    'module: {path: throws.mjs, on_error: drop}',
    { 2: 'the function threw on it, and on_error: drop lets such rows go' },
  ],
  ['module: {path: null.mjs, on_error: drop}', { 3: 'the function returned nothing for it' }],
  [
    'module: {path: both.mjs, on_error: drop}',
    Object.fromEntries(
      [2, 3].map((id) => [id, 'the function returned nothing for it, or threw on it: which of the two was not kept']),
    ),
  ],
  [
    `command: {run: [sed, -n, "2,6s/text/made/p"], carry: true}`,
    { 1: 'the command printed no line with its number (_row)' },
  ],
];

describe('why tells the rule by which each step let a row go', () => {
  it.each(told)('%s', async (step, why) => {
    expect(await whyBy(step)).toEqual(why);
  });

  it('of columns of messages, too', async () => {
    const said = [fox, `${fox}!`, 'hello'].map((content) => ({ messages: [{ role: 'user', content }] }));
    await project.add('talks', [...said, { messages: null }]);
    await project.take('quality: {column: messages, words_min: 3}', { from: 'talks', to: 'longer' });
    await project.take('near-dedupe: {columns: [messages], words: 2}', { from: 'talks', to: 'once' });
    const reasons = async (name: string) =>
      (await project.fates(name, 'talks')).map(({ dropped }) => dropped[0]?.why ?? null);
    expect(await reasons('longer')).toEqual([
      null,
      null,
      'messages is below words_min 3 (the least number of words)',
      'messages is null',
    ]);
    expect(await reasons('once')).toEqual([
      null,
      'like row 1 of its input, which stays: all of their runs of 2 words stand in both',
      null,
      null,
    ]);
  });

  it('and that a row whose values were joined to others is not followed further', async () => {
    for (const missing of ['keep', 'drop']) {
      const name = `joined-${missing}`;
      await project.take(`join: {dataset: answers, on: id, on_missing: ${missing}}`, { to: name });
      const fates = await project.fates(name, 'answers');
      const says = 'join takes values of it, and keeps no word of the rows that got them';
      expect(fates.map(({ stays, dropped, unknown }) => ({ stays, dropped, unknown }))).toEqual(
        [1, 2].map(() => ({ stays: [], dropped: [], unknown: says })),
      );
    }
  });

  it('by the draw of a seed: sample, split and mixture', async () => {
    const fraction = Object.values(await whyBy('sample: {fraction: 0.4, seed: 7}'));
    expect(fraction.length).toBeGreaterThan(0);
    for (const why of fraction) {
      const [, number] = /^seed 7 gives it (0\.\d{4}), and rows below 0\.4 are drawn$/.exec(why ?? '') ?? [];
      expect(Number(number)).toBeGreaterThanOrEqual(0.4);
    }
    const counted = Object.values(await whyBy('sample: {count: 2, seed: 7}'));
    expect(new Set(counted)).toEqual(
      new Set([3, 4, 5, 6].map((place) => `number ${place} in the draw of seed 7, and the first 2 are taken`)),
    );
    const split = Object.entries(await whyBy('split: {shares: {one: 0.5, two: 0.5}, which: one, by: [id], seed: 1}'));
    expect(split.length).toBeGreaterThan(0);
    for (const [row, why] of split)
      expect(why).toBe(`its group (id = ${row}) falls to share two under seed 1, and one stays`);
    const mixed = Object.values(await whyBy('mixture: {weight: 1, with: [{dataset: answers, weight: 1}], rows: 4}'));
    expect(new Set(mixed)).toEqual(
      new Set([3, 4, 5, 6].map((place) => `number ${place} in the draw of seed 0, and the first 2 are taken`)),
    );
  });

  it('by the hit of the report that rows were removed for', async () => {
    const { realisation } = await project.take('decontaminate: {against: [eval]}', { to: 'clean' });
    const why = await whyBy(`remove: {report: "${realisation.records![0]!}", hits: leak}`);
    expect(why[5]).toBe('leak of item 1 of eval (contained, coverage 0.89)');
  });

  it('or says that it is opaque where nobody can know', async () => {
    await project.take('command: {run: [sed, "s/text/made/"]}', { to: 'opaque' });
    const [fate] = await project.fates('opaque');
    expect(fate).toMatchObject({ dropped: [], unknown: 'command does not say of which rows it made its own' });
  });
});
