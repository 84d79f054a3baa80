/**
 * Turns JSON Lines into a typed body under a schema with types that JSON lacks. Every value is checked against the one
 * spelling of its type before anything is written.
 * @module
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { TableSchema } from '../../../schemas/table-schema.ts';
import type { Engine } from '../../engine/engine.ts';
import { HoldoutError } from '../../errors.ts';
import { quoteIdentifier, quoteString } from '../../identity/sql-text.ts';
import type { InferredSchema } from '../json-scan/inferred.ts';
import { typeName } from '../types/stored-type.ts';
import { checkKinds, misfitSql, rawStructure, valueSql } from './checked-text.ts';
import { groupRowsFor } from '../part-file.ts';
import { writeParquet } from './typed-body.ts';

/** Lines that a scan has found to be valid. */
export interface ValidLines {
  readonly path: string;
  /** Name in messages. */
  readonly name: string;
  readonly inferred: InferredSchema;
  readonly longestLineBytes: number;
  /** No `rowsPerGroup` consecutive rows have more bytes. */
  readonly groupBytes: number;
  /** The line of the file as given, from 1, of a row. */
  lineOf(row: number): number | null;
}

/**
 * Writes the typed body.
 * @throws HoldoutError `CONFLICT` for values of another JSON kind; `INPUT_INVALID` with line and column name for text
 * that is not spelled as its type.
 */
export async function convertLines(
  engine: Engine,
  lines: ValidLines,
  schema: TableSchema,
  target: string,
): Promise<void> {
  const types = new Map(schema.columns.map((column) => [column.name, column.type]));
  for (const column of lines.inferred.columns) {
    const type = types.get(column.name);
    if (type === undefined) throw new TypeError(`the schema has no column "${column.name}"`);
    inFile(lines.name, () => checkKinds(type, column.seen, column.name));
  }
  const path = await withoutMark(lines.path, `${target}.lines`);
  // Room for the longest line; the reader takes twice this for each thread.
  const objectBytes = Math.max(lines.longestLineBytes + 1024, 1 << 20);
  const structure = JSON.stringify(
    Object.fromEntries(schema.columns.map(({ name, type }) => [name, rawStructure(type)])),
  );
  const from =
    `(SELECT from_json(json, ${quoteString(structure)}) AS r FROM read_ndjson_objects(${engine.fileSql(path)},` +
    ` maximum_object_size = ${objectBytes}, compression = 'uncompressed', hive_partitioning = false))`;

  const misfits = schema.columns.map(({ name, type }) => ({ name, type, sql: misfitSql(type, memberSql(name)) }));
  const tested = misfits.filter(({ sql }) => sql !== 'false');
  if (tested.length > 0) {
    const flags = tested.map(({ sql }, index) => `${sql} AS "${index}"`).join(', ');
    const any = tested.map((_, index) => `"${index}"`).join(' OR ');
    const [first] = await engine.rows<Record<string, bigint | boolean>>(
      `SELECT * FROM (SELECT row_number() OVER () - 1 AS row, ${flags} FROM ${from}) WHERE ${any} ORDER BY row LIMIT 1`,
    );
    const column = tested.find((_, index) => first?.[String(index)] === true);
    if (first !== undefined && column !== undefined) {
      const line = lines.lineOf(Number(first['row']));
      throw new HoldoutError(
        'INPUT_INVALID',
        `column "${column.name}": a value is not written as ${typeName(column.type)}`,
        {
          file: lines.name,
          ...(line === null ? {} : { line }),
          hint: 'Dates are 2024-01-31, times 13:59:00.5, timestamps both with a T or blank between, zoned ones end in Z or +01:00.',
        },
      );
    }
  }
  const select = schema.columns.map(
    ({ name, type }) => `${valueSql(type, memberSql(name))} AS ${quoteIdentifier(name)}`,
  );
  await writeParquet(engine, `SELECT ${select.join(', ')} FROM ${from}`, target, groupRowsFor(lines.groupBytes));
}

function memberSql(name: string): string {
  return `struct_extract(r, ${quoteString(name)})`;
}

/** The engine's reader of lines refuses a byte order mark: a file that has one is copied without it. */
async function withoutMark(path: string, copy: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const head = Buffer.alloc(3);
    await file.read(head, 0, 3, 0);
    if (!head.equals(Buffer.from([0xef, 0xbb, 0xbf]))) return path;
  } finally {
    await file.close();
  }
  await pipeline(createReadStream(path, { start: 3 }), createWriteStream(copy, { flags: 'wx', mode: 0o600 }));
  return copy;
}

function inFile(file: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    if (!(cause instanceof HoldoutError)) throw cause;
    throw new HoldoutError(cause.code, cause.message, {
      file,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    });
  }
}
