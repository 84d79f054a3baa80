/**
 * Parquet files that rows are read from, and how the engine is told to read one.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';

/** Rows of a row group of our own files: at 750 bytes a row some 6 to 12 MB, so that memory stays bounded. */
export const rowsPerGroup = 8192;
/** What 8192 rows may come to: rows of 8 KB. */
const groupBytesMax = 64 << 20;
/** Of a row group of longer rows. It is also the most that a reader has of it in memory at once. */
const longGroupBytesMax = 16 << 20;
/** At 2 MB a row those bytes. */
const groupRowsMin = 8;

/** Rows of a row group of a file in which no `rowsPerGroup` consecutive rows come to more than `groupBytes`. */
export function groupRowsFor(groupBytes: number): number {
  if (groupBytes <= groupBytesMax) return rowsPerGroup;
  return Math.max(groupRowsMin, Math.floor((longGroupBytesMax / groupBytes) * rowsPerGroup));
}

/** Whether as many rows as the engine works on at a time, 2048, come to more than 32 MB. */
export function areRowsLong(rowBytes: number): boolean {
  return rowBytes > longRowBytes;
}

const longRowBytes = 16 << 10;

/** Rows of a row group of rows of so many bytes on average. */
export function groupRowsOf(rowBytes: number): number {
  return groupRowsFor(rowBytes * rowsPerGroup);
}

/**
 * Options of a Parquet file of digests on their way. The writer's dictionary of values that are all different costs more than
 * hashing the rows: 12.0 s of CPU for a million rows of 780 bytes in place of 5.4.
 */
export const digestColumnFormat = 'FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1';

/** A Parquet file of rows. */
export interface PartFile {
  /** `lines`: one column `line` of JSON text. `typed`: columns of `schema`, in their types. */
  readonly kind: 'lines' | 'typed';
  readonly path: string;
  readonly rows: number;
  /** Uncompressed bytes of the rows: what a reader has to expect in memory. */
  readonly logicalBytes: number;
  /** Types of a typed file's columns. */
  readonly schema: TableSchema;
}

/** Columns of several files of as many rows, row by row beside each other. A column that no source has is null. */
export interface StackedFile {
  readonly kind: 'stacked';
  readonly rows: number;
  readonly logicalBytes: number;
  readonly sources: readonly FileColumns[];
}

/** Columns out of one file: what each is called above, and in the file. */
export interface FileColumns {
  readonly file: PartFile;
  readonly columns: readonly (readonly [column: string, stored: string])[];
}

/** Rows of a file by their numbers, both ends included. */
export interface RowsBetween {
  readonly first: number;
  readonly last: number;
}

/** The reader of one file, with its rows' numbers where no column of its own has that name. */
export function parquetSql(engine: Engine, file: PartFile): string {
  const option = hasRowNumberColumn(file) ? '' : ', file_row_number = true';
  return `read_parquet(${engine.fileSql(file.path)}, hive_partitioning = false${option})`;
}

/** Whether the file has a column of the name that the reader gives to row numbers. */
export function hasRowNumberColumn(file: PartFile): boolean {
  return file.kind === 'typed' && file.schema.columns.some(({ name }) => name.toLowerCase() === 'file_row_number');
}

/** A condition on a number. */
export function betweenSql(number: string, { first, last }: RowsBetween): string {
  return `${number} BETWEEN ${first} AND ${last}`;
}
