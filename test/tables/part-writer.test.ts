import { access, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../dist/src/engine/engine.js';
import { writeParts } from '../../dist/src/tables/part-writer.js';
import type { Body } from '../../dist/src/tables/read/read-table-types.js';
import { writeParquet } from '../../dist/src/tables/read/typed-body.js';
import type { RowRun } from '../../dist/src/tables/row-runs.js';

const line = (row: number): string => JSON.stringify({ row, text: 'é'.repeat((row * 37) % 90) });
const rowsOf = (first: number, rows: number): string[] => Array.from({ length: rows }, (_, i) => line(first + i));

const together = (parts: readonly Map<number, string>[]): [number, string][] => parts.flatMap((part) => [...part]);
const expected = (runs: readonly RowRun[]): [number, string][] =>
  runs.flatMap(([first, rows]) => rowsOf(first, rows).map((text, i): [number, string] => [first + i, text]));

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
async function lineBody(name: string, firstRow: number, rows: number): Promise<Body> {
  const path = join(folder, name);
  await writeFile(path, rowsOf(firstRow, rows).join('\n').replaceAll('\n{"row":9', '\n \r\n{"row":9'));
  return { kind: 'lines', path, firstRow, rows, longestLineBytes: 250, groupBytes: 250 * rows };
}

async function writtenLines(
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

async function typedBody(name: string, firstRow: number, rows: number): Promise<Body> {
  const path = join(folder, name);
  await writeParquet(engine, `SELECT range::BIGINT AS n FROM range(${firstRow}, ${firstRow + rows})`, path);
  return { kind: 'typed', path, firstRow, rows, mayMove: true };
}

async function writtenNumbers(
  bodies: readonly Body[],
  runs: readonly RowRun[],
  partBytesMax?: number,
): Promise<number[][]> {
  let made = 0;
  const place = {
    engine,
    schema: { type: 'holdout/schema@1' as const, columns: [{ name: 'n', type: 'BIGINT' as const }] },
    temporary: (suffix: string) => Promise.resolve(join(folder, `part-${made++}${suffix}`)),
    ...(partBytesMax === undefined ? {} : { partBytesMax }),
  };
  const parts = await writeParts(place, bodies, runs, async ({ path }) => (await stat(path)).size);
  return Promise.all(
    parts.map(async ({ path, runs: held }) => {
      const rows = await engine.rows<{ n: bigint }>(
        `SELECT n FROM read_parquet(${engine.fileSql(path)}, file_row_number = true) ORDER BY file_row_number`,
      );
      const numbers = rows.map(({ n }) => Number(n));
      expect(numbers).toEqual(held.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i)));
      return numbers;
    }),
  );
}

describe('lines beyond the size of a part', () => {
  it('go to several parts, each row to one, in order', async () => {
    const runs: RowRun[] = [[0, 300]];
    const bodies = [await lineBody('a.jsonl', 0, 300)];
    const parts = await writtenLines(bodies, runs, 4000);
    expect(parts.length).toBeGreaterThan(5);
    for (const part of parts) expect([...part.values()].join('\n').length).toBeLessThanOrEqual(4000);
    expect(together(parts)).toEqual(expected(runs));
  });

  it('of several files share parts, and rows that are not wanted are left out', async () => {
    const bodies = [
      await lineBody('a.jsonl', 0, 120),
      await lineBody('b.jsonl', 120, 1),
      await lineBody('c.jsonl', 121, 99),
    ];
    const runs: RowRun[] = [
      [3, 1],
      [10, 60],
      [110, 30],
      [219, 1],
    ];
    const parts = await writtenLines(bodies, runs, 3000);
    expect(parts.length).toBeGreaterThan(1);
    expect(together(parts)).toEqual(expected(runs));
  });

  it('have a part each where one is larger than that', async () => {
    const parts = await writtenLines([await lineBody('a.jsonl', 60, 5)], [[60, 5]], 10);
    expect(parts).toHaveLength(5);
    expect(together(parts)).toEqual(expected([[60, 5]]));
  });

  it('stay one part up to twice its size', async () => {
    const one = await lineBody('a.jsonl', 0, 20);
    const { size } = await stat(one.path);
    expect(await writtenLines([one], [[0, 20]], Math.ceil(size / 2))).toHaveLength(1);
    expect((await writtenLines([one], [[0, 20]], Math.floor(size / 2) - 1)).length).toBeGreaterThan(1);
  });
});

const count = (to: number): number[] => Array.from({ length: to }, (_, i) => i);

describe('typed rows', () => {
  it('become a part as they stand where the file is one, and are written together where it is small', async () => {
    const large = 1 << 17;
    const bodies = [await typedBody('a', 0, large), await typedBody('b', large, 3), await typedBody('c', large + 3, 4)];
    const parts = await writtenNumbers(bodies, [[0, large + 7]]);
    expect(parts.map(({ length }) => length)).toEqual([large, 7]);
    expect(parts.flat()).toEqual(count(large + 7));
    await expect(access(bodies[0]!.path)).rejects.toThrow('ENOENT');
    await expect(access(bodies[1]!.path)).resolves.toBeUndefined();
  });

  it('are written anew where not all of a file is wanted, and cut where files have the size of a part', async () => {
    const bodies = [await typedBody('a', 0, 10), await typedBody('b', 10, 10), await typedBody('c', 20, 10)];
    const { size } = await stat(bodies[0]!.path);
    const runs: RowRun[] = [
      [2, 17],
      [25, 2],
    ];
    const parts = await writtenNumbers(bodies, runs, size + 1);
    expect(parts).toHaveLength(2);
    expect(parts.flat()).toEqual([...count(19).slice(2), 25, 26]);
  });
});
