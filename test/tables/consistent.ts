import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Engine } from '../../dist/src/engine/engine.js';
import { rowDigestSql } from '../../dist/src/identity/row-encoding-sql.js';
import { readTable } from '../../dist/src/tables/read/read-table.js';
import type { TableReader } from '../../dist/src/tables/table-reader.js';

/** Everything that a reader gives must be of one mind: relation, blocks, lines and digests. */
export async function expectConsistent(reader: TableReader, engine: Engine): Promise<void> {
  const digests = Buffer.from(await reader.digests());
  const byPosition = await engine.rows<{ place: bigint; h: Uint8Array }>(
    `SELECT place, ${rowDigestSql(reader.schema)} AS h FROM (${reader.relationSql({ position: 'place' })}) ORDER BY place`,
  );
  expect(byPosition.map(({ place }) => Number(place))).toEqual(Array.from({ length: reader.rows }, (_, i) => i));
  expect(Buffer.concat(byPosition.map(({ h }) => h)).equals(digests)).toBe(true);

  const inBlocks: Uint8Array[] = [];
  for await (const { firstRow, rows, sql } of reader.blocks({ rowsMax: 70 })) {
    expect(firstRow).toBe(inBlocks.length);
    expect(rows).toBeLessThanOrEqual(70);
    const found = await engine.blobs(`SELECT ${rowDigestSql(reader.schema)} FROM (${sql})`);
    expect(found).toHaveLength(rows);
    inBlocks.push(...found.map((digest) => digest!));
  }
  expect(Buffer.concat(inBlocks).equals(digests)).toBe(true);

  let streamed = 0;
  for await (const { firstRow, rows, sql } of reader.blocks({ streamed: true })) {
    const found = await engine.blobs(`SELECT ${rowDigestSql(reader.schema)} FROM (${sql})`);
    expect([firstRow, found.length]).toEqual([streamed, rows]);
    expect(
      Buffer.concat(found.map((digest) => digest!)).equals(digests.subarray(firstRow * 32, (firstRow + rows) * 32)),
    ).toBe(true);
    streamed += rows;
  }
  expect(streamed).toBe(reader.rows);

  const some = Array.from({ length: reader.rows }, (_, i) => i).filter((i) => i % 5 === 1 || i % 7 < 2);
  const picked = await reader.picked(some, 'place');
  const these = await engine.rows<{ place: bigint; h: Uint8Array }>(
    `SELECT place, ${rowDigestSql(reader.schema)} AS h FROM (${picked.sql}) ORDER BY place`,
  );
  await picked.close();
  expect(these.map(({ place }) => Number(place))).toEqual(some);
  expect(
    Buffer.concat(these.map(({ h }) => h)).equals(
      Buffer.concat(some.map((row) => digests.subarray(row * 32, (row + 1) * 32))),
    ),
  ).toBe(true);

  for (const alone of [false, true]) {
    const ordered = reader.orderedSql({ alone });
    if (ordered === null) continue;
    const found = await engine.blobs(`SELECT ${rowDigestSql(reader.schema)} FROM (${ordered})`);
    expect(Buffer.concat(found.map((digest) => digest!)).equals(digests)).toBe(true);
  }
  for (const canonical of [false, true]) {
    let rows = 0;
    let text = '';
    for await (const block of reader.jsonLines({ canonical, bytesMax: 5000 })) {
      expect(block.firstRow).toBe(rows);
      rows += block.rows;
      text += Buffer.from(block.bytes).toString();
    }
    expect(rows).toBe(reader.rows);
    const folder = await mkdtemp(join(tmpdir(), 'holdout-back-'));
    const path = join(folder, 'back.jsonl');
    await writeFile(path, text);
    const back = await readTable([path], { workDirectory: folder, threads: 1, schema: reader.schema });
    expect((await readFile(back.digestsPath)).equals(digests)).toBe(true);
    await back.dispose();
    await rm(folder, { recursive: true });
  }
}
