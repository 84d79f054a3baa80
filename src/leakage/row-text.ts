/**
 * The strings of a row, in the order of the schema: what the key order of a JSON line says must change no verdict.
 * @module
 */
import type { ColumnType, TableSchema } from '../../schemas/table-schema.ts';

/** A row as parsed from its JSON line. */
export type JsonRow = Readonly<Record<string, unknown>>;

/** One string of a row and the top-level column that holds it. */
export interface RowString {
  readonly column: string;
  readonly text: string;
}

const bareWords = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

/** Parses a JSON line that the reader has accepted already; Python's bare NaN and Infinity count as null. */
export function parseRow(line: string): JsonRow {
  try {
    return JSON.parse(line) as JsonRow;
  } catch {
    return JSON.parse(line.replace(bareWords, (word) => (word.startsWith('"') ? word : 'null'))) as JsonRow;
  }
}

/** All strings of a row. Keys are no text, and neither are bytes. */
export function rowStrings(row: JsonRow, schema: TableSchema): RowString[] {
  const strings: RowString[] = [];
  for (const { name, type } of schema.columns) {
    if (Object.hasOwn(row, name)) visitStrings(row[name], type, (text) => strings.push({ column: name, text }));
  }
  return strings;
}

function visitStrings(value: unknown, type: ColumnType, visit: (text: string) => void): void {
  if (typeof value === 'string') {
    if (type !== 'BLOB') visit(value);
  } else if (Array.isArray(value)) {
    const item = typeof type === 'object' && 'list' in type ? type.list : 'JSON';
    for (const element of value) visitStrings(element, item, visit);
  } else if (typeof value === 'object' && value !== null) {
    const members = value as JsonRow;
    for (const [name, memberType] of membersOf(members, type)) {
      if (Object.hasOwn(members, name)) visitStrings(members[name], memberType, visit);
    }
  }
}

function membersOf(members: JsonRow, type: ColumnType): [name: string, type: ColumnType][] {
  if (typeof type === 'object' && 'struct' in type) return type.struct.map((field) => [field.name, field.type]);
  const valueType = typeof type === 'object' && 'map' in type ? type.map.value : 'JSON';
  return Object.keys(members)
    .sort(byUtf8)
    .map((name) => [name, valueType]);
}

function byUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Whether values of a type can hold text. */
export function holdsText(type: ColumnType): boolean {
  if (typeof type === 'string') return type === 'VARCHAR' || type === 'JSON' || type === 'NULL';
  if ('list' in type) return holdsText(type.list);
  if ('struct' in type) return type.struct.some((field) => holdsText(field.type));
  if ('map' in type) return holdsText(type.map.value);
  return false;
}

/**
 * The values at a path: a column, or names joined by dots through structs; lists on the way are taken item by item.
 * A column whose own name holds the dots goes first.
 */
export function valuesAt(row: JsonRow, path: string): unknown[] {
  if (Object.hasOwn(row, path)) return [row[path]];
  let values: unknown[] = [row];
  for (const name of path.split('.')) {
    values = values.flat(Number.POSITIVE_INFINITY).flatMap((value) => {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
      return [(value as JsonRow)[name]];
    });
  }
  return values;
}

/** The texts of a value: strings, and numbers and booleans as they are written; nothing for null. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number' || typeof value === 'boolean') return [String(value)];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value === 'object' && value !== null) {
    const members = value as JsonRow;
    return Object.keys(members)
      .sort(byUtf8)
      .flatMap((name) => textsOf(members[name]));
  }
  return [];
}

/** A text that is the same for equal values, whatever the order of their members. */
export function sameText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sameText).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = value as JsonRow;
    const names = Object.keys(members).filter((name) => members[name] !== null);
    return `{${names
      .sort(byUtf8)
      .map((name) => `${JSON.stringify(name)}:${sameText(members[name])}`)
      .join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
