/**
 * Which new row of a module holds a value that the column of the rows beside it does not take.
 * @module
 */
import type { ColumnType, TableSchema } from '../../schemas/table-schema.ts';
import { isIntegerType } from '../tables/sql-types.ts';
import { typeName } from '../tables/types/stored-type.ts';
import { fileLines } from './file-lines.ts';
import { readRow } from './row-json.ts';

/** A value of another kind than its column has. */
export interface NewRowConflict {
  /** Number of the new row, from 0. */
  readonly row: number;
  /** `column "x" holds a number here and text`. */
  readonly says: string;
}

type Kind = 'text' | 'a number' | 'a truth value' | 'a list' | 'an object';

/** The first such row of a file of lines; null where every value is of the kind of its column. */
export async function firstConflict(path: string, { columns }: TableSchema): Promise<NewRowConflict | null> {
  const kinds = columns.flatMap(({ name, type }) => {
    const kind = kindOfType(type);
    return kind === null ? [] : [{ name, type, kind }];
  });
  let row = 0;
  for await (const line of fileLines(path)) {
    const values = readRow(line);
    for (const { name, type, kind } of kinds) {
      const found = kindOfValue(values[name]);
      if (found === null || found === kind) continue;
      return { row, says: `column "${name}" holds ${found} in the new row, and ${typeName(type)} in` };
    }
    row += 1;
  }
  return null;
}

/** Null for a type that takes values of several kinds. */
function kindOfType(type: ColumnType): Kind | null {
  if (typeof type === 'object') {
    if ('decimal' in type) return null;
    return 'list' in type ? 'a list' : 'struct' in type ? 'an object' : null;
  }
  if (type === 'NULL' || type === 'JSON') return null;
  if (type === 'BOOLEAN') return 'a truth value';
  return isIntegerType(type) || type === 'FLOAT' || type === 'DOUBLE' ? 'a number' : 'text';
}

function kindOfValue(value: unknown): Kind | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'a truth value';
  return typeof value === 'object' ? 'an object' : 'a number';
}
