/**
 * Hands columns of JavaScript values to the engine as a temporary table, 2,048 rows at a time.
 * @module
 */
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { Binding } from './binding.ts';

/** One column: its values are an array, or for `BLOB` also bytes laid end to end, `bytesPerValue` each. */
export type TableColumn =
  | { readonly name: string; readonly type: 'BIGINT'; readonly values: BigInt64Array | readonly (bigint | null)[] }
  | { readonly name: string; readonly type: 'UINTEGER'; readonly values: Uint32Array }
  | {
      readonly name: string;
      readonly type: 'INTEGER' | 'DOUBLE';
      readonly values: Int32Array | Float64Array | readonly (number | null)[];
    }
  | { readonly name: string; readonly type: 'VARCHAR'; readonly values: readonly (string | null)[] }
  | { readonly name: string; readonly type: 'BLOB'; readonly values: readonly (Uint8Array | null)[] }
  | { readonly name: string; readonly type: 'BLOB'; readonly values: Uint8Array; readonly bytesPerValue: number };

const chunkRowsMax = 2048;

/**
 * Creates (or replaces) a temporary table.
 * @throws RangeError when the columns are not of one length, or there are none.
 */
export async function registerTable(
  binding: Binding,
  connection: DuckDBConnection,
  name: string,
  columns: readonly TableColumn[],
): Promise<void> {
  const rows = commonLength(columns);
  const definitions = columns.map((column) => `${quoteIdentifier(column.name)} ${column.type}`);
  await connection.run(`CREATE OR REPLACE TEMP TABLE ${quoteIdentifier(name)} (${definitions.join(', ')})`);
  const appender = await connection.createAppender(name, 'main', 'temp');
  try {
    const types = columns.map((column) => columnType(binding, column.type));
    for (let first = 0; first < rows; first += chunkRowsMax) {
      const count = Math.min(chunkRowsMax, rows - first);
      const chunk = binding.DuckDBDataChunk.create(types, count);
      for (const [index, column] of columns.entries()) {
        chunk.setColumnValues(index, slice(binding, column, first, count));
      }
      appender.appendDataChunk(chunk);
    }
  } finally {
    appender.closeSync();
  }
}

function commonLength(columns: readonly TableColumn[]): number {
  const lengths = new Set(columns.map(columnLength));
  const [length] = lengths;
  if (length === undefined || lengths.size > 1) {
    throw new RangeError(`"columns" expected columns of one length, got ${[...lengths].join(', ') || 'none'}`);
  }
  return length;
}

function columnLength(column: TableColumn): number {
  if (!('bytesPerValue' in column)) return column.values.length;
  const length = column.values.length / column.bytesPerValue;
  if (!Number.isInteger(length)) {
    throw new RangeError(`"values" expected a multiple of ${column.bytesPerValue} bytes, got ${column.values.length}`);
  }
  return length;
}

function columnType(binding: Binding, type: TableColumn['type']): DuckDBType {
  return binding[type];
}

function slice(binding: Binding, column: TableColumn, first: number, count: number): DuckDBValue[] {
  if ('bytesPerValue' in column) {
    const width = column.bytesPerValue;
    return Array.from(
      { length: count },
      (_, row) => new binding.DuckDBBlobValue(column.values.subarray((first + row) * width, (first + row + 1) * width)),
    );
  }
  if (ArrayBuffer.isView(column.values)) return [...column.values.subarray(first, first + count)];
  const values: readonly (bigint | number | string | Uint8Array | null)[] = column.values.slice(first, first + count);
  return values.map((value) => {
    if (value instanceof Uint8Array) return new binding.DuckDBBlobValue(value);
    if (typeof value === 'string' && !value.isWellFormed()) {
      throw new TypeError(`column "${column.name}": a lone surrogate is no text`);
    }
    return value;
  });
}
