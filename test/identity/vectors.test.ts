import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson } from '../../dist/src/identity/canonical-json.js';
import { formatSetRoot, formatTableId, schemaId } from '../../dist/src/identity/ids.js';
import { canonicalJsonText, encodeJsonText, parseJsonValue } from '../../dist/src/identity/json-value.js';
import { rowDigestSql, rowPreimageSql } from '../../dist/src/identity/row-encoding-sql.js';
import { encodeRow, encodeValue, rowDigest } from '../../dist/src/identity/row-encoding.js';
import { quoteIdentifier } from '../../dist/src/identity/sql-text.js';
import { setTree } from '../../dist/src/merkle/set-tree.js';
import { tableTree } from '../../dist/src/merkle/table-tree.js';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { openDatabase, type TestDatabase } from './duckdb.ts';
import { untag, vectors, type RowVector } from './vectors.ts';

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true });
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function expectSame([preimage, digest]: readonly unknown[], vector: RowVector): void {
  const { bytes } = preimage as { bytes: Uint8Array };
  expect(utf8.decode(bytes)).toBe(vector.preimage);
  expect(digest).toBe(vector.digest.toUpperCase());
}

function expectTrees(digests: Buffer, vector: (typeof vectors)['rows']['table']): void {
  const table = tableTree(digests);
  expect(hex(table.root)).toBe(vector.root);
  expect(formatTableId(table.rows, table.root)).toBe(vector.table);
  const set = setTree(digests);
  expect(set.rows).toBe(table.rows);
  expect(hex(set.root)).toBe(vector.trieRoot);
  expect(formatSetRoot(set.rows, set.root)).toBe(vector.setRoot);
}

describe('the reference encoder', () => {
  it.each(vectors.rows.cases)('encodes: $name', ({ columns, preimage, digest }) => {
    const row = columns.map(({ name, value }) => [name, untag(value)] as const);
    expect(utf8.decode(encodeRow(row))).toBe(preimage);
    expect(hex(rowDigest(row))).toBe(digest);
  });

  it('gives different rows different digests, and the same to those declared equal', () => {
    const digests = new Map(vectors.rows.cases.map(({ name, digest }) => [name, digest]));
    const distinct = vectors.rows.cases.filter(({ sameAs }) => sameAs === null);
    expect(new Set(distinct.map(({ digest }) => digest)).size).toBe(distinct.length);
    for (const { sameAs, digest } of vectors.rows.cases) if (sameAs !== null) expect(digest).toBe(digests.get(sameAs));
  });
});

describe('generated SQL in DuckDB', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await openDatabase(2);
  });
  afterAll(() => database.close());

  async function inSql(schema: TableSchema, select: readonly string[]): Promise<readonly unknown[]> {
    const from = `SELECT ${select.length === 0 ? '1 AS nothing' : select.join(', ')}`;
    // The preimage leaves DuckDB as bytes, since its JS binding drops a leading U+FEFF.
    const sql = `SELECT encode(${rowPreimageSql(schema)}), hex(${rowDigestSql(schema)}) FROM (${from})`;
    const [row] = await database.rows(sql);
    return row ?? [];
  }

  it.each(vectors.rows.cases)('encodes: $name', async (vector) => {
    const columns = vector.columns.map(({ name, type }) => ({ name, type }));
    const select = vector.columns.map(({ name, sql }) => `${sql} AS ${quoteIdentifier(name)}`);
    expectSame(await inSql({ type: 'holdout/schema@1', columns }, select), vector);
  });

  const inJson = vectors.rows.cases.filter(({ columns }) => columns.every(({ json }) => json !== null));
  it.each(inJson)('encodes columns of type JSON alike: $name', async (vector) => {
    const columns = vector.columns.map(({ name }) => ({ name, type: 'JSON' as const }));
    // As a parameter-free literal: the text of a vector may hold what a literal cannot, so bytes go in.
    const select = vector.columns.map(
      ({ name, json }) => `decode(unhex('${Buffer.from(json ?? '').toString('hex')}')) AS ${quoteIdentifier(name)}`,
    );
    expectSame(await inSql({ type: 'holdout/schema@1', columns }, select), vector);
  });
});

describe('JSON texts', () => {
  it.each(vectors.json.cases)('encode, and have a canonical text: $text', ({ text, canonical, encoding }) => {
    expect(encodeJsonText(text)).toBe(encoding);
    expect(encodeValue(parseJsonValue(text))).toBe(encoding);
    expect(canonicalJsonText(text)).toBe(canonical);
    expect(encodeJsonText(canonical)).toBe(encoding);
    expect(canonicalJsonText(canonical)).toBe(canonical);
  });

  it.each(vectors.refusedJson.cases.map((text) => ({ text })))('are refused: $text', ({ text }) => {
    const refusal = expect.objectContaining({ name: 'HoldoutError' }) as unknown as Error;
    expect(() => encodeJsonText(text)).toThrow(refusal);
    expect(() => parseJsonValue(text)).toThrow(refusal);
    expect(() => canonicalJsonText(text)).toThrow(refusal);
  });
});

describe('trees', () => {
  it.each(vectors.tables.cases)('a table of $rows rows, $distinct distinct', (vector) => {
    const digest = (i: number): Buffer =>
      createHash('sha256')
        .update(String(i % vector.distinct))
        .digest();
    expectTrees(Buffer.concat(Array.from({ length: vector.rows }, (_, i) => digest(i))), vector);
  });

  it('the golden table: all row vectors in order', () => {
    expectTrees(Buffer.concat(vectors.rows.cases.map(({ digest }) => Buffer.from(digest, 'hex'))), vectors.rows.table);
  });
});

describe('schemas', () => {
  it.each(vectors.schemas.cases)('$id', ({ schema, canonical, id }) => {
    expect(canonicalJson(schema)).toBe(canonical);
    expect(schemaId(schema)).toBe(id);
  });
});
