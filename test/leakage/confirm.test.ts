import { describe, expect, it } from 'vitest';
import type { LeakReport } from '../../dist/schemas/leak-report.js';
import { randomNumbers } from '../transforms/run-on.js';
import { check, evalOf, tableOf } from './sets.ts';

const random = randomNumbers(11);
const upTo = (n: number): number => Math.floor(random() * n);
const word = (): string => `w${upTo(400)}`;
const words = (count: number): string[] => Array.from({ length: count }, word);

/** Items of all kinds: long and short, with passages, with choices under one stem, and the same text twice. */
const items = Array.from({ length: 240 }, (_, n) => ({
  question:
    (n % 40 === 39 ? 'which of these is it then' : words([24, 14, 9, 6][n % 4]!).join(' ')) + (n % 5 ? ' 12 7' : ''),
  passage: n % 6 === 0 ? words(30).join(' ') : '',
  choices: n % 3 === 0 ? [word(), word(), `${word()} ${word()}`] : [],
  answer: word(),
}));
const others = items.slice(0, 40).map(({ question }) => ({ question: question.replace('w', 'v') }));

/** Rows that hold an item whole, with a word changed, in part, or beside its passage or choices. */
const rows = (count: number): { text: string; note: string }[] =>
  Array.from({ length: count }, (_, n) => {
    const { question, passage, choices, answer } = items[upTo(items.length)]!;
    const tokens = question.split(' ');
    if (n % 3 === 1) tokens[upTo(tokens.length)] = 'changed';
    const part = n % 7 === 0 ? tokens.slice(0, Math.ceil(tokens.length * 0.6)) : tokens;
    const text = [...words(5), ...part, ...(n % 2 ? choices : [answer]), ...words(3)].join(' ');
    return { text, note: n % 4 === 0 ? passage : '' };
  });

describe('confirmation', () => {
  it('finds the same in any number of threads, though each knows but its own rows', async () => {
    const trains = [tableOf('first', rows(8000)), tableOf('second', rows(300))];
    const evals = [evalOf('items', items), evalOf('others', others)];
    const reports: LeakReport[] = [];
    for (const threads of [1, 8]) reports.push((await check(trains, evals, { threads })).report);
    const [one] = reports;
    expect(one!.trains[0]!.leakedRows).toBeGreaterThan(5000);
    expect(one!.trains[0]!.suspectRows).toBeGreaterThan(100);
    expect(new Set(one!.hits.map((hit) => hit.class)).size).toBeGreaterThanOrEqual(3);
    for (const report of reports) expect(JSON.stringify(report)).toBe(JSON.stringify(one));
  });
});
