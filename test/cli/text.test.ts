import { expect, it } from 'vitest';
import { remarkText } from '../../dist/cli/output.js';
import { countsText, toldCounts } from '../../dist/cli/step-text.js';
import { alignTable, clipMiddle, formatBytes, nearestName, wrapLine } from '../../dist/cli/text.js';

it('breaks prose at words, keeps its indentation, and leaves long words whole', () => {
  expect(wrapLine('  one two three', 9)).toEqual(['  one two', '  three']);
  expect(wrapLine('fits', 4)).toEqual(['fits']);
  expect(wrapLine('a sha256:0123456789 b', 8)).toEqual(['a', 'sha256:0123456789', 'b']);
  expect(wrapLine('\u001b[31mred words\u001b[39m', 9)).toEqual(['\u001b[31mred words\u001b[39m']);
});

it('sets what follows a number, or the first column of a list, under the text beside it', () => {
  expect(wrapLine('1. keep short rows: 60 → 41 (19 false)', 22)).toEqual([
    '1. keep short rows:',
    '   60 → 41 (19 false)',
  ]);
  expect(wrapLine('head      Keeps the first rows.', 22)).toEqual(['head      Keeps the', '          first rows.']);
  expect(wrapLine('near-dedupe  one two three', 20)).toEqual(['near-dedupe  one two', 'three']);
});

it('breaks what goes to a terminal below the text of an error, and leaves it whole for a program', () => {
  const error = 'error: holdout.yaml:7:17: no such column\nhint: did you mean output?\n  a: {b: c}';
  expect(remarkText(error, null)).toBe(error);
  expect(remarkText(error, 26).split('\n')).toEqual([
    'error: holdout.yaml:7:17:',
    '       no such column',
    'hint: did you mean output?',
    '  a: {b: c}',
  ]);
});

it('tells counts of other datasets by their names', () => {
  expect(countsText({ ofInput: 3, ofDataset1: 2, ofDataset2: 1 }, ['web', undefined])).toBe(
    ' (3 of input, 2 of web, 1 of dataset2)',
  );
});

it('tells counts in one order, whatever order they come in, and one thing in the singular', () => {
  expect(countsText({ tooShort: 1, itemsHit: 1, duplicates: 12, none: 0 })).toBe(
    ' (12 duplicates, 1 item hit, 1 too short)',
  );
  expect(countsText({ columnsDropped: 1 })).toBe(' (1 column dropped)');
  expect(countsText({ none: 0 })).toBe('');
});

it('tells what each pass of a step changed in the order of the passes', () => {
  const counts = { zeroWidthValues: 21, htmlValues: 1, rowsTouched: 30, whitespaceValues: 15, emptiedValues: 2 };
  expect(countsText(counts, [], toldCounts('clean-text@1'))).toBe(
    ' (30 rows touched, 1 html value, 21 zero width values, 15 whitespace values, 2 emptied values)',
  );
});

it('tells of near duplicates how many rows went, and not how they were found', () => {
  const counts = { sameWords: 3, nearDuplicates: 5, candidatePairs: 19, verifiedPairs: 19, pairsLeftOut: 0 };
  expect(countsText(counts, [], toldCounts('near-dedupe@1'))).toBe(' (3 same words, 5 near duplicates)');
});

it('fits tables into a narrow terminal', () => {
  const rows = [
    ['name', 'role', 'rows', 'table', 'added'],
    ['a-long-name', 'train', '12,345', '0123456789ab', '2026-01-01'],
  ];
  for (const line of alignTable(rows, { width: 30 })) expect(line.length).toBeLessThanOrEqual(30);
});

it('tells sizes in the unit that they are known by', () => {
  expect([0, 999, 1 << 20, 5 << 20, 256 << 20, (256 << 20) + 1, 778_123_456].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1 MiB',
    '5 MiB',
    '256 MiB',
    '256 MiB',
    '742 MiB',
  ]);
});

it('shortens a path in its middle', () => {
  expect(clipMiddle('data/train.jsonl', 9)).toBe('data…sonl');
});

it('names the nearest name, and none where short names have no letter in common', () => {
  expect(nearestName('trian', ['raw', 'train'])).toBe('train');
  expect(nearestName('stf', ['sft'])).toBe('sft');
  expect(nearestName('zz', ['a', 'b2'])).toBe(null);
  expect(nearestName('gsm8k', ['train', 'gsm8k-test'])).toBe('gsm8k-test');
  expect(nearestName('gs', ['train', 'gsm8k-test'])).toBe(null);
  expect(nearestName('x', ['y'])).toBe(null);
  expect(nearestName('nix', ['i'])).toBe(null);
});
