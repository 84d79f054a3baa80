/**
 * A later version of a dataset keeps its schema. Where the new rows do not fit it, it is widened, and what changed is
 * said; where no wider type holds both exactly, the rows are refused.
 * @module
 */
import { HoldoutError } from '../../errors.ts';
import type { Column, ColumnType, TableSchema } from '../../../schemas/table-schema.ts';
import { INTEGER, KIND, type Inferred, type InferredMember, type InferredSchema } from './inferred.ts';
import { columnNameFault, foldAscii, integerType, isStruct, isTyped, toColumnType } from './schema.ts';

/** A schema that holds the new rows, and what had to change, in words. */
export interface Widened {
  readonly schema: TableSchema;
  readonly changes: readonly string[];
}

/**
 * The declared schema, widened to hold rows of which this was seen: new columns and members are appended, NULL becomes
 * anything, BIGINT a wider integer or (integers up to ±2^53) DOUBLE, a struct of too many members JSON.
 * Types that JSON has no kind for are kept: their reader checks the values (`needsTypedRead`).
 * @throws HoldoutError CONFLICT where a column's values fit neither its type nor a wider one; INPUT_INVALID for a
 *   column name that cannot be
 */
export function widen(declared: TableSchema, inferred: InferredSchema): Widened {
  const fault = columnNameFault(inferred);
  if (fault !== null) throw new HoldoutError('INPUT_INVALID', fault.says, { hint: fault.hint });
  const changes: string[] = [];
  const columns = widenMembers(declared.columns, inferred.columns, [], 0, changes);
  return { schema: { type: 'holdout/schema@1', columns }, changes };
}

/** Whether the rows fit the declared schema as it is. */
export function conformsTo(inferred: InferredSchema, declared: TableSchema): boolean {
  try {
    return widen(declared, inferred).changes.length === 0;
  } catch (error) {
    if (error instanceof HoldoutError) return false;
    throw error;
  }
}

function widenMembers(
  declared: readonly Column[],
  seen: readonly InferredMember[],
  path: readonly string[],
  lists: number,
  changes: string[],
): readonly Column[] {
  const byName = new Map(seen.map((member) => [member.name, member.seen]));
  const columns = declared.map(({ name, type }): Column => {
    const found = byName.get(name);
    byName.delete(name);
    if (found === undefined) return { name, type };
    return { name, type: widenType(type, found, [...path, name], lists, changes) };
  });
  const folds = new Map(declared.map(({ name }) => [foldAscii(name), name]));
  for (const [name, found] of byName) {
    const clash = folds.get(foldAscii(name));
    if (clash !== undefined) {
      throw new HoldoutError('CONFLICT', `${shown([...path, name])} is new and differs only in case from "${clash}"`, {
        hint: 'Rename that key in the rows.',
      });
    }
    const type = toColumnType(found, lists);
    changes.push(`${shown([...path, name])} is new: ${typeName(type)}`);
    columns.push({ name, type });
  }
  return columns;
}

function widenType(
  type: ColumnType,
  seen: Inferred,
  path: readonly string[],
  lists: number,
  changes: string[],
): ColumnType {
  const kinds = seen.kinds & ~KIND.null;
  if (kinds === 0 || type === 'JSON') return type;
  const change = (to: ColumnType): ColumnType => {
    if (typeName(to) !== typeName(type)) changes.push(`${shown(path)}: ${typeName(type)} becomes ${typeName(to)}`);
    return to;
  };
  if (type === 'NULL') return change(toColumnType(seen, lists));
  if (typeof type === 'object' && 'list' in type && kinds === KIND.list && !seen.free) {
    if (seen.element === null) return type;
    return { list: widenType(type.list, seen.element, [...path, '[]'], lists + 1, changes) };
  }
  if (typeof type === 'object' && 'struct' in type && kinds === KIND.object) {
    if (seen.members.length === 0 && !seen.free) return type;
    if (!isStruct(seen) || structClashes(type.struct, seen.members)) return change('JSON');
    return { struct: widenMembers(type.struct, seen.members, path, lists, changes) };
  }
  if (isTyped(type)) return type;
  const wider = widenScalar(type, kinds, seen);
  if (wider !== null) return change(wider);
  throw new HoldoutError(
    'CONFLICT',
    `column ${shown(path)} is ${typeName(type)} in the last version and holds ${kindNames(seen)} here`,
    { hint: 'Write the values as before, give the column another name, or add the file under another dataset name.' },
  );
}

/** A type that holds the old values and the new ones exactly; null when there is none. */
function widenScalar(type: ColumnType, kinds: number, seen: Inferred): ColumnType | null {
  if (type === 'BOOLEAN') return kinds === KIND.boolean ? type : null;
  if (type === 'VARCHAR') return kinds === KIND.string ? type : null;
  const numbers = KIND.integer | KIND.float;
  if ((kinds & ~numbers) !== 0) return null;
  const exact = (seen.integers & INTEGER.big) === 0;
  if (type === 'DOUBLE') return exact ? type : null;
  if ((kinds & KIND.float) !== 0) return type === 'BIGINT' && exact ? 'DOUBLE' : null;
  const needed = integerType(seen.integers);
  if (type === 'BIGINT') return needed === 'BIGINT' ? type : { decimal: [38, 0] };
  if (type === 'UBIGINT') {
    return (seen.integers & (INTEGER.negative | INTEGER.wide)) === 0 ? type : { decimal: [38, 0] };
  }
  // What is left of the types that JSON has a kind for: {decimal: [38, 0]}, a list, a struct.
  return typeof type === 'object' && 'decimal' in type ? type : null;
}

function structClashes(declared: readonly Column[], seen: readonly InferredMember[]): boolean {
  const known = new Map(declared.map(({ name }) => [foldAscii(name), name]));
  return seen.some(({ name }) => (known.get(foldAscii(name)) ?? name) !== name);
}

function shown(path: readonly string[]): string {
  return `"${path.join('.').replaceAll('.[]', '[]')}"`;
}

function typeName(type: ColumnType): string {
  if (typeof type === 'string') return type;
  if ('decimal' in type) return `DECIMAL(${type.decimal.join(',')})`;
  if ('list' in type) return `${typeName(type.list)}[]`;
  if ('map' in type) return `MAP(${typeName(type.map.key)}, ${typeName(type.map.value)})`;
  return `STRUCT(${type.struct.map((field) => `${field.name} ${typeName(field.type)}`).join(', ')})`;
}

function kindNames(seen: Inferred): string {
  const names: string[] = [];
  if ((seen.kinds & KIND.boolean) !== 0) names.push('booleans');
  if ((seen.kinds & KIND.integer) !== 0) {
    names.push((seen.integers & INTEGER.big) === 0 ? 'integers' : 'integers past ±2^53');
  }
  if ((seen.kinds & KIND.float) !== 0) names.push('fractions');
  if ((seen.kinds & KIND.string) !== 0) names.push('strings');
  if ((seen.kinds & KIND.list) !== 0) names.push('lists');
  if ((seen.kinds & KIND.object) !== 0) names.push('objects');
  return names.join(' and ');
}
