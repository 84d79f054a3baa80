/**
 * A Parquet file of long rows, as other programs write them: thousands in a row group, and 2048 of them in what the engine
 * reads at once. It is read a range of rows after the other, each of which is some MB.
 * @module
 */
import type { TableSchema } from '../../../schemas/table-schema.ts';
import type { Engine } from '../../engine/engine.ts';
import { measureParquet } from '../measure-parquet.ts';
import { ParquetPieces } from '../parquet-pieces.ts';
import { areRowsLong, groupRowsOf } from '../part-file.ts';
import { copyRelation, writeParquet } from './typed-body.ts';

const rangeBytesMax = 32 << 20;

/** Memory of an engine for such a file, with one thread: a column of a row group may be one page of some hundred MB. */
export const longParquetEngine = { threads: 1, memoryLimitBytes: 1_200_000_000 } as const;

/** Rows of a file whose rows are long. */
export interface LongRows {
  readonly rows: number;
  readonly rowBytes: number;
}

/** The rows of a file, where they are long; null where they are not, or have no numbers to be told by. */
export async function longRowsOf(engine: Engine, path: string, seen: TableSchema): Promise<LongRows | null> {
  const { rows, bytes } = await measureParquet(engine, path);
  const hasOwnNumber = seen.columns.some(({ name }) => name.toLowerCase() === 'file_row_number');
  return rows === 0 || hasOwnNumber || !areRowsLong(bytes / rows) ? null : { rows, rowBytes: bytes / rows };
}

/** As `copyRelation`, for all rows of a file, so many at a time as are some MB. */
export async function copyLongParquet(
  engine: Engine,
  path: string,
  { rows, rowBytes }: LongRows,
  options: Omit<Parameters<typeof copyRelation>[1], 'from' | 'groupRows'>,
): Promise<void> {
  const rangeRows = Math.max(1, Math.floor(rangeBytesMax / rowBytes));
  const groupRows = groupRowsOf(rowBytes);
  const reader = `read_parquet(${engine.fileSql(path)}, hive_partitioning = false, file_row_number = true)`;
  const pieces = new ParquetPieces();
  try {
    for (let first = 0; first < rows; first += rangeRows) {
      const target = pieces.add(`${options.target}.${pieces.count}`);
      const range = `file_row_number BETWEEN ${first} AND ${first + rangeRows - 1}`;
      const from = `(SELECT * EXCLUDE (file_row_number) FROM ${reader} WHERE ${range})`;
      await copyRelation(engine, { ...options, from, target, groupRows });
    }
    await writeParquet(engine, pieces.sql(engine), options.target, groupRows);
  } finally {
    await pieces.remove();
  }
}
