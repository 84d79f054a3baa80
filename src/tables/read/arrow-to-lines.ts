/**
 * Writes an Arrow IPC file or stream as JSON Lines, with the schema that its types ask for.
 * @module
 */
import { CompressionType, compressionRegistry, RecordBatchReader } from 'apache-arrow';
import { decompress as unzstd } from 'fzstd';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Column, TableSchema } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { checkNames } from '../types/column-names.ts';
import { checkArrowFile, checkArrowStream } from './arrow-frames.ts';
import { keepFieldNames } from './arrow-names.ts';
import { adoptType, arrowColumnType } from './arrow-types.ts';
import { valueWriter } from './arrow-values.ts';
import { LineWriter } from './line-writer.ts';
import { unlz4 } from './lz4.ts';
import { readError } from './unpack.ts';

/** Where the file is, and how it is called in messages. */
export interface ArrowFile {
  readonly path: string;
  readonly name: string;
  readonly format: 'arrow-file' | 'arrow-stream';
  /** Types that the caller declares; they tell text from JSON and bytes from UUIDs. */
  readonly schema: TableSchema | null;
}

/**
 * Writes all rows; returns the schema of the file.
 * @throws HoldoutError `INPUT_INVALID` for a cut file, a damaged one, a type or a value without an exact stored form.
 */
export async function writeArrowAsLines(file: ArrowFile, spoolPath: string): Promise<TableSchema> {
  registerCodecs();
  keepFieldNames();
  const handle = await open(file.path, 'r').catch((cause: unknown) => {
    throw readError(file.path, cause);
  });
  const target = new LineWriter(spoolPath);
  let row = 0;
  try {
    const { size } = await handle.stat();
    await (file.format === 'arrow-file' ? checkArrowFile : checkArrowStream)(handle, size, file.name);
    // The reader closes what it was given: the file format is read by position, a stream from its start.
    const reader = await (file.format === 'arrow-file'
      ? RecordBatchReader.from(await open(file.path, 'r'))
      : RecordBatchReader.from(createReadStream(file.path, { highWaterMark: 1 << 20 })));
    await reader.open();
    const problem = checkNames(reader.schema.fields.map((field) => field.name));
    if (problem !== null) throw new HoldoutError('INPUT_INVALID', problem);
    const declared = new Map(file.schema?.columns.map((column) => [column.name, column.type]));
    const columns = reader.schema.fields.map((field): Column => {
      return { name: field.name, type: adoptType(arrowColumnType(field), declared.get(field.name)) };
    });
    const keys = columns.map((column) => `${JSON.stringify(column.name)}:`);
    for await (const batch of reader) {
      const writers = columns.map((column, index) => {
        const data = batch.data.children[index];
        if (data === undefined) throw new HoldoutError('INPUT_INVALID', `a batch lacks column "${column.name}"`);
        return valueWriter(data, column.type);
      });
      for (let index = 0; index < batch.numRows; index++, row++) {
        const members: string[] = [];
        for (const [column, write] of writers.entries()) {
          const value = write(index);
          if (value !== null) members.push((keys[column] ?? '') + value);
        }
        await target.write(`{${members.join(',')}}\n`);
      }
    }
    await target.close();
    return { type: 'holdout/schema@1', columns };
  } catch (cause) {
    target.abandon();
    throw arrowError(cause, file.name, row);
  } finally {
    await handle.close();
  }
}

function arrowError(cause: unknown, name: string, row: number): HoldoutError {
  if (cause instanceof HoldoutError) {
    if (cause.place.file !== undefined) return cause;
    return new HoldoutError(cause.code, `row ${row + 1}: ${cause.message}`, {
      file: name,
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
      cause,
    });
  }
  if (typeof (cause as NodeJS.ErrnoException).syscall === 'string') return readError(name, cause);
  return new HoldoutError('INPUT_INVALID', `the Arrow data cannot be read: ${(cause as Error).message}`, {
    file: name,
    hint: 'It is damaged, or of a type that is not read here; Parquet is the safest form.',
    cause,
  });
}

let registered = false;

/** Buffers must come back aligned to eight bytes, which a copy is. */
function registerCodecs(): void {
  if (registered) return;
  registered = true;
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: (data) => unlz4(data).slice() });
  compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => unzstd(data).slice() });
}
