import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Engine } from '../../dist/src/engine/engine.js';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { rowDigestSql } from '../../dist/src/identity/row-encoding-sql.js';
import { groupRowsOf } from '../../dist/src/tables/part-file.js';
import type { PartFile, StackedFile } from '../../dist/src/tables/part-file.js';
import { queryLines } from '../../dist/src/tables/file-lines.js';
import { fileRowsSql } from '../../dist/src/tables/row-file.js';
import { readTable } from '../../dist/src/tables/read/read-table.js';
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
  const rows = 500;
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

  /** The lines as a part, and a text made of each beside it. */
  async function stack(): Promise<StackedFile> {
    const lines = join(folder, 'lines.parquet');
    const texts = join(folder, 'texts.parquet');
    const from = `read_csv(${engine.fileSql(path)}, columns = {'line': 'VARCHAR'}, delim = '\x01', quote = '', header = false, max_line_size = 1000000, auto_detect = false)`;
    const groupRows = groupRowsOf(rowBytes);
    await writeParquet(engine, `SELECT line FROM ${from}`, lines, groupRows);
    await writeParquet(
      engine,
      `SELECT upper(line) AS c0 FROM read_parquet(${engine.fileSql(lines)})`,
      texts,
      groupRows,
    );
    const logicalBytes = rows * rowBytes;
    const line: PartFile = { kind: 'lines', path: lines, rows, logicalBytes, schema: textSchema('text') };
    const text: PartFile = { kind: 'typed', path: texts, rows, logicalBytes, schema: textSchema('c0') };
    const sources = [
      { file: line, columns: [['text', 'text']] },
      { file: text, columns: [['upper', 'c0']] },
    ] as const;
    return { kind: 'stacked', rows, logicalBytes: 2 * logicalBytes, sources };
  }

  it('are filtered, put together with the columns beside them, hashed, and written again', async () => {
    const file = await stack();
    const [filtered] = await engine.rows(
      `SELECT count(*)::INTEGER AS n, sum(strlen(long))::BIGINT AS bytes FROM (
         SELECT line || line AS long, hash(line) AS h FROM read_parquet(${engine.fileSql(file.sources[0]!.file.path)})
       ) WHERE h % 2 < 2`,
    );
    expect(filtered).toEqual({ n: rows, bytes: BigInt(2 * ((await stat(path)).size - rows)) });
    const rowsSql = fileRowsSql(engine, file, twoTexts, 'row');
    const digests = join(folder, 'digests.parquet');
    await engine.run(
      `COPY (SELECT row, ${rowDigestSql(twoTexts)} AS h FROM (${rowsSql})) TO ${engine.outputSql(digests)} (FORMAT parquet)`,
    );
    const written = join(folder, 'both.parquet');
    await writeParquet(engine, `SELECT * FROM (${rowsSql})`, written, groupRowsOf(2 * rowBytes));
    const ordered = `SELECT count(*)::INTEGER AS n, count(DISTINCT "row")::INTEGER AS different,
      bool_and("row" = file_row_number) AS kept FROM read_parquet(FILE, file_row_number = true)`;
    for (const each of [digests, written]) {
      const found = await engine.rows(ordered.replace('FILE', engine.fileSql(each)));
      expect(found).toEqual([{ n: rows, different: rows, kept: true }]);
    }
    const large = await Engine.open({ tempDirectory: folder, readDirectories: [folder], threads: 2 });
    const source = { engine: large, files: [file], groups: [[0, rows]], schema: twoTexts, verbatim: true };
    const pieces = await queryLines(source, 0, 7, 60);
    await large.close();
    const lines = pieces.flatMap(({ bytes }) => Buffer.from(bytes).toString().split('\n').slice(0, -1));
    expect(lines.map((line) => (JSON.parse(line) as { upper: string }).upper.slice(0, 10))).toEqual(
      Array.from({ length: 53 }, (_, row) => `{"ROW":${row + 7},"TEXT":"X`.slice(0, 10)),
    );
    expect(await sumOf(written, 'upper')).toEqual([{ n: rows, bytes: BigInt((await stat(path)).size - rows) }]);
  });

  it('are read from a Parquet file that has them all in one row group', async () => {
    const given = join(folder, 'given.parquet');
    const wide = await Engine.open({
      tempDirectory: folder,
      writeDirectories: [folder],
      memoryLimitBytes: 2_000_000_000,
    });
    await wide.run(
      `COPY (SELECT range AS id, repeat(md5(range::VARCHAR), 9375) AS text FROM range(${rows})) TO ${wide.outputSql(given)} (FORMAT parquet, DICTIONARY_SIZE_LIMIT 1)`,
    );
    await wide.close();
    const table = await readTable([given], { workDirectory: folder, threads: 2, memoryLimitBytes });
    expect(table.rows).toBe(rows);
    const [body] = table.bodies;
    expect(await sumOf(body!.path, 'text')).toEqual([{ n: rows, bytes: BigInt(rows * rowBytes) }]);
    await table.dispose();
  });
});

function textSchema(...names: readonly string[]): TableSchema {
  return { type: 'holdout/schema@1', columns: names.map((name) => ({ name, type: 'VARCHAR' as const })) };
}

const twoTexts = textSchema('text', 'upper');
