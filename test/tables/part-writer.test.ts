import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../dist/src/engine/engine.js';
import { writeParts } from '../../dist/src/tables/part-writer.js';
import type { Body } from '../../dist/src/tables/read/read-table-types.js';
import type { RowRun } from '../../dist/src/tables/row-runs.js';

const line = (row: number): string => JSON.stringify({ row, text: 'é'.repeat((row * 37) % 90) });
const rowsOf = (first: number, rows: number): string[] => Array.from({ length: rows }, (_, i) => line(first + i));

const together = (parts: readonly Map<number, string>[]): [number, string][] => parts.flatMap((part) => [...part]);
const expected = (runs: readonly RowRun[]): [number, string][] =>
  runs.flatMap(([first, rows]) => rowsOf(first, rows).map((text, i): [number, string] => [first + i, text]));

describe('lines beyond the size of a part', () => {
  let folder: string;
  let engine: Engine;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdout-parts-'));
    engine = await Engine.open({ tempDirectory: folder, writeDirectories: [folder], threads: 2 });
  });
  afterEach(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  /** A file of these lines, with a blank one here and there. */
  async function body(name: string, firstRow: number, rows: number): Promise<Body> {
    const path = join(folder, name);
    await writeFile(path, rowsOf(firstRow, rows).join('\n').replaceAll('\n{"row":9', '\n \r\n{"row":9'));
    return { kind: 'lines', path, firstRow, rows, longestLineBytes: 250 };
  }

  async function written(
    bodies: readonly Body[],
    runs: readonly RowRun[],
    partBytesMax: number,
  ): Promise<Map<number, string>[]> {
    let made = 0;
    const parts = await writeParts(
      {
        engine,
        schema: {
          type: 'holdout/schema@1',
          columns: [
            { name: 'row', type: 'BIGINT' },
            { name: 'text', type: 'VARCHAR' },
          ],
        },
        temporary: (suffix) => Promise.resolve(join(folder, `part-${made++}${suffix}`)),
        partBytesMax,
      },
      bodies,
      runs,
      async ({ path }) => (await stat(path)).size,
    );
    return Promise.all(
      parts.map(async (part) => {
        const lines = await engine.rows<{ line: string }>(
          `SELECT line FROM read_parquet(${engine.fileSql(part.path)}, file_row_number = true) ORDER BY file_row_number`,
        );
        const numbers = part.runs.flatMap(([first, rows]) => Array.from({ length: rows }, (_, i) => first + i));
        expect(numbers).toHaveLength(lines.length);
        expect(part.logicalBytes).toBe(lines.reduce((sum, each) => sum + Buffer.byteLength(each.line), 0));
        return new Map(numbers.map((row, i) => [row, lines[i]!.line]));
      }),
    );
  }

  it('go to several parts, each row to one, in order', async () => {
    const runs: RowRun[] = [[0, 300]];
    const bodies = [await body('a.jsonl', 0, 300)];
    const parts = await written(bodies, runs, 4000);
    expect(parts.length).toBeGreaterThan(5);
    for (const part of parts) expect([...part.values()].join('\n').length).toBeLessThanOrEqual(4000);
    expect(together(parts)).toEqual(expected(runs));
  });

  it('of several files share parts, and rows that are not wanted are left out', async () => {
    const bodies = [await body('a.jsonl', 0, 120), await body('b.jsonl', 120, 1), await body('c.jsonl', 121, 99)];
    const runs: RowRun[] = [
      [3, 1],
      [10, 60],
      [110, 30],
      [219, 1],
    ];
    const parts = await written(bodies, runs, 3000);
    expect(parts.length).toBeGreaterThan(1);
    expect(together(parts)).toEqual(expected(runs));
  });

  it('have a part each where one is larger than that', async () => {
    const parts = await written([await body('a.jsonl', 60, 5)], [[60, 5]], 10);
    expect(parts).toHaveLength(5);
    expect(together(parts)).toEqual(expected([[60, 5]]));
  });

  it('stay one part up to twice its size', async () => {
    const one = await body('a.jsonl', 0, 20);
    const { size } = await stat(one.path);
    expect(await written([one], [[0, 20]], Math.ceil(size / 2))).toHaveLength(1);
    expect((await written([one], [[0, 20]], Math.floor(size / 2) - 1)).length).toBeGreaterThan(1);
  });
});
