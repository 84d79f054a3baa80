import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Sandbox, lines } from './run-cli.js';

const rowCount = 3000;
const columnCount = 10;
/** Text that does not compress below three quarters of its length. */
const noise = (seed: string, bytes: number): string => {
  let text = '';
  for (let i = 0; text.length < bytes; i++) text += createHash('sha256').update(`${seed} ${i}`).digest('base64');
  return text.slice(0, bytes);
};
const rows = Array.from({ length: rowCount }, (_, row) =>
  Object.fromEntries(
    Array.from({ length: columnCount }, (_column, column) => [`c${column}`, noise(`${row} ${column}`, 80)]),
  ),
);

const bytesIn = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, each) => {
    const path = join(folder, each.name);
    return sum + (each.isDirectory() ? bytesIn(path) : statSync(path).size);
  }, 0);
const kinds = ['parts', 'digests', 'layouts', 'origins'];
let box: Sandbox;
const stored = (): number => kinds.reduce((sum, kind) => sum + bytesIn(join(box.folder, '.holdout', kind)), 0);
/** Bytes that a step adds to the store. */
const added = async (from: string, to: string, step: string): Promise<number> => {
  const before = stored();
  const { status, stderr } = await box.run(['transform', from, to, '--step', step]);
  expect(`${status} ${stderr}`).toBe('0 ');
  return stored() - before;
};

beforeAll(async () => {
  box = await Sandbox.make({ 'rows.jsonl': lines(rows), 'more.jsonl': lines(rows.slice(0, 10)) });
  await box.run(['init']);
  await box.json(['add', 'base', 'rows.jsonl']);
  await box.json(['add', 'more', 'more.jsonl']);
});
afterAll(async () => box.remove());

describe('what a step stores', () => {
  it('of a mapping that changes one column of ten is that column and 32 bytes a row', async () => {
    const column = rowCount * 80;
    const bytes = await added('base', 'upper', 'derive: {columns: {c3: "reverse(c3)"}}');
    expect(bytes).toBeGreaterThan(column / 2);
    expect(bytes).toBeLessThan(column * 1.02 + 32 * rowCount + 4096);
  });

  it('of a renaming, a choice of columns or their order is 32 bytes a row', async () => {
    for (const step of ['rename: {columns: {c1: first}}', 'drop: {columns: [c9]}', 'select: {columns: [c2, c0]}']) {
      const bytes = await added('base', 'other', step);
      expect(bytes).toBeGreaterThan(31 * rowCount);
      expect(bytes).toBeLessThan(32 * rowCount + 4096);
    }
  });

  it('of a filter over mapped columns is a bit a row', async () => {
    await added('base', 'upper', 'derive: {columns: {c3: "reverse(c3)"}}');
    expect(await added('upper', 'some', 'sample: {fraction: 0.5}')).toBeLessThan(rowCount / 4 + 4096);
  });

  it('of tables put together is no row again', async () => {
    expect(await added('base', 'both', 'concat: {with: [more]}')).toBeLessThan(4096);
  });
});
