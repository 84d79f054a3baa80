/**
 * A `TableReader` over files just read, without a store. JSON Lines are read where they lie; only what needs row
 * numbers in a file (blocks, canonical lines) is first written as parts into a temporary folder.
 * @module
 */
import { open, readFile, rm, stat } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { readBuffer } from '../store/read-buffer.ts';
import { wholeParts } from './layout.ts';
import { lineBlocks } from './line-blocks.ts';
import type { LineBlock } from './line-blocks.ts';
import { csvLineBytesMax, csvLinesSql, rowLineSql, writeParts } from './part-writer.ts';
import { rawLines } from './raw-lines.ts';
import type { Body, ReadTable } from './read/read-table-types.ts';
import { lineValuesSql } from './row-file.ts';
import type { RowFile } from './row-file.ts';
import { selectionsSql } from './row-select.ts';
import { rowsIn } from './row-runs.ts';
import { freeName } from './sql-types.ts';
import { chosenColumns, readerOf, refuseTakenName } from './table-reader.ts';
import type { TableFiles, TableReader } from './table-reader.ts';

/**
 * Opens a table just read. The engine must be able to read its files, and to read and write `workDirectory`.
 * @throws HoldoutError `IO`
 */
export async function openReadTable(
  engine: Engine,
  table: ReadTable,
  options: { readonly workDirectory: string },
): Promise<TableReader> {
  const made: string[] = [];
  let parts: Promise<TableReader> | null = null;
  const asParts = (): Promise<TableReader> => (parts ??= openParts(engine, table, options.workDirectory, made));
  const plain = await allPlain(table.bodies);
  const whole = plain ? null : await asParts();
  const lines = table.bodies.every(({ kind }) => kind === 'lines');
  return {
    schema: table.schema,
    rows: table.rows,
    rowBytes: table.bytes / Math.max(1, table.rows),
    keepsLines: lines,
    relationSql(asked = {}) {
      if (whole !== null) return whole.relationSql(asked);
      refuseTakenName(table.schema, asked.position);
      return bodiesSql(engine, table, chosenColumns(table.schema, asked.columns), asked.position);
    },
    orderedSql(asked = {}) {
      if (whole !== null) return whole.orderedSql(asked);
      // The bodies' readers keep their order, and a union keeps that of the bodies.
      if (asked.alone === true && table.bodies.length > 1) return null;
      return bodiesSql(engine, table, chosenColumns(table.schema, asked.columns));
    },
    async picked(rows, position) {
      if (whole !== null) return whole.picked(rows, position);
      refuseTakenName(table.schema, position);
      const sql = bodiesSql(engine, table, table.schema, position);
      const wanted = rows.length === 0 ? 'false' : `${quoteIdentifier(position)} IN (${rows.join(', ')})`;
      return { sql: `SELECT * FROM (${sql}) WHERE ${wanted}`, close: () => Promise.resolve() };
    },
    async *blocks(asked = {}) {
      yield* (await asParts()).blocks(asked);
    },
    async digests() {
      return readFile(table.digestsPath);
    },
    async *jsonLines(asked = {}) {
      if (asked.canonical === true) yield* (await asParts()).jsonLines(asked);
      else yield* bodyLines(engine, table, asked.bytesMax ?? 8 << 20);
    },
    async close() {
      if (parts !== null) await (await parts).close();
      await Promise.all(made.map((path) => rm(path, { force: true })));
    },
  };
}

/** Whether the one-column CSV reader takes all lines: no carriage return but before a line feed, no very long line. */
async function allPlain(bodies: readonly Body[]): Promise<boolean> {
  for (const body of bodies) {
    if (body.kind === 'lines' && (body.longestLineBytes > csvLineBytesMax || (await hasMixedEnds(body.path))))
      return false;
  }
  return true;
}

async function hasMixedEnds(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  try {
    const buffer = await readBuffer(handle, 4 << 20);
    for (let at = 0; ;) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      // Files with carriage returns are rare, and their parts always right.
      if (buffer.subarray(0, bytesRead).includes(13)) return true;
      if (bytesRead === 0) return false;
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

function bodiesSql(engine: Engine, table: ReadTable, schema: TableSchema, position?: string): string {
  const row = quoteIdentifier(freeName(schema, 'holdout_row'));
  const columns = schema.columns.map(({ name }) => quoteIdentifier(name));
  const selects = table.bodies.map((body) => {
    if (body.kind === 'typed') {
      const range = { kind: 'range', file: 0, from: 0, rows: body.rows, position: body.firstRow } as const;
      return selectionsSql(engine, [typedFile(body, table)], schema, [range], position);
    }
    // Numbering costs a thread, so rows are numbered only when someone asks.
    const number = position === undefined ? 'NULL::BIGINT' : `(row_number() OVER () + ${body.firstRow - 1})::BIGINT`;
    const lines = `SELECT ${number} AS ${row}, line FROM (SELECT line FROM ${csvLinesSql(engine, body.path, body.longestLineBytes)}
      WHERE ${rowLineSql})`;
    const added = position === undefined ? [] : [`${row} AS ${quoteIdentifier(position)}`];
    const listed = [...columns, ...added].join(', ') || 'NULL::VARCHAR AS holdout_nothing';
    return `SELECT ${listed} FROM (${lineValuesSql(lines, schema, row)})`;
  });
  return selects.length === 0 ? selectionsSql(engine, [], schema, [], position) : selects.join(' UNION ALL ');
}

function typedFile(body: Body, table: ReadTable): RowFile {
  return { kind: 'typed', path: body.path, rows: body.rows, logicalBytes: table.bytes, schema: table.schema };
}

async function* bodyLines(engine: Engine, table: ReadTable, bytesMax: number): AsyncGenerator<LineBlock> {
  for (const body of table.bodies) {
    if (body.kind === 'lines') {
      for await (const { firstRow, rows, bytes } of rawLines(body.path)) {
        yield { firstRow: body.firstRow + firstRow, rows, bytes };
      }
    } else if (body.rows > 0) {
      const layout = wholeParts([{ id: noId, rows: body.rows }]);
      const options = { verbatim: true, bytesMax };
      for await (const block of lineBlocks(engine, [typedFile(body, table)], table.schema, layout, options)) {
        yield { ...block, firstRow: body.firstRow + block.firstRow };
      }
    }
  }
}

async function bodyBytes({ path }: Body): Promise<number> {
  return (await stat(path)).size;
}

// Layouts name parts by id; these files have none, and nobody asks.
const noId = `sha256:${'0'.repeat(64)}` as Sha256Id;

async function openParts(
  engine: Engine,
  table: ReadTable,
  workDirectory: string,
  made: string[],
): Promise<TableReader> {
  const files: RowFile[] = [];
  const temporary = (suffix: string): Promise<string> => {
    const path = join(workDirectory, randomBytes(8).toString('hex') + suffix);
    made.push(path);
    return Promise.resolve(path);
  };
  for (const body of table.bodies) {
    if (body.rows === 0) continue;
    if (body.kind === 'typed') {
      files.push(typedFile(body, table));
      continue;
    }
    const place = { engine, schema: table.schema, temporary };
    for (const part of await writeParts(place, [body], [[body.firstRow, body.rows]], bodyBytes)) {
      const { kind, path, logicalBytes } = part;
      files.push({ kind, path, rows: rowsIn(part.runs), logicalBytes, schema: table.schema });
    }
  }
  const layout = wholeParts(files.map(({ rows }) => ({ id: noId, rows })));
  const tableFiles: TableFiles = {
    schema: table.schema,
    layout,
    files,
    digests: () => Promise.reject(new TypeError('digests of a table just read are in its own file')),
  };
  return readerOf(engine, tableFiles);
}
