/**
 * Rows made of the elements of a list that an expression gives for each row of the input.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { RowBlock } from '../tables/table-reader.ts';
import { type BlockRowsContext, rowsOfBlocks } from './block-rows.ts';
import type { AssembledTable } from './step-output.ts';

/** How rows become rows. */
export interface Explosion {
  /** Columns of the output. */
  readonly schema: TableSchema;
  /** The rows of a block, in order, with what `list` and `values` name; by default the block as it stands. */
  readonly source?: (block: RowBlock) => Promise<string>;
  /** An expression over a row: its elements, never null. */
  readonly list: string;
  /** The column, quoted, that holds an element. */
  readonly item: string;
  /** For each column of the output an expression over the row and the element. */
  readonly values: readonly string[];
  /** An expression over a row, BOOLEAN and never null, of which `onRow` is told; true by default. */
  readonly holds?: string;
  /** Told the number of elements of each row, in order; may refuse it. */
  readonly onRow?: (position: number, elements: number, holds: boolean) => void;
}

/**
 * A table of the rows that are made, in the order of the input and of the elements; none of the input's stays.
 * @param reason of rows of the input that gave none: the name of their count
 * @throws HoldoutError as the engine does; whatever `onRow` throws
 */
export async function explodeRows(
  context: BlockRowsContext,
  reason: string,
  explosion: Explosion,
): Promise<AssembledTable> {
  const { input, engine } = context;
  const { schema, list, item, values, onRow, holds = 'true' } = explosion;
  const counts = new Uint32Array(input.rows);
  const query = async (block: RowBlock): Promise<string> => {
    const source = (await explosion.source?.(block)) ?? block.sql;
    let position = block.firstRow;
    await engine.stream(`SELECT len(${list})::INTEGER, ${holds} FROM (${source})`, block.rows, (chunk) => {
      for (let row = 0; row < chunk.rows; row++, position++) {
        const count = Number(chunk.value(0, row));
        onRow?.(position, count, chunk.value(1, row) === true);
        counts[position] = count;
      }
    });
    return `SELECT ${values.join(', ')} FROM (SELECT *, unnest(${list}) AS ${item} FROM (${source}))`;
  };
  // Rows are numbered within a block by a source of its own only.
  const added = await rowsOfBlocks(context, schema, query, { streamed: explosion.source === undefined });
  const madeOf = new Uint32Array(added.rows);
  const without = new Uint8Array(input.rows);
  let [at, withoutCount] = [0, 0];
  for (let row = 0; row < counts.length; row++) {
    const count = counts[row]!;
    madeOf.fill(row, at, at + count);
    at += count;
    if (count > 0) continue;
    without[row] = 1;
    withoutCount += 1;
  }
  if (at !== added.rows) throw new RangeError(`${added.rows} rows were made where ${at} were counted`);
  const rows = new Uint32Array(added.rows);
  for (let row = 0; row < rows.length; row++) rows[row] = input.rows + row;
  const dropped = { names: [reason], of: without };
  return { kind: 'table', schema, rows, added, madeOf, counts: { [reason]: withoutCount }, dropped };
}
