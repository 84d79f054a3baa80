/**
 * Values of types that JSON lacks, read from JSON text: the one spelling that each type may have, checked on every
 * value before anything is converted. Expressions come in pairs: whether a value is not written as its type, and the
 * value itself.
 * @module
 */
import type { ColumnType, ScalarType } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { quoteIdentifier, quoteString } from '../../identity/sql-text.ts';
import { INTEGER, KIND } from '../json-scan/inferred.ts';
import type { Inferred } from '../json-scan/inferred.ts';
import { isIntegerType, sqlType } from '../sql-types.ts';
import { typeName } from '../types/stored-type.ts';

const date = String.raw`\d{4}-\d{2}-\d{2}`;
const clock = (digits: number): string => String.raw`\d{2}:\d{2}:\d{2}(?:\.\d{1,${digits}})?`;
const base64 = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?';
const hex = (digits: number): string => `[0-9A-Fa-f]{${digits}}`;

/** How each scalar type is spelled in a JSON string. */
const spellings: Readonly<Record<string, string>> = {
  DATE: date,
  TIME: clock(6),
  TIME_NS: clock(9),
  TIMESTAMP: `${date}[T ]${clock(6)}`,
  TIMESTAMP_NS: `${date}[T ]${clock(9)}`,
  TIMESTAMPTZ: String.raw`${date}[T ]${clock(6)}(?:Z|[+-]\d{2}(?::?\d{2})?)`,
  UUID: [8, 4, 4, 4, 12].map(hex).join('-'),
  BLOB: base64,
};

/** The type under which `from_json` hands a value over unchanged, as its structure argument. */
export function rawStructure(type: ColumnType): unknown {
  if (typeof type === 'object') {
    if ('decimal' in type) return type.decimal[1] === 0 ? 'HUGEINT' : 'VARCHAR';
    if ('list' in type) return [rawStructure(type.list)];
    if ('map' in type) return `MAP(VARCHAR, ${rawTypeSql(type.map.value)})`;
    return Object.fromEntries(type.struct.map((member) => [member.name, rawStructure(member.type)]));
  }
  return rawScalar(type);
}

function rawTypeSql(type: ColumnType): string {
  if (typeof type === 'string') return rawScalar(type);
  if ('decimal' in type) return type.decimal[1] === 0 ? 'HUGEINT' : 'VARCHAR';
  if ('list' in type) return `${rawTypeSql(type.list)}[]`;
  if ('map' in type) return `MAP(VARCHAR, ${rawTypeSql(type.map.value)})`;
  return `STRUCT(${type.struct.map((member) => `${quoteIdentifier(member.name)} ${rawTypeSql(member.type)}`).join(', ')})`;
}

function rawScalar(type: ScalarType): string {
  if (type === 'NULL' || type in spellings) return 'VARCHAR';
  if (type === 'FLOAT') return 'DOUBLE';
  return isIntegerType(type) ? 'HUGEINT' : type;
}

/**
 * Refuses JSON kinds that no value of a type may have: SQL would convert them without a word.
 * @throws HoldoutError `CONFLICT` naming the column.
 */
export function checkKinds(type: ColumnType, seen: Inferred, path: string): void {
  const kinds = seen.kinds & ~KIND.null;
  if (kinds === 0 || type === 'JSON') return;
  if ((kinds & ~allowedKinds(type)) !== 0 || (isFloat(type) && (seen.integers & INTEGER.big) !== 0)) {
    throw new HoldoutError('CONFLICT', `column "${path}" is declared ${typeName(type)} and holds other values`, {
      hint: 'Dates, times, UUIDs and bytes (base64) are JSON strings; whole numbers have no fraction.',
    });
  }
  if (typeof type === 'string' || 'decimal' in type) return;
  if ('list' in type && seen.element !== null) checkKinds(type.list, seen.element, `${path}[]`);
  if ('map' in type) {
    if (type.map.key !== 'VARCHAR') {
      throw new HoldoutError(
        'CONFLICT',
        `column "${path}" is a map keyed by ${typeName(type.map.key)}, which JSON has not`,
      );
    }
    for (const member of seen.members) checkKinds(type.map.value, member.seen, `${path}.${member.name}`);
    if (seen.free) throw tooFree(path);
  }
  if ('struct' in type) {
    if (seen.free) throw tooFree(path);
    const members = new Map(type.struct.map((member) => [member.name, member.type]));
    for (const member of seen.members) {
      const inner = members.get(member.name);
      if (inner === undefined) {
        throw new HoldoutError('CONFLICT', `"${path}.${member.name}" is not declared in ${typeName(type)}`);
      }
      checkKinds(inner, member.seen, `${path}.${member.name}`);
    }
  }
}

function tooFree(path: string): HoldoutError {
  return new HoldoutError('CONFLICT', `column "${path}" has too many different members to hold them against a type`);
}

function allowedKinds(type: ColumnType): number {
  if (typeof type === 'object') {
    if ('decimal' in type) return type.decimal[1] === 0 ? KIND.integer : KIND.integer | KIND.float | KIND.string;
    return 'list' in type ? KIND.list : KIND.object;
  }
  if (type === 'NULL') return 0;
  if (type === 'BOOLEAN') return KIND.boolean;
  if (isFloat(type)) return KIND.integer | KIND.float;
  return isIntegerType(type) ? KIND.integer : KIND.string;
}

function isFloat(type: ColumnType): boolean {
  return type === 'FLOAT' || type === 'DOUBLE';
}

/** BOOLEAN (never NULL): whether a raw value is not written as its type, or does not fit it. */
export function misfitSql(type: ColumnType, x: string, level = 0): string {
  const item = `v${level}`;
  if (typeof type === 'object' && !('decimal' in type)) {
    if ('list' in type) {
      return `coalesce(list_bool_or(list_transform(${x}, lambda ${item}: ${misfitSql(type.list, item, level + 1)})), false)`;
    }
    if ('map' in type) {
      const inner = misfitSql(type.map.value, item, level + 1);
      return `coalesce(list_bool_or(list_transform(map_values(${x}), lambda ${item}: ${inner})), false)`;
    }
    const tests = type.struct.map((member) =>
      misfitSql(member.type, `struct_extract(${x}, ${quoteString(member.name)})`, level + 1),
    );
    return `(${tests.join(' OR ')})`;
  }
  const fits = fitsSql(type, x);
  return fits === null ? 'false' : `(${x} IS NOT NULL AND NOT coalesce(${fits}, false))`;
}

/** Whether a scalar fits; null where the scan has seen to it. */
function fitsSql(type: ColumnType, x: string): string | null {
  if (typeof type === 'object' && 'decimal' in type) {
    const [precision, scale] = type.decimal;
    const cast = `TRY_CAST(${x} AS ${sqlType(type)}) IS NOT NULL`;
    if (scale === 0) return cast;
    const whole = precision - scale;
    const spelling = String.raw`-?0*\d{0,${whole}}(?:\.\d{0,${scale}}0*)?`;
    return `regexp_full_match(${x}, ${quoteString(spelling)}) AND regexp_matches(${x}, '[0-9]') AND ${cast}`;
  }
  if (typeof type !== 'string') return null;
  const spelling = spellings[type];
  if (spelling !== undefined) {
    const match = `regexp_full_match(${x}, ${quoteString(spelling)})`;
    return type === 'BLOB' ? match : `${match} AND TRY_CAST(${x} AS ${type}) IS NOT NULL`;
  }
  if (type === 'FLOAT') return `isnan(${x}) OR (${x}::FLOAT)::DOUBLE = ${x}`;
  return isIntegerType(type) ? `TRY_CAST(${x} AS ${type}) IS NOT NULL` : null;
}

/** The value of a raw value that fits. */
export function valueSql(type: ColumnType, x: string, level = 0): string {
  return `(${convertSql(type, x, level)})::${sqlType(type)}`;
}

function convertSql(type: ColumnType, x: string, level: number): string {
  const item = `v${level}`;
  if (type === 'BLOB') return `from_base64(${x})`;
  if (typeof type !== 'object' || 'decimal' in type) return x;
  if ('list' in type) return `list_transform(${x}, lambda ${item}: ${valueSql(type.list, item, level + 1)})`;
  if ('map' in type) {
    const value = valueSql(type.map.value, `${item}.value`, level + 1);
    return `map_from_entries(list_transform(map_entries(${x}), lambda ${item}: struct_pack(k := ${item}.key, v := ${value})))`;
  }
  const members = type.struct.map(
    (member) =>
      `${quoteIdentifier(member.name)} := ${valueSql(member.type, `struct_extract(${x}, ${quoteString(member.name)})`, level + 1)}`,
  );
  return `CASE WHEN ${x} IS NULL THEN NULL ELSE struct_pack(${members.join(', ')}) END`;
}
