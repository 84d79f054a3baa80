/**
 * How deep lists and maps may stand inside each other in a column's type. What lies deeper is JSON, which changes no
 * digest, where JSON has all its kinds.
 * @module
 */
import type { ColumnType, TableSchema } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { LIST_LEVELS_MAX } from '../../identity/row-encoding-sql.ts';

/**
 * The type of a list or map that stands inside `lists` others: itself, or JSON where it stands too deep.
 * @throws HoldoutError `LIMIT` where it stands too deep and JSON would not hold its values exactly.
 */
export function withinListLevels(type: ColumnType, lists: number, path: string): ColumnType {
  if (lists < LIST_LEVELS_MAX) return type;
  if (isExactAsJson(type)) return 'JSON';
  throw new HoldoutError(
    'LIMIT',
    `column "${path}" nests lists or maps deeper than ${LIST_LEVELS_MAX} levels, around values that JSON has no kind for`,
    { hint: 'Nest it less deep, or store the inner values as text.' },
  );
}

/**
 * Refuses a declared schema whose types nest too deep.
 * @throws HoldoutError `LIMIT`
 */
export function refuseDeepLists(schema: TableSchema): void {
  for (const { name, type } of schema.columns) {
    if (listLevels(type) <= LIST_LEVELS_MAX) continue;
    throw new HoldoutError(
      'LIMIT',
      `the declared type of column "${name}" nests lists or maps deeper than ${LIST_LEVELS_MAX} levels`,
      { hint: 'Declare what lies deeper as JSON: the rows have the same ids.' },
    );
  }
}

function listLevels(type: ColumnType): number {
  if (typeof type === 'string' || 'decimal' in type) return 0;
  if ('list' in type) return 1 + listLevels(type.list);
  if ('map' in type) return 1 + Math.max(listLevels(type.map.key), listLevels(type.map.value));
  return Math.max(0, ...type.struct.map((member) => listLevels(member.type)));
}

function isExactAsJson(type: ColumnType): boolean {
  if (typeof type === 'string') return exactScalars.has(type);
  if ('decimal' in type) return false;
  if ('list' in type) return isExactAsJson(type.list);
  if ('map' in type) return type.map.key === 'VARCHAR' && isExactAsJson(type.map.value);
  return type.struct.every((member) => isExactAsJson(member.type));
}

const exactScalars: ReadonlySet<string> = new Set(
  'NULL BOOLEAN TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER UBIGINT DOUBLE VARCHAR UUID JSON'.split(
    ' ',
  ),
);
