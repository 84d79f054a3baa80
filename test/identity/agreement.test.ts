import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJsonText, encodeJsonText, parseJsonValue } from '../../dist/src/identity/json-value.js';
import { rowDigestSql, rowPreimageSql, valuePreimageSql } from '../../dist/src/identity/row-encoding-sql.js';
import { encodeRow, encodeValue, rowDigest } from '../../dist/src/identity/row-encoding.js';
import { quoteIdentifier } from '../../dist/src/identity/sql-text.js';
import type { ColumnType, TableSchema } from '../../dist/schemas/table-schema.js';
import { openDatabase, type TestDatabase } from './duckdb.ts';
import { cellOf, columnsOf, columnType, ddl, jsonCell, type Cell } from './random-values.ts';

interface RandomTable {
  readonly schema: TableSchema;
  readonly rows: readonly (readonly Cell[])[];
}

const randomTable: fc.Arbitrary<RandomTable> = columnsOf(columnType, 5).chain((columns) =>
  fc.array(fc.tuple(...columns.map(({ type }) => cellOf(type))), { minLength: 1, maxLength: 8 }).map((rows) => ({
    schema: { type: 'holdout/schema@1', columns },
    rows,
  })),
);

let databases: readonly TestDatabase[] = [];
beforeAll(async () => {
  databases = [await openDatabase(1), await openDatabase(8)];
});
afterAll(() => {
  for (const database of databases) database.close();
});

async function createTable(database: TestDatabase, { schema, rows }: RandomTable): Promise<void> {
  const columns = schema.columns.map(({ name, type }) => `${quoteIdentifier(name)} ${ddl(type)}`);
  await database.rows(`CREATE OR REPLACE TABLE "random" (${['"row number" INTEGER', ...columns].join(', ')})`);
  const values = rows.map((cells, i) => `(${[String(i), ...cells.map(({ sql }) => sql)].join(', ')})`);
  await database.rows(`INSERT INTO "random" VALUES ${values.join(', ')}`);
}

function named({ schema }: RandomTable, cells: readonly Cell[]): readonly (readonly [string, Cell['value']])[] {
  return cells.map(({ value }, i) => [schema.columns[i]?.name ?? '', value] as const);
}

describe('generated SQL and the reference encoder', () => {
  it('give every row of every table the same preimage and digest, on 1 and 8 threads', async () => {
    await fc.assert(
      fc.asyncProperty(randomTable, async (table) => {
        for (const database of databases) {
          await createTable(database, table);
          const sql = `SELECT hex(encode(${rowPreimageSql(table.schema)})), hex(${rowDigestSql(table.schema)})`;
          const got = await database.rows(`${sql} FROM "random" ORDER BY "row number"`);
          const expected = table.rows.map((cells) => {
            const row = named(table, cells);
            return [encodeRow(row), rowDigest(row)].map((bytes) => Buffer.from(bytes).toString('hex').toUpperCase());
          });
          expect(got).toEqual(expected);
        }
      }),
      { numRuns: 120 },
    );
  }, 120_000);

  it('agree on each value by itself, N for null', async () => {
    const [database] = databases;
    const typed = columnType.chain((type: ColumnType) => cellOf(type).map((cell) => ({ type, cell })));
    await fc.assert(
      fc.asyncProperty(typed, async ({ type, cell }) => {
        await database?.rows(`CREATE OR REPLACE TABLE one (v ${ddl(type)})`);
        await database?.rows(`INSERT INTO one VALUES (${cell.sql})`);
        const got = await database?.rows(`SELECT hex(encode(${valuePreimageSql(type, 'v')})) FROM one`);
        expect(got).toEqual([[Buffer.from(encodeValue(cell.value)).toString('hex').toUpperCase()]]);
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it('agree over many row groups read by 8 threads at once', async () => {
    const [table] = fc.sample(
      randomTable.filter(({ rows, schema }) => rows.length > 5 && schema.columns.length > 3),
      {
        numRuns: 1,
        seed: 11,
      },
    );
    const [, database] = databases;
    if (table === undefined || database === undefined) throw new Error('the generator gave nothing');
    await createTable(database, table);
    await database.rows(`CREATE OR REPLACE TABLE many AS SELECT r.* FROM "random" r, range(25_000)`);
    const got = await database.rows(
      `SELECT "row number", hex(${rowDigestSql(table.schema)}) AS digest, count(*)::INTEGER FROM many GROUP BY ALL ORDER BY 1`,
    );
    const expected = table.rows.map((cells, i) => {
      return [
        i,
        Buffer.from(rowDigest(named(table, cells)))
          .toString('hex')
          .toUpperCase(),
        25_000,
      ];
    });
    expect(got).toEqual(expected);
  }, 120_000);
});

describe('JSON values', () => {
  it('encode as the reference encodes what they mean, whatever their spelling', () => {
    fc.assert(
      fc.property(jsonCell, ({ text, value }) => {
        const encoding = encodeValue(value);
        expect(encodeJsonText(text)).toBe(encoding);
        expect(encodeValue(parseJsonValue(text))).toBe(encoding);
      }),
      { numRuns: 1000 },
    );
  });

  it('have a canonical text of the same meaning, the same for all that mean it', () => {
    fc.assert(
      fc.property(jsonCell, ({ text }) => {
        const canonical = canonicalJsonText(text);
        expect(encodeJsonText(canonical)).toBe(encodeJsonText(text));
        expect(canonicalJsonText(canonical)).toBe(canonical);
      }),
      { numRuns: 1000 },
    );
  });
});
