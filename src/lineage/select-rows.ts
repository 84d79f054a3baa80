/**
 * Identity of a selection from the digests of its input: no row is read or hashed again.
 * @module
 */
import type { SetRoot, TableId } from '../../schemas/ids.ts';
import { formatSetRoot, formatTableId } from '../identity/ids.ts';
import { digestsAt } from '../merkle/digests-at.ts';
import { setTree } from '../merkle/set-tree.ts';
import { DIGEST_BYTES, TableTreeBuilder } from '../merkle/table-tree.ts';
import type { Keep } from './step-output.ts';

/** Ids of a table by its row digests. */
export interface TableIdentity {
  readonly table: TableId;
  readonly setRoot: SetRoot;
  readonly rows: number;
}

/** Digests of the rows that stay, in their new order. @throws RangeError for a row that is not there. */
export function gatherDigests(digests: Uint8Array, keep: Keep): Uint8Array {
  return digestsAt(digests, keptPositions(keep, digests.length / DIGEST_BYTES));
}

/** Positions of the rows that stay, of a table of so many rows. @throws RangeError for a bitmap of another length */
export function keptPositions(keep: Keep, rows: number): Uint32Array {
  return keep instanceof Uint32Array ? keep : positionsOf(keep.bitmap, rows);
}

function positionsOf(bitmap: Uint8Array, rows: number): Uint32Array {
  if (bitmap.length !== Math.ceil(rows / 8)) {
    throw new RangeError(`"bitmap" of ${bitmap.length} bytes does not fit a table of ${rows} rows`);
  }
  const positions = new Uint32Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    if ((((bitmap[row >>> 3] ?? 0) >>> (row & 7)) & 1) === 1) positions[count++] = row;
  }
  return positions.subarray(0, count);
}

/** Whether every row stays, each once, in whatever order. */
export function isPermutation(keep: Keep, rows: number): boolean {
  if (!(keep instanceof Uint32Array) || keep.length !== rows) return false;
  const seen = new Uint8Array(rows);
  for (const position of keep) seen[position] = 1;
  return !seen.includes(0);
}

/**
 * Table id and set root of digests in row order.
 * @param setRoot where it is known: it does not hang on the order
 */
export function identifyDigests(digests: Uint8Array, setRoot?: SetRoot): TableIdentity {
  const builder = new TableTreeBuilder();
  builder.push(digests);
  const { rows, root } = builder.finish();
  return { table: formatTableId(rows, root), setRoot: setRoot ?? formatSetRoot(rows, setTree(digests).root), rows };
}
