/**
 * The golden vectors, and their tagged values as the reference encoder takes them.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { ColumnType, TableSchema } from '../../dist/schemas/table-schema.js';
import type { Value } from '../../dist/src/identity/row-encoding.js';

type Tagged =
  | null
  | boolean
  | string
  | readonly Tagged[]
  | { readonly int: string }
  | { readonly float: string }
  | { readonly decimal: readonly [string, number] }
  | { readonly bytes: string }
  | { readonly date: string }
  | { readonly time: string }
  | { readonly timestamp: string }
  | { readonly instant: string }
  | { readonly object: readonly (readonly [string, Tagged])[] }
  | { readonly map: readonly (readonly [Tagged, Tagged])[] };

interface VectorColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly value: Tagged;
  readonly sql: string;
  readonly json: string | null;
}

export interface RowVector {
  readonly name: string;
  readonly sameAs: string | null;
  readonly columns: readonly VectorColumn[];
  readonly preimage: string;
  readonly digest: string;
}

interface TreeVector {
  readonly root: string;
  readonly table: string;
  readonly trieRoot: string;
  readonly setRoot: string;
}

interface Vectors {
  readonly rows: { readonly cases: readonly RowVector[]; readonly table: TreeVector };
  readonly json: { readonly cases: readonly { text: string; canonical: string; encoding: string }[] };
  readonly refusedJson: { readonly cases: readonly string[] };
  readonly tables: { readonly cases: readonly (TreeVector & { rows: number; distinct: number })[] };
  readonly schemas: { readonly cases: readonly { schema: TableSchema; canonical: string; id: string }[] };
}

export const vectors = JSON.parse(
  readFileSync(new URL('../vectors/identity-v1.json', import.meta.url), 'utf8'),
) as Vectors;

/** A vector's value for the reference encoder. */
export function untag(value: Tagged): Value {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (isList(value)) return value.map(untag);
  if ('int' in value) return BigInt(value.int);
  if ('float' in value) return Buffer.from(value.float, 'hex').readDoubleBE();
  if ('decimal' in value) return { kind: 'decimal', unscaled: BigInt(value.decimal[0]), scale: value.decimal[1] };
  if ('bytes' in value) return Uint8Array.from(Buffer.from(value.bytes, 'hex'));
  if ('date' in value) return { kind: 'date', days: BigInt(value.date) };
  if ('time' in value) return { kind: 'time', nanoseconds: BigInt(value.time) };
  if ('timestamp' in value) return { kind: 'timestamp', nanoseconds: BigInt(value.timestamp) };
  if ('instant' in value) return { kind: 'instant', nanoseconds: BigInt(value.instant) };
  if ('object' in value) return { kind: 'object', members: value.object.map(([name, v]) => [name, untag(v)]) };
  return { kind: 'map', entries: value.map.map(([key, v]) => [untag(key), untag(v)]) };
}

function isList(value: Exclude<Tagged, null>): value is readonly Tagged[] {
  return Array.isArray(value);
}
