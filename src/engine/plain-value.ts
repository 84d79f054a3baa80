/**
 * Values as they leave the engine: plain JavaScript, none of them rounded.
 * @module
 */
import type { DuckDBValue } from '@duckdb/node-api';
import type { Binding } from './binding.ts';

/**
 * What a cell becomes: integers up to 32 bits and floats are numbers, wider integers bigints, bytes `Uint8Array`;
 * decimals, dates, times and UUIDs their text; lists arrays; structs objects without prototype; maps arrays of pairs.
 */
export type PlainValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PlainValue[]
  | { readonly [name: string]: PlainValue };

/** Converts one value of the binding. */
export function plainValue(binding: Binding, value: DuckDBValue): PlainValue {
  if (value === null || typeof value !== 'object') return value ?? null;
  if (value instanceof binding.DuckDBBlobValue) return value.bytes;
  if (value instanceof binding.DuckDBListValue || value instanceof binding.DuckDBArrayValue) {
    return value.items.map((item) => plainValue(binding, item));
  }
  if (value instanceof binding.DuckDBStructValue) {
    const members = Object.create(null) as Record<string, PlainValue>;
    for (const [name, member] of Object.entries(value.entries)) members[name] = plainValue(binding, member);
    return members;
  }
  if (value instanceof binding.DuckDBMapValue) {
    return value.entries.map((entry) => [plainValue(binding, entry.key), plainValue(binding, entry.value)]);
  }
  return value.toString();
}
