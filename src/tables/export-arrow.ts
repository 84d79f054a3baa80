/**
 * Exports to an Arrow IPC file, a record batch for each block of rows.
 * @module
 */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { RecordBatch, Schema } from 'apache-arrow';
import type { Engine } from '../engine/engine.ts';
import type { PlainValue } from '../engine/plain-value.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { TableReader } from './table-reader.ts';

const batchRowsMax = 8192;
const batchBytesMax = 16 << 20;

/** Writes the rows in order to a new file. */
export async function exportArrow(engine: Engine, reader: TableReader, path: string): Promise<void> {
  // Only an export to Arrow pays for loading the library.
  const arrow = await import('apache-arrow');
  const { arrowData, arrowField, arrowValueSql } = await import('./arrow-data.ts');
  const { columns } = reader.schema;
  const fields = columns.map(({ name, type }) => arrowField(name, type));
  const schema: Schema = new arrow.Schema(fields);
  const selects = columns.map(({ name, type }, index) => `${arrowValueSql(type, quoteIdentifier(name))} AS c${index}`);
  const batchOf = (values: readonly PlainValue[][], rows: number): RecordBatch => {
    const children = columns.map(({ type }, index) => arrowData(type, values[index]!));
    return new arrow.RecordBatch(
      schema,
      arrow.makeData({ type: new arrow.Struct(fields), length: rows, nullCount: 0, children }),
    );
  };
  async function* batches(): AsyncGenerator<RecordBatch> {
    if (reader.rows === 0)
      yield batchOf(
        columns.map(() => []),
        0,
      );
    for await (const { sql, rows } of reader.blocks({ rowsMax: batchRowsMax, bytesMax: batchBytesMax })) {
      const values = columns.map((): PlainValue[] => []);
      await engine.scan(`SELECT ${selects.join(', ')} FROM (${sql})`, (chunk) => {
        for (const [column, { type }] of columns.entries()) {
          const bytes = type === 'VARCHAR' || type === 'UUID' || type === 'JSON' || type === 'BLOB';
          for (let row = 0; row < chunk.rows; row++) {
            values[column]!.push(bytes ? chunk.bytes(column, row) : chunk.value(column, row));
          }
        }
      });
      yield batchOf(values, rows);
    }
  }
  const written: Uint8Array[] = [];
  // The library's own stream rejects a promise that nobody holds when the rows fail; its writer alone has none.
  const sink = new arrow.AsyncByteQueue<Uint8Array>();
  sink.write = (bytes) => {
    if (bytes instanceof Uint8Array) written.push(bytes);
  };
  const writer = new arrow.RecordBatchFileWriter();
  writer.reset(sink);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for await (const batch of batches()) {
      writer.write(batch);
      yield* written.splice(0);
    }
    writer.finish();
    yield* written.splice(0);
  }
  await pipeline(bytes(), createWriteStream(path, { flags: 'wx' }));
}
