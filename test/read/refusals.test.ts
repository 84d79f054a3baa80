import {
  Decimal,
  Duration,
  Field,
  Int32,
  Map_,
  Struct,
  Table,
  TimestampNanosecond,
  TimeUnit,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ColumnType } from '../../dist/schemas/table-schema.js';
import { schema, tableToIPC, useWorkplace } from './files.ts';

const place = useWorkplace();

describe('text that is not what it should be is refused with its line', () => {
  test.each([
    ['malformed JSON', 'a.jsonl', '{"a":1}\n{"a":}\n', 2],
    ['a row that is no object', 'a.jsonl', '{"a":1}\n\n[1]\n', 3],
    ['a trailing comma', 'a.jsonl', '{"a":1}\n{"a":1,}\n', 2],
    ['a duplicate key', 'a.jsonl', '{"a":1,"a":2}\n', 1],
    ['a duplicate key inside', 'a.jsonl', '{"a":{"b":[{"c":1,"c":1}]}}\n', 1],
    ['a lone surrogate', 'a.jsonl', '{"a":"\\ud800"}\n', 1],
    ['a truncated last line', 'a.jsonl', '{"a":1}\n{"a":"x', 2],
    ['columns that differ only in case', 'a.jsonl', '{"a":1}\n{"A":2}\n', 2],
    ['an empty column name', 'a.jsonl', '{"a":1}\n{"":2}\n', 2],
    ['a column name with NUL', 'a.jsonl', '{"a\\u0000b":2}\n', 1],
    ['an unclosed array', 'a.json', '[\n{"a":1},\n{"a":2}\n', undefined],
    ['an integer of 39 digits', 'a.jsonl', `{"a":${'9'.repeat(39)}}\n`, 1],
    ['nesting past 64', 'a.jsonl', `{"a":${'['.repeat(70)}${']'.repeat(70)}}\n`, 1],
    ['nesting so deep that parsers die', 'a.jsonl', `{"a":${'['.repeat(100_000)}\n`, 1],
  ])('%s', async (_what, name, content, line) => {
    const error = await place.read(await place.write(name, content)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'HoldoutError',
      place: { file: place.path(name), ...(line === undefined ? {} : { line }) },
    });
    expect((error as { hint?: string }).hint).toEqual(expect.any(String));
  });

  test('invalid UTF-8, UTF-16', async () => {
    await place.refuses(await place.write('a.jsonl', Buffer.from('{"a":"\xff"}\n', 'latin1')), {
      code: 'INPUT_INVALID',
      place: { line: 1 },
    });
    await place.refuses(await place.write('b.csv', Buffer.from('a\nx\n\xff\n', 'latin1')), {
      code: 'INPUT_INVALID',
      place: { file: place.path('b.csv'), line: 3 },
    });
    await place.refuses(await place.write('c.csv', Buffer.from('\ufeffa\nx\n', 'utf16le')), { code: 'INPUT_INVALID' });
  });
});

describe('a declared schema is kept to', () => {
  test.each([
    ['{"a":2.5}', 'BIGINT'],
    ['{"a":"12"}', 'BIGINT'],
    ['{"a":true}', 'INTEGER'],
    ['{"a":1}', 'BOOLEAN'],
    ['{"a":1}', 'VARCHAR'],
    ['{"a":9007199254740993}', 'DOUBLE'],
    ['{"a":12}', 'DATE'],
    ['{"a":300}', 'UTINYINT'],
    ['{"a":-1}', 'UBIGINT'],
    ['{"a":0.1}', 'FLOAT'],
    ['{"a":{"b":1,"c":2}}', { struct: [{ name: 'b', type: 'BIGINT' }] }],
    ['{"a":1,"b":2}', 'BIGINT'],
  ] as [string, ColumnType][])('%s under %j', async (line, type) => {
    const path = await place.write('a.jsonl', `${line}\n`);
    await expect(place.read(path, { schema: schema({ a: type }) })).rejects.toMatchObject({
      code: expect.stringMatching(/CONFLICT|INPUT_INVALID/),
    });
  });

  test('a new version keeps or widens its schema, and says which', async () => {
    const previous = schema({ a: 'BIGINT', b: 'DATE', c: 'VARCHAR', d: { list: 'INTEGER' } });
    const lines = await place.read(await place.write('a.jsonl', '{"a":1,"c":"x","e":true}\n'), {
      previousSchema: previous,
    });
    expect(lines.schema.columns).toEqual([...previous.columns, { name: 'e', type: 'BOOLEAN' }]);
    expect(lines.notes.join()).toContain('e');
    const parquet = await place.read(await place.parquet('a.parquet', `SELECT 7::DOUBLE AS a, [1]::BIGINT[] AS d`), {
      previousSchema: previous,
    });
    expect(parquet.schema.columns.map(({ type }) => type)).toEqual(['DOUBLE', 'DATE', 'VARCHAR', { list: 'BIGINT' }]);
    expect(parquet.notes.join()).toMatch(/"a" widened.*DOUBLE/s);
    await place.refuses(await place.write('b.jsonl', '{"c":5}\n'), { code: 'CONFLICT' }, { previousSchema: previous });
    await place.refuses(
      await place.parquet('c.parquet', `SELECT 'x' AS a`),
      { code: 'CONFLICT' },
      { previousSchema: previous },
    );
    await place.refuses(
      await place.write('d.jsonl', '{"b":"soon"}\n'),
      { code: 'INPUT_INVALID', place: { line: 1 } },
      { previousSchema: previous },
    );
  });

  test('one odd value names the file that holds it', async () => {
    const a = await place.parquet('a.parquet', 'SELECT 9007199254740993 AS x');
    const b = await place.parquet('b.parquet', 'SELECT 2.5::DOUBLE AS x');
    await expect(place.read([a, b])).rejects.toMatchObject({ code: 'CONFLICT', place: { file: a } });
    const c = await place.parquet('c.parquet', `SELECT 'x' AS x`);
    await expect(place.read([b, c])).rejects.toMatchObject({ code: 'INPUT_INVALID', place: { file: c } });
    const whole = await place.read([await place.parquet('d.parquet', 'SELECT 1 AS x'), b]);
    const lines = await place.read(await place.write('d.jsonl', '{"x":1}\n{"x":2.5}\n'));
    expect(whole.table).toBe(lines.table);
  });
});

describe('damaged files are refused, never read as shorter ones', () => {
  const content = Array.from({ length: 20_000 }, (_, i) => `{"a":"${i} ${Math.imul(i, 2654435761) >>> 0}"}\n`).join('');

  test('gzip: cut anywhere, wrong checksum, other bytes behind', async () => {
    const packed = gzipSync(content);
    const wrong = Buffer.from(packed);
    wrong.writeUInt32LE(1, wrong.length - 8);
    const damaged = [
      packed.subarray(0, 10),
      packed.subarray(0, packed.length >> 1),
      packed.subarray(0, -4),
      wrong,
      Buffer.concat([packed, Buffer.from('tail')]),
    ];
    for (const [index, bytes] of damaged.entries())
      await place.refuses(await place.write(`${index}.jsonl.gz`, bytes), { code: 'INPUT_INVALID' });
    const twice = await place.read(await place.write('twice.jsonl.gz', Buffer.concat([packed, packed])));
    expect(twice.rows).toBe(40_000);
  });

  test('zstd: cut at every kind of place, wrong checksum, other bytes behind', async () => {
    const path = await zstdFile(content);
    const packed = await readFile(path);
    const reference = await place.read(await place.write('a.jsonl', content));
    expect((await place.read(path)).table).toBe(reference.table);
    expect((await place.read(await place.write('twice.jsonl.zst', Buffer.concat([packed, packed])))).rows).toBe(40_000);
    const ends = blockEnds(packed);
    expect(ends.length).toBeGreaterThan(3);
    const cuts = [5, 9, ...ends.slice(0, -1).flatMap((end) => [end - 1, end, end + 1]), packed.length - 1];
    for (const end of cuts)
      await place.refuses(await place.write(`${end}.zst`, packed.subarray(0, end)), { code: 'INPUT_INVALID' });
    await place.refuses(await place.write('tail.zst', Buffer.concat([packed, Buffer.from('tail')])), {
      code: 'INPUT_INVALID',
    });
  });

  test('zstd: a content checksum is checked', async () => {
    // One raw block of eight bytes, with its XXH64: written out by hand after RFC 8878.
    const xxhash = (await import('xxhash-wasm')).default;
    const line = Buffer.from('{"a":1}\n');
    const hashes = await xxhash();
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(Number(hashes.h64Raw(line) & 0xffffffffn));
    const frame = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x24, 8, (8 << 3) | 1, 0, 0]), line, checksum]);
    expect((await place.read(await place.write('a.zst', frame))).rows).toBe(1);
    const changed = Buffer.from(frame);
    changed[14] = 0x32;
    await place.refuses(await place.write('b.zst', changed), {
      code: 'INPUT_INVALID',
      message: expect.stringContaining('checksum'),
    });
  });

  test('other compressions are named, with what to do', async () => {
    await place.refuses(await place.write('a.jsonl.bz2', Buffer.from('BZh91AY&SY')), {
      hint: expect.stringContaining('bunzip2'),
    });
    await place.refuses(await place.write('a.jsonl.xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])), {
      hint: expect.stringContaining('unxz'),
    });
    await place.refuses(await place.write('a.zip', Buffer.from('PK\x03\x04rest')), {
      hint: expect.stringContaining('unzip'),
    });
  });

  test('Parquet: cut, empty, encrypted, garbage inside', async () => {
    const packed = await readFile(
      await place.parquet('a.parquet', `SELECT i AS a, repeat('x', (i % 50)::INTEGER) AS b FROM range(20000) r(i)`),
    );
    await place.refuses(await place.write('cut.parquet', packed.subarray(0, -6)), {
      code: 'INPUT_INVALID',
      message: expect.stringContaining('cut'),
    });
    await place.refuses(await place.write('empty.parquet', ''), { code: 'INPUT_INVALID' });
    const sealed = Buffer.from(packed);
    sealed.write('PARE', sealed.length - 4);
    await place.refuses(await place.write('sealed.parquet', sealed), { message: expect.stringContaining('encrypted') });
    const footer = Buffer.from(packed);
    footer.fill(0xff, footer.length - 200, footer.length - 20);
    await place.refuses(await place.write('footer.parquet', footer), {
      code: 'INPUT_INVALID',
      place: { file: place.path('footer.parquet') },
    });
  });

  test('Arrow: a stream cut between messages, inside one, or followed by others; a file without its end', async () => {
    const table = new Table({ a: vectorFromArray(['x', 'y', 'z'], new Utf8()) });
    const stream = Buffer.from(tableToIPC(table, 'stream'));
    const file = Buffer.from(tableToIPC(table, 'file'));
    expect((await place.read(await place.write('ok.arrow', stream))).rows).toBe(3);
    await place.refuses(await place.write('1.arrow', stream.subarray(0, -8)), {
      code: 'INPUT_INVALID',
      message: expect.stringContaining('cut'),
    });
    await place.refuses(await place.write('2.arrow', stream.subarray(0, -20)), { code: 'INPUT_INVALID' });
    await place.refuses(await place.write('3.arrow', Buffer.concat([stream, stream])), { code: 'INPUT_INVALID' });
    await place.refuses(await place.write('4.arrow', file.subarray(0, -10)), {
      code: 'INPUT_INVALID',
      message: expect.stringContaining('cut'),
    });
    await place.refuses(await place.write('5.arrow', ''), { code: 'INPUT_INVALID' });
  });
});

describe('types without an exact stored form are refused by name', () => {
  test.each([
    [`INTERVAL 1 DAY AS x`, 'INTERVAL'],
    [`[INTERVAL 1 DAY] AS x`, 'INTERVAL'],
    [`TIMESTAMP 'infinity' AS x`, 'infinite'],
    [`{'a': 1, 'A_1': 2} AS x, 3 AS "X "`, null],
  ])('Parquet: %s', async (select, says) => {
    const path = await place.parquet('a.parquet', `SELECT ${select}`);
    if (says === null) expect((await place.read(path)).rows).toBe(1);
    else
      await place.refuses(path, {
        code: 'INPUT_INVALID',
        message: expect.stringContaining(says),
        place: { file: path },
      });
  });

  test('Parquet: zoned nanoseconds are not cut to microseconds', async () => {
    const bytes = await readFile(
      await place.parquet('a.parquet', `SELECT TIMESTAMP_NS '2024-01-01 00:00:00.123456789' AS x`),
    );
    expect((await place.read(place.path('a.parquet'))).schema.columns).toEqual([{ name: 'x', type: 'TIMESTAMP_NS' }]);
    // isAdjustedToUTC false → true, in the footer's compact Thrift.
    const at = bytes.indexOf(Buffer.from([0x12, 0x1c, 0x3c, 0x00]));
    expect(at).toBeGreaterThan(0);
    bytes[at] = 0x11;
    await place.refuses(await place.write('b.parquet', bytes), {
      code: 'INPUT_INVALID',
      message: expect.stringContaining('nanoseconds'),
    });
  });

  test('Parquet: names that differ only in case', async () => {
    const bytes = await readFile(await place.parquet('a.parquet', 'SELECT 1 AS ab, 2 AS "zz"'));
    const renamed = Buffer.from(bytes.toString('latin1').replaceAll('zz', 'AB'), 'latin1');
    await place.refuses(await place.write('b.parquet', renamed), {
      code: 'INPUT_INVALID',
      message: expect.stringContaining('case'),
    });
  });

  test('Arrow: wide decimals, zoned nanoseconds, durations, other map keys; twin names', async () => {
    const cases: [string, Table][] = [
      ['decimal', new Table({ x: vectorFromArray([new Uint32Array(8)], new Decimal(2, 50, 256)) })],
      ['nanoseconds', new Table({ x: vectorFromArray([0], new TimestampNanosecond('UTC')) })],
      ['INTERVAL', new Table({ x: vectorFromArray([1n], new Duration(TimeUnit.SECOND)) })],
      ['differ only', new Table({ x: vectorFromArray(['a'], new Utf8()), X: vectorFromArray(['a'], new Utf8()) })],
    ];
    const entries = new Struct<{ key: Int32; value: Utf8 }>([
      new Field('key', new Int32(), false),
      new Field('value', new Utf8(), true),
    ]);
    cases.push([
      'map',
      new Table({ x: vectorFromArray([new Map([[1, 'a']])], new Map_(new Field('entries', entries, false))) }),
    ]);
    for (const [says, table] of cases) {
      await place.refuses(await place.write(`${says}.arrow`, tableToIPC(table, 'stream')), {
        code: 'INPUT_INVALID',
        message: expect.stringContaining(says),
      });
    }
  });
});

describe('names and folders', () => {
  test.each([
    'st*r.jsonl',
    'q?.jsonl',
    'we[ir]d.jsonl',
    "it's.jsonl",
    'new\nline.jsonl',
    '-.jsonl',
    'lang=fr/a.jsonl',
    'a b.jsonl',
    '{a,b}.jsonl',
  ])('a file named %j is read, and no other', async (name) => {
    for (const other of ['star.jsonl', 'qq.jsonl', 'weid.jsonl', 'a.jsonl']) await place.write(other, '{"other":1}\n');
    const declared = schema({ d: 'DATE' });
    const path = await place.write(name, '{"d":"2024-01-01"}\n');
    expect((await place.read(path)).schema.columns.map((column) => column.name)).toEqual(['d']);
    const typed = await place.read(path, { schema: declared });
    const parquet = await place.read(
      await place.parquet(name.replace('.jsonl', '.parquet'), `SELECT DATE '2024-01-01' AS d`),
    );
    expect(parquet.schema).toEqual(declared);
    expect(parquet.table).toBe(typed.table);
  });

  test('a folder is one dataset: its data files by name, hidden ones and papers left out', async () => {
    for (const name of ['d/b.jsonl', 'd/a.jsonl', 'd/sub/c.jsonl']) await place.write(name, `{"f":"${name}"}\n`);
    for (const name of ['d/.hidden.jsonl', 'd/README.md', 'd/LICENSE', 'd/.git/x.jsonl', 'd/dataset_info.json'])
      await place.write(name, 'no data');
    const table = await place.read(place.path('d'));
    expect(table.sources.map((source) => source.path)).toEqual(
      ['d/a.jsonl', 'd/b.jsonl', 'd/sub/c.jsonl'].map((name) => place.path(name)),
    );
    await mkdir(place.path('none'));
    await expect(place.read(place.path('none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(place.read(place.path('absent.jsonl'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await rm(place.path('d'), { recursive: true });
  });

  test('a pattern is one dataset', async () => {
    for (const name of ['p/a1.jsonl', 'p/a2.jsonl', 'p/b1.jsonl', 'p/x/a3.jsonl', 'p/.a4.jsonl'])
      await place.write(name, '{"a":1}\n');
    await symlink(place.path('p/a1.jsonl'), place.path('p/a9.jsonl'));
    const read = async (pattern: string): Promise<string[]> =>
      (await place.read(join(place.folder, pattern))).sources.map((source) =>
        source.path.slice(place.folder.length + 1),
      );
    expect(await read('p/a*.jsonl')).toEqual(['p/a1.jsonl', 'p/a2.jsonl', 'p/a9.jsonl']);
    expect(await read('p/[!b]?.jsonl')).toEqual(['p/a1.jsonl', 'p/a2.jsonl', 'p/a9.jsonl']);
    expect(await read('p/[a-b]1.jsonl')).toEqual(['p/a1.jsonl', 'p/b1.jsonl']);
    expect(await read('p/**/a[23].jsonl')).toEqual(['p/a2.jsonl', 'p/x/a3.jsonl']);
    expect(await read('*/b*')).toEqual(['p/b1.jsonl']);
    await expect(read('p/z*.jsonl')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('a folder of save_to_disk is read in the order of its state, a dictionary of splits is explained', async () => {
    const files = ['data-00001-of-00002.arrow', 'data-00000-of-00002.arrow'];
    await place.write(`dd/train/${files[0]}`, arrowPart(['x', 'y']));
    await place.write(`dd/train/${files[1]}`, arrowPart(['z']));
    await place.write('dd/train/state.json', JSON.stringify({ _data_files: files.map((filename) => ({ filename })) }));
    await place.write('dd/train/dataset_info.json', '{}');
    await place.write('dd/dataset_dict.json', '{"splits":["train","test"]}');
    const same = await place.read(await place.write('s.jsonl', '{"a":"x"}\n{"a":"y"}\n{"a":"z"}\n'));
    expect((await place.read(place.path('dd/train'))).table).toBe(same.table);
    await expect(place.read(place.path('dd'))).rejects.toMatchObject({
      message: expect.stringContaining('train, test'),
      hint: expect.stringContaining('dd/train'),
    });
    await place.write('dd/train/state.json', JSON.stringify({ _data_files: [{ filename: '../../etc/passwd' }] }));
    await expect(place.read(place.path('dd/train'))).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

function arrowPart(values: string[]): Uint8Array {
  return tableToIPC(new Table({ a: vectorFromArray(values, new Utf8()) }), 'stream');
}

/** Writes text as zstd by way of the engine's CSV writer, which leaves lines as they are. */
async function zstdFile(content: string): Promise<string> {
  const { Engine } = await import('../../dist/src/engine/engine.js');
  const engine = await Engine.open({ tempDirectory: place.path('work'), writeDirectories: [place.folder], threads: 1 });
  try {
    await engine.registerTable('lines', [{ name: 'line', type: 'VARCHAR', values: content.trimEnd().split('\n') }]);
    const path = place.path('packed.jsonl.zst');
    await engine.run(
      `COPY lines TO ${engine.outputSql(path)} (FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '', COMPRESSION zstd)`,
    );
    return path;
  } finally {
    await engine.close();
  }
}

/** Offsets behind each block of the first frame. */
function blockEnds(bytes: Buffer): number[] {
  const descriptor = bytes.readUInt8(4);
  const single = (descriptor & 0x20) !== 0;
  const flag = descriptor >> 6;
  let at = 5 + (single ? 0 : 1) + (flag === 0 ? (single ? 1 : 0) : 1 << flag);
  const ends: number[] = [];
  for (let last = false; !last;) {
    const header = bytes.readUIntLE(at, 3);
    last = (header & 1) === 1;
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
    ends.push(at);
  }
  return ends;
}

test('a bad row of a JSON list is not said to be a line', async () => {
  const read = place.read(await place.write('bad.json', '[{"a": x1}]'));
  await expect(read).rejects.toMatchObject({ hint: expect.stringContaining('Each row must') as string });
});
