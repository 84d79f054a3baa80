import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../dist/src/engine/engine.js';
import { scanLines } from '../../dist/src/tables/json-scan/scan-lines.js';
import { writeParts } from '../../dist/src/tables/part-writer.js';
import type { Body } from '../../dist/src/tables/read/read-table-types.js';
import { writeParquet } from '../../dist/src/tables/read/typed-body.js';
import { RowWeight } from '../../dist/src/tables/row-weight.js';

const groupRows = 8192;

describe('the weight of rows', () => {
  it('is that of the heaviest 8192 in a row, and of what is added at once around them', () => {
    const weight = new RowWeight();
    for (let i = 0; i < 20_000; i++) weight.add(1, i >= 9000 && i < 9100 ? 1000 : 1);
    expect(weight.bytesMax).toBe(groupRows - 100 + 100 * 1000);
    const coarse = new RowWeight();
    for (const [rows, bytes] of [
      [groupRows, 10],
      [groupRows - 2, 20],
      [5, 40],
      [0, 1000],
      [groupRows, 80],
    ] as const)
      coarse.add(rows, bytes);
    // The third block can stand in a group with rows of the first; the fourth not with those of the second's beginning.
    expect(coarse.bytesMax).toBe(20 + 40 + 80);
  });
});

describe('rows that come to more than the memory of the engine', () => {
  const memoryLimitBytes = 200_000_000;
  const rowBytes = 300_000;
  const rows = 700;
  let folder: string;
  let engine: Engine;
  let path: string;
  let body: Body;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdout-long-'));
    engine = await Engine.open({ tempDirectory: folder, writeDirectories: [folder], threads: 2, memoryLimitBytes });
    path = join(folder, 'long.jsonl');
    const text = 'x'.repeat(rowBytes);
    await writeFile(path, Array.from({ length: rows }, (_, row) => JSON.stringify({ row, text }) + '\n').join(''));
    const scan = await scanLines({ path, tempDigests: join(folder, 'digests') });
    expect(scan.groupBytes).toBe((await stat(path)).size);
    // As of a file with as many such rows as a row group has.
    const groupBytes = groupRows * rowBytes;
    body = { kind: 'lines', path, firstRow: 0, rows, longestLineBytes: scan.longestLineBytes, groupBytes };
  });
  afterEach(async () => {
    await engine.close();
    await rm(folder, { recursive: true });
  });

  const sumOf = (file: string, column: string): Promise<Record<string, unknown>[]> =>
    engine.rows(
      `SELECT count(*)::INTEGER AS n, sum(strlen(${column}))::BIGINT AS bytes FROM read_parquet(${engine.fileSql(file)})`,
    );

  it('are stored in row groups of some MB, read back, and written by a query', async () => {
    let made = 0;
    const [part] = await writeParts(
      {
        engine,
        schema: { type: 'holdout/schema@1', columns: [{ name: 'text', type: 'VARCHAR' }] },
        temporary: (suffix) => Promise.resolve(join(folder, `part-${made++}${suffix}`)),
      },
      [body],
      [[0, rows]],
      async (each) => (await stat(each.path)).size,
    );
    const bytes = BigInt((await stat(path)).size - rows);
    expect(await sumOf(part!.path, 'line')).toEqual([{ n: rows, bytes }]);
    const target = join(folder, 'query.parquet');
    await writeParquet(
      engine,
      `SELECT line || 'more' AS text FROM read_parquet(${engine.fileSql(part!.path)})`,
      target,
    );
    expect(await sumOf(target, 'text')).toEqual([{ n: rows, bytes: bytes + BigInt(rows * 4) }]);
    for (const file of [part!.path, target]) {
      const most = await engine.value<bigint>(
        `SELECT max(total_uncompressed_size)::BIGINT FROM parquet_metadata(${engine.fileSql(file)})`,
      );
      expect(Number(most)).toBeLessThan(64 << 20);
    }
  });
});
