/**
 * The schema of a table: its columns in order, each with a type. Type names are DuckDB's where one exists.
 * The record's id (sha256 of its canonical JSON) is the schema id.
 * @module
 */
import { z } from 'zod';

/** Types without parameters. `NULL`: no value was ever seen. `JSON`: values of no fixed shape. */
export const scalarType = z.enum([
  'NULL',
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'UTINYINT',
  'USMALLINT',
  'UINTEGER',
  'UBIGINT',
  'FLOAT',
  'DOUBLE',
  'VARCHAR',
  'BLOB',
  'UUID',
  'DATE',
  'TIME',
  'TIME_NS',
  'TIMESTAMP',
  'TIMESTAMP_NS',
  'TIMESTAMPTZ',
  'JSON',
]);
export type ScalarType = z.infer<typeof scalarType>;

/** A column's type. Integers past 64 bits are `{decimal: [38, 0]}`. */
export type ColumnType =
  | ScalarType
  | { readonly decimal: readonly [precision: number, scale: number] }
  | { readonly list: ColumnType }
  | { readonly struct: readonly Column[] }
  | { readonly map: { readonly key: ColumnType; readonly value: ColumnType } };

/** A named column, or a named field of a struct. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

const columnType: z.ZodType<ColumnType> = z.lazy(() =>
  z.union([
    scalarType,
    z.strictObject({ decimal: z.tuple([z.int().min(1).max(38), z.int().min(0).max(38)]) }),
    z.strictObject({ list: columnType }),
    z.strictObject({ struct: z.array(column).min(1) }),
    z.strictObject({ map: z.strictObject({ key: columnType, value: columnType }) }),
  ]),
);
const column: z.ZodType<Column> = z.lazy(() => z.strictObject({ name: z.string(), type: columnType }));

/** The stored record. */
export const tableSchema = z.strictObject({
  type: z.literal('holdout/schema@1'),
  columns: z.array(column),
});
export interface TableSchema {
  readonly type: 'holdout/schema@1';
  readonly columns: readonly Column[];
}
