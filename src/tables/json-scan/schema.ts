/**
 * From what a scan saw to a table's schema. The rules, at each path, over all rows:
 *
 * | seen there (null aside) | type |
 * |---|---|
 * | nothing | NULL |
 * | booleans | BOOLEAN |
 * | integers | BIGINT; UBIGINT where some is past it and none negative; else `{decimal: [38, 0]}` |
 * | floats, or floats and integers up to ±2^53 | DOUBLE |
 * | floats and larger integers | JSON: a double would change the integers |
 * | strings | VARCHAR |
 * | lists | `{list: …}` of what their elements are |
 * | objects | `{struct: …}` with the members in the order of their first sight |
 * | objects with no member, with more than 200, with a name that is "" or holds NUL, with two names equal but for ASCII case | JSON |
 * | two of these kinds | JSON |
 * | lists inside 12 lists | JSON, as the elements of the twelfth |
 *
 * A column with more than 2,000 paths under it, or 256 KiB of names, is JSON as a whole. A type never changes a row's
 * digest: STRUCT, list and JSON forms of a value encode alike.
 * @module
 */
import { HoldoutError } from '../../errors.ts';
import { LIST_LEVELS_MAX } from '../../identity/row-encoding-sql.ts';
import type { Column, ColumnType, TableSchema } from '../../../schemas/table-schema.ts';
import { INTEGER, KIND, type Inferred, type InferredMember, type InferredSchema } from './inferred.ts';

const STRUCT_MEMBERS_MAX = 200;

/** Why a column's name cannot be, and where it was seen first. */
export interface ColumnNameFault {
  readonly says: string;
  readonly hint: string;
  readonly at: number;
}

/**
 * The schema of rows of which this was seen.
 * @throws HoldoutError INPUT_INVALID for a column name that cannot be
 */
export function toTableSchema(inferred: InferredSchema): TableSchema {
  const fault = columnNameFault(inferred);
  if (fault !== null) throw new HoldoutError('INPUT_INVALID', fault.says, { hint: fault.hint });
  return { type: 'holdout/schema@1', columns: inferred.columns.map((column) => toColumn(column, 0)) };
}

/** The type of the values seen at a path that lies inside `lists` lists and maps. */
export function toColumnType(seen: Inferred, lists: number): ColumnType {
  const kinds = seen.kinds & ~KIND.null;
  switch (kinds) {
    case 0:
      return 'NULL';
    case KIND.boolean:
      return 'BOOLEAN';
    case KIND.integer:
      return integerType(seen.integers);
    case KIND.float:
      return 'DOUBLE';
    case KIND.float | KIND.integer:
      return (seen.integers & INTEGER.big) === 0 ? 'DOUBLE' : 'JSON';
    case KIND.string:
      return 'VARCHAR';
    case KIND.list:
      if (seen.free || lists >= LIST_LEVELS_MAX) return 'JSON';
      return { list: seen.element === null ? 'NULL' : toColumnType(seen.element, lists + 1) };
    case KIND.object:
      return isStruct(seen) ? { struct: seen.members.map((member) => toColumn(member, lists)) } : 'JSON';
    default:
      return 'JSON';
  }
}

/** Whether objects seen at a path can be a struct. */
export function isStruct(seen: Inferred): boolean {
  const { members } = seen;
  if (seen.free || members.length === 0 || members.length > STRUCT_MEMBERS_MAX) return false;
  return members.every(({ name }) => isName(name)) && caseClash(members) === null;
}

/**
 * Whether rows under this schema can only be had by a reader that converts strings and checks ranges (dates, UUIDs,
 * narrow integers, decimals with a scale, maps …), since JSON has no such kinds.
 */
export function needsTypedRead(schema: TableSchema): boolean {
  return schema.columns.some((column) => isTyped(column.type));
}

/** Whether JSON has no kind for this type. */
export function isTyped(type: ColumnType): boolean {
  if (typeof type === 'string') {
    return !['NULL', 'BOOLEAN', 'BIGINT', 'UBIGINT', 'DOUBLE', 'VARCHAR', 'JSON'].includes(type);
  }
  if ('decimal' in type) return type.decimal[0] !== 38 || type.decimal[1] !== 0;
  if ('list' in type) return isTyped(type.list);
  if ('struct' in type) return type.struct.some((field) => isTyped(field.type));
  return true;
}

/** The first column whose name cannot be: empty, with NUL, or another's but for ASCII case; null when all can be. */
export function columnNameFault(inferred: InferredSchema): ColumnNameFault | null {
  for (const { name, at } of inferred.columns) {
    if (isName(name)) continue;
    const says = name === '' ? 'a column has the empty name ""' : `the column name ${JSON.stringify(name)} holds a NUL`;
    return { says, at, hint: 'Rename that key in the rows.' };
  }
  const clash = caseClash(inferred.columns);
  if (clash === null) return null;
  const [first, second] = clash;
  return {
    says: `the columns ${JSON.stringify(first.name)} and ${JSON.stringify(second.name)} differ only in case`,
    at: second.at,
    hint: 'Most tools take them for one column: rename one of the two keys.',
  };
}

/** Lower case for ASCII letters alone: `É` and `é` are different names. */
export function foldAscii(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function isName(name: string): boolean {
  return name !== '' && !name.includes('\0');
}

function caseClash(members: readonly InferredMember[]): readonly [InferredMember, InferredMember] | null {
  const byFold = new Map<string, InferredMember>();
  for (const member of members) {
    const fold = foldAscii(member.name);
    const other = byFold.get(fold);
    if (other !== undefined) return [other, member];
    byFold.set(fold, member);
  }
  return null;
}

function toColumn(member: InferredMember, lists: number): Column {
  return { name: member.name, type: toColumnType(member.seen, lists) };
}

/** The narrowest of the three integer types that holds all integers with these flags. */
export function integerType(integers: number): ColumnType {
  if ((integers & INTEGER.wide) !== 0) return { decimal: [38, 0] };
  if ((integers & INTEGER.unsigned) === 0) return 'BIGINT';
  return (integers & INTEGER.negative) === 0 ? 'UBIGINT' : { decimal: [38, 0] };
}
