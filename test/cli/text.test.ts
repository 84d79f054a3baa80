import { expect, it } from 'vitest';
import { countsText } from '../../dist/cli/step-text.js';
import { alignTable, clipMiddle, wrapLine } from '../../dist/cli/text.js';

it('breaks prose at words, keeps its indentation, and leaves long words whole', () => {
  expect(wrapLine('  one two three', 9)).toEqual(['  one two', '  three']);
  expect(wrapLine('fits', 4)).toEqual(['fits']);
  expect(wrapLine('a sha256:0123456789 b', 8)).toEqual(['a', 'sha256:0123456789', 'b']);
  expect(wrapLine('\u001b[31mred words\u001b[39m', 9)).toEqual(['\u001b[31mred words\u001b[39m']);
});

it('tells counts in one order, whatever order they come in, and one thing in the singular', () => {
  expect(countsText({ tooShort: 1, itemsHit: 1, duplicates: 12, none: 0 })).toBe(
    ' (12 duplicates, 1 item hit, 1 too short)',
  );
  expect(countsText({ columnsDropped: 1 })).toBe(' (1 column dropped)');
  expect(countsText({ none: 0 })).toBe('');
});

it('fits tables into a narrow terminal', () => {
  const rows = [
    ['name', 'role', 'rows', 'table', 'added'],
    ['a-long-name', 'train', '12,345', '0123456789ab', '2026-01-01'],
  ];
  for (const line of alignTable(rows, { width: 30 })) expect(line.length).toBeLessThanOrEqual(30);
});

it('shortens a path in its middle', () => {
  expect(clipMiddle('data/train.jsonl', 9)).toBe('data…sonl');
});
