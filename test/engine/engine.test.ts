import { link, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Engine } from '../../dist/src/engine/engine.js';
import { runUserQuery } from '../../dist/src/engine/user-query.js';
import { quoteString } from '../../dist/src/identity/sql-text.js';

let folder: string;
let engine: Engine | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdout-engine-'));
});
afterEach(async () => {
  await engine?.close();
  engine = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function open(options: Partial<Parameters<typeof Engine.open>[0]> = {}): Promise<Engine> {
  await mkdir(join(folder, 'tmp'), { recursive: true });
  engine = await Engine.open({ tempDirectory: join(folder, 'tmp'), threads: 2, ...options });
  return engine;
}

describe('values leave the engine as they are', () => {
  test('text keeps a leading byte order mark, at the top and inside lists and structs', async () => {
    const engine = await open();
    const [row] = await engine.rows(`SELECT chr(65279) || 'x' AS a, [chr(65279)] AS b, {'c': chr(65279) || 'y'} AS d`);
    expect(row).toMatchObject({ a: '\ufeffx', b: ['\ufeff'], d: { c: '\ufeffy' } });
  });

  test('wide integers are bigints, decimals and dates their text, nothing is rounded', async () => {
    const engine = await open();
    const [row] = await engine.rows(
      `SELECT 9007199254740993::BIGINT AS a, 170141183460469231731687303715884105727::HUGEINT AS b,
        1234567890123456789.123456789::DECIMAL(38, 9) AS c, DATE '0001-01-01' AS d,
        TIMESTAMP '2024-01-02 03:04:05.000006' AS e, '\\xFF'::BLOB AS f, MAP {'k': 1} AS g, NULL AS h`,
    );
    expect({ ...row }).toEqual({
      a: 9007199254740993n,
      b: 170141183460469231731687303715884105727n,
      c: '1234567890123456789.123456789',
      d: '0001-01-01',
      e: '2024-01-02 03:04:05.000006',
      f: expect.any(Uint8Array),
      g: [['k', 1]],
      h: null,
    });
  });

  test('blobs come back whole, short and long', async () => {
    const engine = await open();
    const blobs = await engine.blobs(`SELECT unhex(repeat('ab', n::INTEGER)) FROM (VALUES (3), (300)) t(n)`);
    expect(blobs.map((blob) => blob?.length)).toEqual([3, 300]);
    expect(blobs.every((blob) => blob?.every((byte) => byte === 0xab))).toBe(true);
  });

  test('a value of another shape than one by one is refused', async () => {
    const engine = await open();
    expect(await engine.value('SELECT 7')).toBe(7);
    await expect(engine.value('SELECT 1 WHERE false')).rejects.toThrow(RangeError);
    await expect(engine.value('SELECT 1, 2')).rejects.toThrow(RangeError);
  });
});

async function counted(engine: Engine, sql: string, rows: number): Promise<number[]> {
  const seen: number[] = [];
  await engine.stream(sql, rows, (chunk) => {
    for (let row = 0; row < chunk.rows; row++) seen.push(Number(chunk.value(0, row)));
  });
  return seen;
}

describe('a stream', () => {
  test('gives the rows of a query, in order', async () => {
    const engine = await open();
    const rows = Array.from({ length: 100_000 }, (_, index) => index);
    expect(await counted(engine, 'SELECT range FROM range(100000) ORDER BY range', 100_000)).toEqual(rows);
    expect(await counted(engine, 'SELECT range FROM range(0)', 0)).toEqual([]);
  });

  test('that fails at its beginning or in its middle says why', async () => {
    const engine = await open();
    for (const row of [0, 600_000]) {
      const sql = `SELECT CASE WHEN range = ${row} THEN error('row ' || range) ELSE range END FROM range(1000000)`;
      await expect(counted(engine, sql, 1_000_000)).rejects.toThrow(`row ${row}`);
    }
    await expect(counted(engine, 'SELECT nowhere', 1)).rejects.toThrow('nowhere');
    expect(await engine.value('SELECT 7')).toBe(7);
  });

  test('of another number of rows than expected returns theirs', async () => {
    const engine = await open();
    expect(await engine.stream('SELECT 1, 2 FROM range(10)', 11, () => undefined)).toBe(10);
    expect(await engine.stream('SELECT 1 FROM range(10)', 9, () => undefined)).toBe(10);
  });

  test('is not cut off by other statements, which wait', async () => {
    const engine = await open();
    const stream = counted(engine, 'SELECT range FROM range(1000000)', 1_000_000);
    const others = [engine.value('SELECT 7'), counted(engine, 'SELECT 3', 1), engine.describe('SELECT 1')];
    expect((await stream).length).toBe(1_000_000);
    expect((await Promise.all(others)).slice(0, 2)).toEqual([7, [3]]);
  });

  test('that is interrupted says so', async () => {
    const engine = await open();
    setTimeout(() => engine.interrupt(), 20);
    const sql = 'SELECT a.range FROM range(100000000) a';
    await expect(engine.stream(sql, 100_000_000, () => undefined)).rejects.toThrow(
      expect.objectContaining({ code: 'INTERRUPTED' }),
    );
    expect(await engine.value('SELECT 7')).toBe(7);
  });

  test('leaves nothing open where its visitor throws', async () => {
    const engine = await open();
    const stream = engine.stream('SELECT range FROM range(1000000)', 1_000_000, () => {
      throw new Error('enough');
    });
    await expect(stream).rejects.toThrow(/^enough$/);
    expect(await engine.value('SELECT 7')).toBe(7);
  });

  test('gives bytes that stay when the stretch that they came in is gone', async () => {
    const engine = await open();
    const kept: Uint8Array[] = [];
    await engine.stream("SELECT encode(repeat(range || ' ', 1 + range % 40)) FROM range(20000)", 20_000, (chunk) => {
      for (let i = 0; i < chunk.rows; i++) kept.push(chunk.bytes(0, i)!);
    });
    await engine.run("CREATE TEMP TABLE other AS SELECT repeat('y', range % 100) FROM range(100000)");
    expect(kept.map((bytes) => Buffer.from(bytes).toString())).toEqual(
      Array.from(kept.keys(), (i) => `${i} `.repeat(1 + (i % 40))),
    );
  });
});

describe('tables are handed in exactly', () => {
  test('every column type, nulls, text with NUL and byte order mark, packed bytes', async () => {
    const engine = await open();
    const rows = 5000;
    const packed = new Uint8Array(rows * 32).map((_, index) => (index * 7) % 256);
    await engine.registerTable('given "x"', [
      { name: 'n', type: 'BIGINT', values: BigInt64Array.from({ length: rows }, (_, i) => 2n ** 62n + BigInt(i)) },
      { name: 'i', type: 'INTEGER', values: Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? null : -i)) },
      { name: 'u', type: 'UINTEGER', values: Uint32Array.from({ length: rows }, (_, i) => 2 ** 32 - 1 - i) },
      { name: 's', type: 'VARCHAR', values: Array.from({ length: rows }, (_, i) => `\ufeff\0${i}`) },
      { name: 'b', type: 'BLOB', values: packed, bytesPerValue: 32 },
    ]);
    const seen = await engine.rows(`SELECT * FROM "given ""x""" WHERE n >= 4611686018427387904 + 4998`);
    expect(seen.map((row) => ({ ...row, b: Buffer.from(row['b'] as Uint8Array).toString('hex') }))).toEqual(
      [4998, 4999].map((i) => ({
        n: 2n ** 62n + BigInt(i),
        i: i % 3 === 0 ? null : -i,
        u: 2 ** 32 - 1 - i,
        s: `\ufeff\0${i}`,
        b: Buffer.from(packed.subarray(i * 32, i * 32 + 32)).toString('hex'),
      })),
    );
    expect(await engine.value('SELECT count(*) FROM "given ""x"""')).toBe(BigInt(rows));
  });

  test('columns of unequal length and lone surrogates are refused', async () => {
    const engine = await open();
    await expect(
      engine.registerTable('t', [
        { name: 'a', type: 'INTEGER', values: [1] },
        { name: 'b', type: 'INTEGER', values: [1, 2] },
      ]),
    ).rejects.toThrow(RangeError);
    await expect(engine.registerTable('t', [{ name: 'a', type: 'VARCHAR', values: ['\ud800'] }])).rejects.toThrow(
      TypeError,
    );
  });
});

describe('the engine is locked down', () => {
  test('a file that was not given cannot be read, nor one outside by a link', async () => {
    await writeFile(join(folder, 'secret.csv'), 'a\n1\n');
    await mkdir(join(folder, 'given'));
    await symlink(join(folder, 'secret.csv'), join(folder, 'given', 'link.csv'));
    const engine = await open({ readDirectories: [join(folder, 'given')] });
    for (const path of ['secret.csv', 'given/link.csv', 'given/../secret.csv']) {
      await expect(engine.rows(`FROM read_text(${quoteString(join(folder, path))})`)).rejects.toMatchObject({
        code: 'IO',
      });
    }
    await expect(engine.rows(`FROM glob('/etc/*')`)).rejects.toMatchObject({ code: 'IO' });
  });

  test('no setting, extension, attachment or output elsewhere', async () => {
    const engine = await open();
    for (const sql of [
      'SET threads = 1',
      'SET enable_external_access = true',
      'SET lock_configuration = false',
      "SET TimeZone = 'Europe/Paris'",
      'INSTALL httpfs',
      'LOAD httpfs',
      `ATTACH ${quoteString(join(folder, 'x.db'))}`,
      `COPY (SELECT 1) TO ${quoteString(join(folder, 'x.csv'))}`,
      "FROM read_csv('https://example.com/x.csv')",
    ]) {
      await expect(engine.run(sql), sql).rejects.toThrow();
    }
    expect(await engine.value("SELECT current_setting('TimeZone')")).toBe('UTC');
    expect(await readdir(folder)).toEqual(['tmp']);
  });

  test('it writes where it may, and leaves nothing in the temporary folder', async () => {
    await mkdir(join(folder, 'out [1]'));
    const engine = await open({ writeDirectories: [join(folder, 'out [1]')] });
    const path = join(folder, 'out [1]', "it's *.parquet");
    await engine.run(`COPY (SELECT 42 AS a) TO ${engine.outputSql(path)} (FORMAT parquet)`);
    expect(await engine.value(`SELECT a FROM read_parquet(${engine.fileSql(path)})`)).toBe(42);
    expect(() => engine.outputSql(join(folder, 'elsewhere'))).toThrow(RangeError);
    await engine.close();
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
  });
});

function text(path: string, engine: Engine): Promise<string> {
  return engine.value<string>(`SELECT content FROM read_text(${engine.fileSql(path)})`);
}

describe('a file name is never a pattern', () => {
  const names = [
    'st*r.csv',
    'q?.csv',
    'we[ir]d.csv',
    "it's.csv",
    'new\nline.csv',
    'lang=fr.csv',
    'a{b,c}.csv',
    '"q".csv',
  ];

  test.each(names)('%j, named when the engine was opened', async (name) => {
    const path = join(folder, name);
    await writeFile(path, name);
    await writeFile(join(folder, 'star.csv'), 'other');
    await writeFile(join(folder, 'weid.csv'), 'other');
    const engine = await open({ readPaths: [path] });
    expect(await text(path, engine)).toBe(name);
  });

  test.each(names)('%j, named later', async (name) => {
    const engine = await open();
    const path = join(folder, name);
    await writeFile(path, name);
    expect(await text(path, engine)).toBe(name);
    expect(await text(path, engine)).toBe(name);
    expect(await readFile(path, 'utf8')).toBe(name);
  });

  test('a file behind a link is read by its own name', async () => {
    await writeFile(join(folder, 'target'), 'x');
    await symlink(join(folder, 'target'), join(folder, 'by-link'));
    await link(join(folder, 'target'), join(folder, 'by-hard-link'));
    const engine = await open({ readPaths: [join(folder, 'by-link')] });
    expect(await text(join(folder, 'by-link'), engine)).toBe('x');
    expect(await text(join(folder, 'by-hard-link'), engine)).toBe('x');
  });
});

describe('errors are translated', () => {
  test('too little memory is a limit with a hint', async () => {
    const engine = await open({ memoryLimitBytes: 60_000_000, threads: 1 });
    await expect(
      engine.run(`CREATE TEMP TABLE t AS SELECT list(repeat('x', 1000) || i) AS l FROM range(200000) r(i)`),
    ).rejects.toMatchObject({
      code: 'LIMIT',
      message: 'this takes more memory than the query engine has: 57.2 MiB',
      hint: expect.stringMatching(/HOLDOUT_THREADS=1.*fewer rows and columns/),
    });
    expect(await engine.value('SELECT 1')).toBe(1);
  });

  test('a statement that is interrupted says so, and the next one runs', async () => {
    const engine = await open();
    const running = engine.run('SELECT count(*) FROM range(1000000000) a, range(1000000) b');
    const outcome = expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' });
    setTimeout(() => engine.interrupt(), 20);
    await outcome;
    expect(await engine.value('SELECT 1')).toBe(1);
  });

  test('closing stops the statement that runs, and waits for its end', async () => {
    const engine = await open();
    const running = engine.run('SELECT count(*) FROM range(1000000000) a, range(1000000) b');
    const ended: string[] = [];
    const outcome = expect(running.finally(() => ended.push('statement'))).rejects.toMatchObject({
      code: 'INTERRUPTED',
    });
    await delay(20);
    await engine.close().then(() => ended.push('engine'));
    await outcome;
    expect(ended).toEqual(['statement', 'engine']);
  });

  test('a long value is not quoted whole', async () => {
    const engine = await open();
    const error = await engine.run(`SELECT repeat('secret ', 500)::INTEGER`).then(
      () => null,
      (thrown: Error) => thrown,
    );
    expect(error?.message.length).toBeLessThan(400);
  });

  test('what a JSON function refuses fails the query', async () => {
    const engine = await open();
    await expect(engine.run(`SELECT holdout_encode_json('{"a":1,"a":2}')`)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    expect(await engine.value(`SELECT holdout_canonical_json('{"b": 1, "a": [1.0, null]}')`)).toBe(
      '{"a":[1,null],"b":1}',
    );
  });
});

describe('a query of the user', () => {
  const views = [{ name: 'train', sql: 'SELECT i AS id FROM range(5) r(i)' }];
  test.each([
    ['SELECT sum(id) AS s FROM train', [[10n]]],
    ['FROM train WHERE id = 2', [[2n]]],
    ['WITH t AS (SELECT 1 AS a) SELECT a FROM t;', [[1]]],
    ['VALUES (1, 1)', [[1, 1]]],
    ['SELECT a, a FROM (SELECT 1 AS a) -- two of a name', [[1, 1]]],
  ])('%s', async (sql, rows) => {
    const result = await runUserQuery(await open(), sql, views);
    expect(await result.page(0, 10)).toEqual(rows);
  });

  test('gives its rows in its own order, a page at a time', async () => {
    const result = await runUserQuery(
      await open(),
      'SELECT i FROM range(300000) r(i) ORDER BY (i * 7919) % 300007 DESC',
      views,
    );
    expect(result.rows).toBe(300_000);
    const seen: number[] = [];
    for (let first = 0; first < result.rows; first += 70_000) {
      for (const [i] of await result.page(first, 70_000)) seen.push((Number(i) * 7919) % 300_007);
    }
    expect(seen).toEqual(seen.toSorted((a, b) => b - a));
    expect(seen).toHaveLength(300_000);
  });

  test.each([
    'SELECT 1; SELECT 2',
    '',
    'DROP VIEW train',
    "COPY train TO 'x.csv'",
    'SET threads = 1',
    'CALL enable_logging()',
    'PRAGMA version',
    "FROM enable_logging(storage = 'file', storage_path = '/tmp/never')",
    "SELECT (SELECT 1 FROM read_csv('/etc/passwd'))",
    "FROM '/etc/passwd.csv'",
    'FROM main.duckdb_settings',
    'FROM duckdb_settings()',
    "FROM query('SELECT 1')",
    'FROM information_schema.tables',
    'FROM nowhere',
    'SELECT nope FROM train',
    'SELECT FROM WHERE',
  ])('refused: %s', async (sql) => {
    await expect(runUserQuery(await open(), sql, views)).rejects.toMatchObject({ code: 'USAGE' });
  });
});
