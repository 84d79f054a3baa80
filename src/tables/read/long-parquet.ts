/**
 * A Parquet file of long rows, as other programs write them: thousands in a row group, and 2048 of them in what the engine
 * reads at once. It is read a range of rows after the other, each of which is some MB.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { TableSchema } from '../../../schemas/table-schema.ts';
import type { Engine } from '../../engine/engine.ts';
import { measureParquet } from '../measure-parquet.ts';
import { areRowsLong, groupRowsOf } from '../part-file.ts';
import { copyRelation, writeParquet } from './typed-body.ts';

const rangeBytesMax = 32 << 20;

/** Memory of an engine for such a file, with one thread: a column of a row group may be one page of some hundred MB. */
export const longParquetEngine = { threads: 1, memoryLimitBytes: 1_200_000_000 } as const;

/** Rows that are read at once of a file whose rows are long; null where they are not, or have no numbers to be told by. */
export async function longRangeRows(engine: Engine, path: string, seen: TableSchema): Promise<number | null> {
  const { rows, bytes } = await measureParquet(engine, path);
  const hasOwnNumber = seen.columns.some(({ name }) => name.toLowerCase() === 'file_row_number');
  if (rows === 0 || hasOwnNumber || !areRowsLong(bytes / rows)) return null;
  return Math.max(1, Math.floor(rangeBytesMax / (bytes / rows)));
}

/** As `copyRelation`, for all rows of a file, so many at a time. */
export async function copyLongParquet(
  engine: Engine,
  path: string,
  rangeRows: number,
  options: Omit<Parameters<typeof copyRelation>[1], 'from' | 'groupRows'>,
): Promise<void> {
  const { rows, bytes } = await measureParquet(engine, path);
  const groupRows = groupRowsOf(bytes / rows);
  const reader = `read_parquet(${engine.fileSql(path)}, hive_partitioning = false, file_row_number = true)`;
  const pieces: string[] = [];
  try {
    for (let first = 0; first < rows; first += rangeRows) {
      const target = `${options.target}.${pieces.length}`;
      pieces.push(target);
      const range = `file_row_number BETWEEN ${first} AND ${first + rangeRows - 1}`;
      const from = `(SELECT * EXCLUDE (file_row_number) FROM ${reader} WHERE ${range})`;
      await copyRelation(engine, { ...options, from, target, groupRows });
    }
    const all = pieces.map((piece) => engine.fileSql(piece)).join(', ');
    await writeParquet(
      engine,
      `SELECT * FROM read_parquet([${all}], hive_partitioning = false)`,
      options.target,
      groupRows,
    );
  } finally {
    await Promise.all(pieces.map((piece) => rm(piece, { force: true })));
  }
}
