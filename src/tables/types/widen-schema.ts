/**
 * How a schema meets what was seen: it stays, it widens to a type that holds both exactly, or there is a conflict.
 * @module
 */
import type { Column, ColumnType, TableSchema } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { typeName } from './stored-type.ts';

/** A schema, and what to tell the person about it. */
export interface WidenedSchema {
  readonly schema: TableSchema;
  readonly notes: readonly string[];
}

/**
 * The schema of a new version: the last one's columns and types, widened where what was seen asks for it.
 * @throws HoldoutError `CONFLICT` naming the column, its old type and what was seen.
 */
export function widenSchema(previous: TableSchema, seen: TableSchema): WidenedSchema {
  const notes: string[] = [];
  const found = new Map(seen.columns.map((column) => [column.name, column]));
  const columns = previous.columns.map((column): Column => {
    const other = found.get(column.name);
    found.delete(column.name);
    if (other === undefined) {
      notes.push(`column "${column.name}" is not there any more: all null`);
      return column;
    }
    const type = widenType(column.type, other.type);
    if (type === null) {
      throw new HoldoutError(
        'CONFLICT',
        `column "${column.name}" was ${typeName(column.type)} in the last version and now holds ${typeName(other.type)}`,
        { hint: 'Mend the data, declare the types with --schema, or add it under another name.' },
      );
    }
    if (!sameType(type, column.type)) {
      notes.push(`column "${column.name}" widened from ${typeName(column.type)} to ${typeName(type)}`);
    }
    return { name: column.name, type };
  });
  for (const column of found.values()) notes.push(`new column "${column.name}" (${typeName(column.type)})`);
  return { schema: { type: 'holdout/schema@1', columns: [...columns, ...found.values()] }, notes };
}

/** Whether two types are the same. */
export function sameType(a: ColumnType, b: ColumnType): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * The type that holds values of both without changing one of them, `held` itself where it can; null where there is
 * none short of giving up the shape. That a wide integer meets a float is allowed here and checked on the values.
 */
export function widenType(held: ColumnType, seen: ColumnType): ColumnType | null {
  if (seen === 'NULL' || sameType(held, seen)) return held;
  if (held === 'NULL') return seen;
  if (held === 'JSON') return isJsonKind(seen) ? 'JSON' : null;
  if (typeof held === 'object' && typeof seen === 'object') {
    const nested = widenNested(held, seen);
    if (nested !== undefined) return nested;
  }
  // A nested value that lost its fixed shape; a scalar column is not given up for one odd value.
  if (seen === 'JSON') return typeof held === 'object' && !('decimal' in held) && isJsonKind(held) ? 'JSON' : null;
  if (held === 'VARCHAR' && seen === 'UUID') return 'VARCHAR';
  return widenNumber(held, seen) ?? widenTime(held, seen);
}

/** The schema that holds two files of one dataset, whichever came first. */
export function mergeSchemas(a: TableSchema, b: TableSchema, file: string): TableSchema {
  return unitedSchema(a, b, (name, before, now) => {
    return new HoldoutError(
      'INPUT_INVALID',
      `column "${name}" holds ${typeName(now)} here and ${typeName(before)} in the files before`,
      { file, hint: 'Files of one dataset must agree: mend one, or read them as two datasets.' },
    );
  });
}

/**
 * The schema that holds two tables: the columns of both, those of the first in front.
 * @param conflict the error for a column whose two types no type holds
 */
export function unitedSchema(
  a: TableSchema,
  b: TableSchema,
  conflict: (column: string, before: ColumnType, now: ColumnType) => HoldoutError,
): TableSchema {
  const others = new Map(b.columns.map((column) => [column.name, column]));
  const columns = a.columns.map((column): Column => {
    const other = others.get(column.name);
    others.delete(column.name);
    if (other === undefined) return column;
    const type = widenType(column.type, other.type) ?? widenType(other.type, column.type);
    if (type === null) throw conflict(column.name, column.type, other.type);
    return { name: column.name, type };
  });
  return { type: 'holdout/schema@1', columns: [...columns, ...others.values()] };
}

type Nested = Exclude<ColumnType, string>;

function widenNested(held: Nested, seen: Nested): ColumnType | null | undefined {
  if ('list' in held && 'list' in seen) {
    const item = widenType(held.list, seen.list);
    return item === null ? null : { list: item };
  }
  if ('struct' in held && 'struct' in seen) return widenStruct(held.struct, seen.struct);
  if ('map' in held && 'map' in seen) {
    const key = widenType(held.map.key, seen.map.key);
    const value = widenType(held.map.value, seen.map.value);
    return key === null || value === null ? null : { map: { key, value } };
  }
  return undefined;
}

function widenStruct(held: readonly Column[], seen: readonly Column[]): ColumnType | null {
  const others = new Map(seen.map((member) => [member.name, member]));
  const members: Column[] = [];
  for (const member of held) {
    const other = others.get(member.name);
    others.delete(member.name);
    const type = other === undefined ? member.type : widenType(member.type, other.type);
    if (type === null) return null;
    members.push({ name: member.name, type });
  }
  return { struct: [...members, ...others.values()] };
}

/** Whether all values of a type are JSON values as they stand. */
function isJsonKind(type: ColumnType): boolean {
  if (typeof type === 'string') {
    return ['NULL', 'BOOLEAN', 'VARCHAR', 'UUID', 'JSON', 'DOUBLE', 'FLOAT'].includes(type) || integerDigits(type) > 0;
  }
  if ('decimal' in type) return type.decimal[1] === 0;
  if ('list' in type) return isJsonKind(type.list);
  if ('struct' in type) return type.struct.every((member) => isJsonKind(member.type));
  return type.map.key === 'VARCHAR' && isJsonKind(type.map.value);
}

const integerTypes = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT'];
const unsignedTypes = ['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT'];

/** Digits before the point that a type may need; 0 where it is no integer or decimal. */
function integerDigits(type: ColumnType): number {
  if (typeof type === 'object') return 'decimal' in type ? type.decimal[0] - type.decimal[1] : 0;
  const digits = [3, 5, 10, 19][integerTypes.indexOf(type)] ?? [3, 5, 10, 20][unsignedTypes.indexOf(type)];
  return digits ?? 0;
}

function widenNumber(held: ColumnType, seen: ColumnType): ColumnType | null {
  if (isFloat(held) && isFloat(seen)) return 'DOUBLE';
  const [a, b] = [integerDigits(held), integerDigits(seen)];
  if (isFloat(held)) return b > 0 && typeof seen === 'string' ? 'DOUBLE' : null;
  if (isFloat(seen)) return a > 0 && typeof held === 'string' ? 'DOUBLE' : null;
  if (isDecimal(held) || isDecimal(seen)) {
    const scale = Math.max(isDecimal(held) ? held.decimal[1] : 0, isDecimal(seen) ? seen.decimal[1] : 0);
    const whole = Math.max(a, b);
    if ((a === 0 && !isDecimal(held)) || (b === 0 && !isDecimal(seen)) || whole + scale > 38) return null;
    return { decimal: [whole + scale, scale] };
  }
  if (a === 0 || b === 0) return null;
  return widenInteger(held as string, seen as string);
}

function widenInteger(held: string, seen: string): ColumnType {
  const families = [integerTypes, unsignedTypes];
  for (const family of families) {
    if (family.includes(held) && family.includes(seen)) {
      return (family.indexOf(held) >= family.indexOf(seen) ? held : seen) as ColumnType;
    }
  }
  const signed = integerTypes.includes(held) ? held : seen;
  const unsigned = signed === held ? seen : held;
  const level = Math.max(integerTypes.indexOf(signed), unsignedTypes.indexOf(unsigned) + 1);
  return (integerTypes[level] as ColumnType | undefined) ?? { decimal: [38, 0] };
}

function isFloat(type: ColumnType): boolean {
  return type === 'DOUBLE' || type === 'FLOAT';
}

function isDecimal(type: ColumnType): type is { readonly decimal: readonly [number, number] } {
  return typeof type === 'object' && 'decimal' in type;
}

function widenTime(held: ColumnType, seen: ColumnType): ColumnType | null {
  const pair = new Set([held, seen]);
  if (pair.has('TIMESTAMP') && pair.has('TIMESTAMP_NS')) return 'TIMESTAMP_NS';
  if (pair.has('TIME') && pair.has('TIME_NS')) return 'TIME_NS';
  return null;
}
