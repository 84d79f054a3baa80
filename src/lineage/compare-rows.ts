/**
 * Which columns of new rows hold, in every row, the value of the input row that it was made of. Both are read once, in
 * the order of the new rows, and compared member by member.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { LineBlock } from '../tables/line-blocks.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { unchangedColumns } from './new-rows.ts';
import { isSameValue, lineMembers } from './line-members.ts';

/** New rows beside the rows that they were made of, as many and in their order. */
export interface ComparedRows {
  readonly madeOf: Pick<TableReader, 'schema' | 'jsonLines'>;
  readonly added: Pick<TableReader, 'jsonLines'>;
  /** Of the output: a column counts only where its type is what it was. */
  readonly schema: TableSchema;
}

/**
 * The columns, as `AssembledTable.unchanged` has them.
 * @throws RangeError where the two are not as many rows; HoldoutError as reading them does
 */
export async function sameColumns({ madeOf, added, schema }: ComparedRows): Promise<ReadonlyMap<string, string>> {
  const names = madeOf.schema.columns.map(({ name }): [string, string] => [name, name]);
  const same = new Set(unchangedColumns(madeOf.schema, schema, new Map(names)).keys());
  const before = madeOf.jsonLines({ canonical: true })[Symbol.asyncIterator]();
  try {
    let [lines, next]: [readonly string[], number] = [[], 0];
    for await (const block of added.jsonLines()) {
      for (const line of linesOf(block)) {
        if (same.size === 0) return new Map();
        while (next === lines.length) {
          const given = await before.next();
          if (given.done === true) throw new RangeError('"madeOf" expected a row for each new row');
          [lines, next] = [linesOf(given.value), 0];
        }
        const given = lines[next++]!;
        if (given === line) continue;
        const [had, has] = [lineMembers(given), lineMembers(line)];
        for (const name of same) if (!isSameValue(had.get(name), has.get(name))) same.delete(name);
      }
    }
  } finally {
    await before.return?.(undefined);
  }
  return new Map([...same].map((name) => [name, name]));
}

function linesOf({ bytes }: LineBlock): readonly string[] {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString().split('\n').slice(0, -1);
}
