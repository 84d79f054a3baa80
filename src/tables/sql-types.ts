/**
 * Column types as SQL types, and the expressions that turn what a part's file holds into canonical values of the
 * declared types: what identity does not see (spelling of JSON, absent or null, order of members) is gone behind them.
 * @module
 */
import type { Column, ColumnType, TableSchema } from '../../schemas/table-schema.ts';
import { JSON_CANONICAL_FUNCTION } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier, quoteString } from '../identity/sql-text.ts';

/** The SQL type of canonical values. Columns of type `NULL` are VARCHAR that holds nothing. */
export function sqlType(type: ColumnType): string {
  return typeText(
    type,
    (scalar) => (scalar === 'NULL' ? 'VARCHAR' : scalar),
    ([precision, scale]) => {
      return `DECIMAL(${precision}, ${scale})`;
    },
  );
}

/** Whether a type is one of the eight of whole numbers up to 64 bits. */
export function isIntegerType(type: ColumnType): boolean {
  return typeof type === 'string' && type.includes('INT');
}

/** Types that stand in JSON lines as strings, bytes as base64. */
export const textTypes: ReadonlySet<string> = new Set([
  'DATE',
  'TIME',
  'TIME_NS',
  'TIMESTAMP',
  'TIMESTAMP_NS',
  'TIMESTAMPTZ',
  'UUID',
  'BLOB',
]);

/**
 * The type under which `from_json` reads a value of this type. Decimals would pass through a double: whole ones are
 * read as 128-bit integers, others as text.
 */
function lineType(type: ColumnType): string {
  return typeText(
    type,
    (scalar) => (scalar === 'NULL' || textTypes.has(scalar) ? 'VARCHAR' : scalar),
    ([, scale]) => (scale === 0 ? 'HUGEINT' : 'VARCHAR'),
  );
}

function typeText(
  type: ColumnType,
  scalar: (name: Extract<ColumnType, string>) => string,
  decimal: (digits: readonly [number, number]) => string,
): string {
  const inner = (nested: ColumnType): string => typeText(nested, scalar, decimal);
  if (typeof type === 'string') return scalar(type);
  if ('decimal' in type) return decimal(type.decimal);
  if ('list' in type) return `${inner(type.list)}[]`;
  if ('map' in type) return `MAP(${inner(type.map.key)}, ${inner(type.map.value)})`;
  return `STRUCT(${type.struct.map((field) => `${quoteIdentifier(field.name)} ${inner(field.type)}`).join(', ')})`;
}

/** The second argument of `from_json` for lines under this schema. */
export function lineStructureSql(schema: TableSchema): string {
  return quoteString(
    JSON.stringify(Object.fromEntries(schema.columns.map(({ name, type }) => [name, lineType(type)]))),
  );
}

/** Where a value comes from: read out of a JSON line, or stored in its own type. */
export type ValueOrigin = 'line' | 'typed';

/** An expression for the canonical value of `expression`, which holds what a file of this origin yields. */
export function canonicalValueSql(type: ColumnType, expression: string, origin: ValueOrigin): string {
  if (type === 'NULL') return 'NULL::VARCHAR';
  if (!needsWork(type, origin)) return expression;
  return `(${workSql(type, expression, origin, 0)})::${sqlType(type)}`;
}

function needsWork(type: ColumnType, origin: ValueOrigin): boolean {
  if (typeof type === 'string') return type === 'JSON' || (origin === 'line' && textTypes.has(type));
  if ('decimal' in type) return origin === 'line';
  if ('list' in type) return needsWork(type.list, origin);
  if ('map' in type) return needsWork(type.map.key, origin) || needsWork(type.map.value, origin);
  return type.struct.some((field) => needsWork(field.type, origin));
}

function workSql(type: ColumnType, x: string, origin: ValueOrigin, level: number): string {
  if (!needsWork(type, origin)) return x;
  if (typeof type === 'string') {
    if (type === 'JSON') return `${JSON_CANONICAL_FUNCTION}((${x})::VARCHAR)`;
    return type === 'BLOB' ? `from_base64(${x})` : `(${x})::${type}`;
  }
  if ('decimal' in type) return `(${x})::${sqlType(type)}`;
  const v = `v${level}`;
  if ('list' in type) return `list_transform(${x}, lambda ${v}: ${workSql(type.list, v, origin, level + 1)})`;
  if ('map' in type) {
    const key = workSql(type.map.key, `${v}.key`, origin, level + 1);
    const value = workSql(type.map.value, `${v}.value`, origin, level + 1);
    return `map_from_entries(list_transform(map_entries(${x}), lambda ${v}: {'key': ${key}, 'value': ${value}}))`;
  }
  const fields = type.struct.map(
    ({ name, type: nested }) =>
      `${quoteIdentifier(name)} := ${workSql(nested, `struct_extract(${x}, ${quoteString(name)})`, origin, level + 1)}`,
  );
  return `CASE WHEN (${x}) IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`;
}

/** A name for an added column that no column of the schema has (letter case does not count). */
export function freeName(schema: TableSchema, wish: string): string {
  const taken = new Set(schema.columns.map(({ name }) => name.toLowerCase()));
  let name = wish;
  while (taken.has(name)) name += '_';
  return name;
}

/** The columns of a schema by name. */
export function columnsByName(schema: TableSchema): ReadonlyMap<string, Column> {
  return new Map(schema.columns.map((column) => [column.name, column]));
}
