/**
 * Which new row of a module holds a value that the column of the rows beside it does not take.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import { kindOfType, kindOfValue } from '../tables/value-kinds.ts';
import { typeName } from '../tables/types/stored-type.ts';
import { fileLines } from '../tables/text-lines.ts';
import { readRow } from './row-json.ts';

/** A value of another kind than its column has. */
export interface NewRowConflict {
  /** Number of the new row, from 0. */
  readonly row: number;
  /** `column "x" holds a number here and text`. */
  readonly says: string;
}

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
