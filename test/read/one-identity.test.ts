import { readdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ColumnType, TableSchema } from '../../dist/schemas/table-schema.js';
import {
  Bool,
  DateDay,
  Decimal,
  Field,
  Float64,
  Int64,
  List,
  makeData,
  RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { sourceOfRow } from '../../dist/src/tables/read/read-table-types.js';
import { tableToIPC, useWorkplace } from './files.ts';

const place = useWorkplace();

function schema(columns: Record<string, ColumnType>): TableSchema {
  return { type: 'holdout/schema@1', columns: Object.entries(columns).map(([name, type]) => ({ name, type })) };
}

const rows = Array.from({ length: 300 }, (_, i) => ({
  id: i,
  'question "q", the': i % 7 === 0 ? null : `line\nbreak, "quoted" ${i} \u00e9\u{1f600} \ufeffx`,
  score: i / 8,
  ok: i % 2 === 0,
  tags: i % 5 === 0 ? [] : ['a', `t${i}`],
  meta: { source: `s${i % 3}`, n: i * 1000 },
}));
const types = schema({
  id: 'BIGINT',
  'question "q", the': 'VARCHAR',
  score: 'DOUBLE',
  ok: 'BOOLEAN',
  tags: { list: 'VARCHAR' },
  meta: {
    struct: [
      { name: 'source', type: 'VARCHAR' },
      { name: 'n', type: 'BIGINT' },
    ],
  },
});

function jsonl(list: readonly unknown[] = rows): string {
  return list.map((row) => `${JSON.stringify(row)}\n`).join('');
}

function csvCell(value: unknown): string {
  if (value === null) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'string' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv(delimiter = ','): string {
  const names = Object.keys(rows[0] ?? {});
  return [names, ...rows.map(Object.values)].map((row) => row.map(csvCell).join(delimiter)).join('\r\n');
}

function arrowTable(): Table {
  const meta = new Struct([new Field('source', new Utf8(), true), new Field('n', new Int64(), true)]);
  return new Table({
    id: vectorFromArray(
      rows.map((row) => BigInt(row.id)),
      new Int64(),
    ),
    'question "q", the': vectorFromArray(
      rows.map((row) => row['question "q", the']),
      new Utf8(),
    ),
    score: vectorFromArray(
      rows.map((row) => row.score),
      new Float64(),
    ),
    ok: vectorFromArray(
      rows.map((row) => row.ok),
      new Bool(),
    ),
    tags: vectorFromArray(
      rows.map((row) => row.tags),
      new List(new Field('item', new Utf8(), true)),
    ),
    meta: vectorFromArray(
      rows.map(({ meta }) => ({ source: meta.source, n: BigInt(meta.n) })),
      meta,
    ),
  });
}

describe('the same rows have one table id', () => {
  test('as JSONL, JSON array, rows under a key, CSV and TSV with a schema, Parquet, Arrow file and stream, gzip', async () => {
    const reference = await place.read(await place.write('a.jsonl', jsonl()));
    const parquetSource = await place.write('source.jsonl', jsonl());
    const query =
      `SELECT * FROM read_json(${quote(parquetSource)}, format = 'newline_delimited', columns = {id: 'BIGINT', ` +
      `'question "q", the': 'VARCHAR', score: 'DOUBLE', ok: 'BOOLEAN', tags: 'VARCHAR[]', meta: 'STRUCT(source VARCHAR, n BIGINT)'})`;
    // The engine that writes the test's file may read nothing but its folder.
    const others: [string, ReturnType<typeof place.read>][] = [
      ['array', place.read(await place.write('b.json', JSON.stringify(rows, null, 2)))],
      ['under a key', place.read(await place.write('c.json', JSON.stringify({ canary: 'x', examples: rows })))],
      ['csv', place.read(await place.write('d.csv', csv()), { schema: types })],
      ['tsv', place.read(await place.write('e.tsv', csv('\t')), { schema: types })],
      ['parquet', place.read(await place.parquet('f.parquet', query))],
      ['arrow stream', place.read(await place.write('g.arrow', tableToIPC(arrowTable(), 'stream')))],
      ['arrow file', place.read(await place.write('h.arrow', tableToIPC(arrowTable(), 'file')))],
      ['gzip', place.read(await place.write('i.jsonl.gz', gzipSync(jsonl())))],
      ['gzip of csv', place.read(await place.write('j.csv.gz', gzipSync(csv())), { schema: types })],
      [
        'crlf and mark',
        place.read(await place.write('k.jsonl', `\ufeff${jsonl().replaceAll('\n', '\r\n')}\r\n  \r\n`)),
      ],
      ['jsonl named json', place.read(await place.write('l.json', jsonl()))],
      [
        'two files',
        place.read([
          await place.write('m1.jsonl', jsonl(rows.slice(0, 100))),
          await place.write('m2.jsonl', jsonl(rows.slice(100))),
        ]),
      ],
    ];
    for (const [form, reading] of others) {
      const table = await reading;
      expect({ form, rows: table.rows, table: table.table, setRoot: await table.setRoot() }).toEqual({
        form,
        rows: 300,
        table: reference.table,
        setRoot: await reference.setRoot(),
      });
      expect(
        table.schema.columns.map((column) => column.name),
        form,
      ).toEqual(types.columns.map(({ name }) => name));
    }
    expect(reference.schema).toEqual(types);
  });

  test('with 1 and 8 threads', async () => {
    const lines = await place.write('a.jsonl', jsonl());
    const parquet = await place.parquet('a.parquet', `SELECT i AS id, 'x' || i AS t FROM range(50000) r(i)`);
    for (const path of [lines, parquet]) {
      const [one, eight] = [await place.read(path, { threads: 1 }), await place.read(path, { threads: 8 })];
      expect(one.table).toBe(eight.table);
      expect(await one.setRoot()).toBe(await eight.setRoot());
    }
  });

  test('types that JSON lacks: JSONL, CSV and Arrow under a schema, and Parquet', async () => {
    const declared = schema({
      day: 'DATE',
      at: 'TIMESTAMP',
      zoned: 'TIMESTAMPTZ',
      price: { decimal: [10, 2] },
      uid: 'UUID',
      raw: 'BLOB',
      small: 'SMALLINT',
      days: { list: 'DATE' },
    });
    const query = `SELECT DATE '2024-02-29' AS day, TIMESTAMP '2024-01-02 03:04:05.000006' AS at,
      TIMESTAMPTZ '2024-01-02 03:04:05+02:00' AS zoned, 12.50::DECIMAL(10, 2) AS price,
      UUID '123e4567-e89b-12d3-a456-426614174000' AS uid, encode('hé') AS raw, (-7)::SMALLINT AS small,
      [DATE '0001-01-01', NULL] AS days UNION ALL SELECT NULL, NULL, NULL, 0.10::DECIMAL(10, 2), NULL, ''::BLOB, 0::SMALLINT, []`;
    const parquet = await place.read(await place.parquet('t.parquet', query));
    expect(parquet.schema).toEqual(declared);
    const lines = [
      {
        day: '2024-02-29',
        at: '2024-01-02T03:04:05.000006',
        zoned: '2024-01-02T03:04:05+02:00',
        price: 12.5,
        uid: '123E4567-E89B-12D3-A456-426614174000',
        raw: 'aMOp',
        small: -7,
        days: ['0001-01-01', null],
      },
      { price: '0.100', raw: '', small: 0, days: [] },
    ];
    const json = await place.read(await place.write('t.jsonl', jsonl(lines)), { schema: declared });
    expect(json.bodies.map((body) => body.kind)).toEqual(['typed']);
    expect(json.table).toBe(parquet.table);
    const cells =
      'day,at,zoned,price,uid,raw,small,days\n' +
      '2024-02-29,2024-01-02 03:04:05.000006,2024-01-02T01:04:05Z,12.50,123e4567-e89b-12d3-a456-426614174000,aMOp,-7,"[""0001-01-01"",null]"\n' +
      ',,,0.1,,"",0,[]\n';
    expect((await place.read(await place.write('t.csv', cells), { schema: declared })).table).toBe(parquet.table);
  });

  test('Arrow types beside JSON ones agree with Parquet', async () => {
    const table = new Table({
      day: vectorFromArray([new Date('2024-02-29'), null], new DateDay()),
      at: vectorFromArray([1704164645000, null], new TimestampMicrosecond()),
      price: vectorFromArray(
        [new Uint32Array([1250, 0, 0, 0]), new Uint32Array([0xfffffff6, 0xffffffff, 0xffffffff, 0xffffffff])],
        new Decimal(2, 10, 128),
      ),
    });
    const arrow = await place.read(await place.write('t.arrow', tableToIPC(table, 'stream')));
    const parquet = await place.read(
      await place.parquet(
        't.parquet',
        `SELECT DATE '2024-02-29' AS day, TIMESTAMP '2024-01-02 03:04:05' AS at, 12.50::DECIMAL(10, 2) AS price
         UNION ALL SELECT NULL, NULL, -0.10`,
      ),
    );
    expect(arrow.schema).toEqual(parquet.schema);
    expect(arrow.table).toBe(parquet.table);
  });

  test('a shuffled file has the same set root and another table id', async () => {
    const straight = await place.read(await place.write('a.jsonl', jsonl()));
    const reversed = await place.read(await place.write('b.jsonl', jsonl(rows.toReversed())));
    expect(await reversed.setRoot()).toBe(await straight.setRoot());
    expect(reversed.table).not.toBe(straight.table);
  });

  test('a subset read by itself has the digests that it had', async () => {
    const mixed = '{"x":9007199254740993}\n{"x":2.5}\n';
    const whole = await place.read(await place.write('a.jsonl', mixed));
    const first = await place.read(await place.write('b.jsonl', '{"x":9007199254740993}\n'));
    const { readFile } = await import('node:fs/promises');
    const digests = await readFile(whole.digestsPath);
    expect(digests.subarray(0, 32).equals(await readFile(first.digestsPath))).toBe(true);
    expect(whole.schema.columns).toEqual([{ name: 'x', type: 'JSON' }]);
  });
});

describe('where rows come from', () => {
  test('lines are those of the file, also past blank lines, quoted line ends and compression', async () => {
    const a = await place.write('a.jsonl', '\n{"a":"1"}\n\n\n{"a":"2"}\n{"a":"3"}');
    const b = await place.write('b.csv', 'a\n"x\ny"\n\nz\n');
    const c = await place.write('c.json', '[\n  {"a": "p"},\n  {\n    "a": "q"}]');
    const d = await place.write('d.jsonl.gz', gzipSync('\n{"a":"1"}\n'));
    const table = await place.read([a, b, c, d]);
    const places = Array.from({ length: table.rows }, (_, row) => sourceOfRow(table, row));
    expect(places.map((each) => [each?.file, each?.line])).toEqual([
      [a, 2],
      [a, 5],
      [a, 6],
      [b, 2],
      [b, 5],
      [c, 2],
      [c, 3],
      [d, 2],
    ]);
    expect(table.sources.map(({ firstRow, rows: count, format }) => [firstRow, count, format])).toEqual([
      [0, 3, 'jsonl'],
      [3, 2, 'csv'],
      [5, 2, 'json'],
      [7, 1, 'jsonl'],
    ]);
    expect(table.sources[0]?.fixups?.blanks.map(([line]) => line)).toEqual([0, 2, 3]);
    expect(table.sources[3]?.fixups).toBeNull();
  });

  test('digests and sizes are those of the files as given', async () => {
    const { createHash } = await import('node:crypto');
    const packed = gzipSync(jsonl());
    const files = { 'a.jsonl': jsonl(), 'b.jsonl.gz': packed, 'c.csv': csv(), 'd.json': JSON.stringify(rows) };
    for (const [name, content] of Object.entries(files)) {
      const table = await place.read(await place.write(name, content), name.endsWith('csv') ? { schema: types } : {});
      const [source] = table.sources;
      expect(source?.sha256).toBe(`sha256:${createHash('sha256').update(content).digest('hex')}`);
      expect(source?.bytes).toBe(Buffer.byteLength(content));
      expect(source?.name).toBe(name);
    }
  });

  test('nothing is left when the table is disposed of, or reading fails', async () => {
    const table = await place.read(await place.write('a.json', JSON.stringify(rows)));
    expect(await readdir(place.path('work'))).toHaveLength(1);
    await table.dispose();
    await expect(place.read(await place.write('b.json', '[{"a":1},'))).rejects.toThrow();
    expect(await readdir(place.path('work'))).toEqual([]);
  });

  test('standard input is read by its content', async () => {
    const { Readable } = await import('node:stream');
    const reference = await place.read(await place.write('a.jsonl', jsonl()));
    for (const bytes of [Buffer.from(jsonl()), gzipSync(jsonl())]) {
      const table = await place.read('-', {
        standardInput: Readable.from([bytes.subarray(0, 10), bytes.subarray(10)]),
      });
      expect(table.table).toBe(reference.table);
      expect(table.sources[0]?.path).toBe('-');
    }
  });

  test('an interrupt ends the reading, and leaves nothing', async () => {
    const path = await place.parquet('a.parquet', `SELECT i AS a, md5(i::VARCHAR) AS b FROM range(400000) r(i)`);
    const stop = new AbortController();
    const reading = place.read(path, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(reading).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(await readdir(place.path('work'))).toEqual([]);
  });

  test('an interrupt ends the reading of lines at the next block', async () => {
    const path = await place.write('a.jsonl', `${JSON.stringify({ a: 'x'.repeat(500) })}\n`.repeat(20_000));
    const stop = new AbortController();
    let calls = 0;
    const onProgress = (): void => {
      calls += 1;
      stop.abort();
    };
    await expect(place.read(path, { signal: stop.signal, onProgress })).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(calls).toBe(1);
  });

  test('progress ends at the size of the files', async () => {
    const seen: [number, number][] = [];
    const path = await place.write('a.jsonl', jsonl());
    await place.read([path, await place.write('b.jsonl.gz', gzipSync(jsonl()))], {
      onProgress: (done, total) => seen.push([done, total]),
    });
    const [done, total] = seen.at(-1) ?? [0, -1];
    expect(done).toBe(total);
  });
});

test('Arrow readers see every batch, in order, and dictionaries', async () => {
  const { dictionary } = { dictionary: vectorFromArray(['x', 'y', 'x', null]) };
  const table = new Table({ d: dictionary });
  const writers = [RecordBatchStreamWriter, RecordBatchFileWriter].map((Writer) => {
    const writer = new Writer();
    for (const batch of [...table.batches, ...table.batches]) writer.write(batch);
    writer.finish();
    return writer.toUint8Array(true);
  });
  const reference = await place.read(
    await place.write('a.jsonl', '{"d":"x"}\n{"d":"y"}\n{"d":"x"}\n{"d":null}\n'.repeat(2)),
  );
  for (const [index, bytes] of writers.entries()) {
    expect((await place.read(await place.write(`${index}.arrow`, bytes))).table).toBe(reference.table);
  }
});

test('an empty Arrow table and an empty Parquet file keep their columns', async () => {
  const fields = new Schema([new Field('a', new Utf8(), true)]);
  const data = makeData({ type: new Struct(fields.fields), length: 0, children: [makeData({ type: new Utf8() })] });
  const arrow = await place.read(await place.write('a.arrow', tableToIPC(new Table([new RecordBatch(fields, data)]))));
  const parquet = await place.read(await place.parquet('a.parquet', `SELECT 'x' AS a WHERE false`));
  const lines = await place.read(await place.write('a.jsonl', ''));
  expect([arrow.rows, parquet.rows, lines.rows]).toEqual([0, 0, 0]);
  expect(arrow.schema).toEqual(schema({ a: 'VARCHAR' }));
  expect(parquet.schema).toEqual(arrow.schema);
  expect(new Set([arrow.table, parquet.table, lines.table]).size).toBe(1);
});

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
