/**
 * Exports a table as JSON Lines, or as one JSON list: a row a line either way. Every reader of JSON takes them, so what
 * JSON cannot hold is refused, as null in its place would be another table.
 * @module
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { type BareWord, firstBareWord } from './finite-json.ts';
import type { TableReader } from './table-reader.ts';

const newline = 10;

/**
 * Writes the rows into a new file.
 * @throws HoldoutError `CONFLICT` for a row that holds NaN or an infinity; as the reader does
 */
export async function exportJson(reader: TableReader, path: string, format: 'json' | 'jsonl'): Promise<void> {
  const stream = createWriteStream(path, { flags: 'wx', highWaterMark: 4 << 20 });
  const done = finished(stream);
  // It may fail while the next rows are read, before anybody waits for it.
  done.catch(() => undefined);
  try {
    const isList = format === 'json';
    if (isList) stream.write('[');
    for await (const { firstRow, bytes } of reader.jsonLines({ canonical: true })) {
      const wrong = firstBareWord(bytes);
      if (wrong !== null) throw notInJson(reader.schema, firstRow + wrong.line, wrong);
      if (!stream.write(isList ? listed(bytes, firstRow === 0) : bytes)) {
        await Promise.race([once(stream, 'drain'), done]);
      }
    }
    if (isList) stream.write('\n]\n');
  } finally {
    stream.end();
  }
  await done;
}

/** Lines as items of a list: before each stands what ends the one before. */
function listed(lines: Uint8Array, isFirst: boolean): Uint8Array {
  let rows = 0;
  for (const byte of lines) if (byte === newline) rows += 1;
  const items = Buffer.allocUnsafe(lines.length + rows);
  let at = 0;
  let start = 0;
  for (let row = 0; row < rows; row++) {
    const end = lines.indexOf(newline, start);
    at += items.write(isFirst && row === 0 ? '\n' : ',\n', at, 'latin1');
    items.set(lines.subarray(start, end), at);
    at += end - start;
    start = end + 1;
  }
  return items.subarray(0, at);
}

function notInJson({ columns }: TableSchema, row: number, { column, word }: BareWord): HoldoutError {
  const type = columns.find(({ name }) => name === column)?.type;
  const name = /^[a-z_][a-z0-9_]*$/i.test(column) ? column : quoteIdentifier(column);
  const step = `derive: {columns: {${column}: 'CASE WHEN isfinite(${name}) THEN ${name} END'}}`;
  const instead = type === 'DOUBLE' || type === 'FLOAT' ? `; null in its place is a step: ${step}` : '';
  const says = `row ${(row + 1).toLocaleString('en-US')}: column "${column}" holds ${word}, which JSON does not have`;
  return new HoldoutError('CONFLICT', says, {
    hint: `.parquet and .arrow hold it${instead}`,
  });
}
