/**
 * Rows of two tables that are one row before and after a change: those that one key names, where it stands once in each.
 * Keys are compared by their digests, in typed arrays: a step over all rows of a table changes each of them.
 * @module
 */
import type { Column } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { rowDigestSql } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { DigestSlots } from '../merkle/digest-slots.ts';
import { withRows } from '../tables/rows-at.ts';
import { columnsByName, freeName } from '../tables/sql-types.ts';
import type { TableReader } from '../tables/table-reader.ts';

/** Some rows of a table. */
export interface RowsOfTable {
  readonly reader: TableReader;
  /** Positions, ascending. */
  readonly rows: Uint32Array;
}

/** No partner. */
export const unpaired = 0xffffffff;

/** Rows are picked up to this many; of more the keys of the whole table are read. */
const pickedRowsMax = 1 << 16;
/** The first 128 bits of a SHA-256: no two keys share them by chance. */
const keyBytes = 16;

/**
 * For each row of `after` the row of `before` under the same key, or `unpaired`. Rows without a key have no partner, nor
 * have those of a key that stands in either list twice. Takes 28 to 36 bytes a row of `before` and 4 a row of `after`.
 * @throws HoldoutError as the engine does
 */
export async function pairRows(
  engine: Engine,
  before: RowsOfTable,
  after: RowsOfTable,
  key: readonly Column[],
): Promise<Uint32Array> {
  const partners = new Uint32Array(after.rows.length).fill(unpaired);
  if (key.length === 0 || before.rows.length === 0 || after.rows.length === 0) return partners;
  const keys = Buffer.alloc(before.rows.length * keyBytes);
  const slots = new DigestSlots(keys, keyBytes);
  /** For each key, by the first row that has it: how often it was seen in `before`, and the row of `after`. */
  const seen = new Uint8Array(before.rows.length);
  const partner = new Uint32Array(before.rows.length).fill(unpaired);
  await eachKey(engine, before, key, (digest, index) => {
    const slot = slots.find(digest, 0);
    const taken = slots.taken[slot]!;
    const first = taken === 0 ? index : taken - 1;
    seen[first] = Math.min(2, seen[first]! + 1);
    if (first !== index) return;
    slots.taken[slot] = index + 1;
    digest.copy(keys, index * keyBytes, 0, keyBytes);
  });
  await eachKey(engine, after, key, (digest, index) => {
    const first = slots.taken[slots.find(digest, 0)]! - 1;
    if (first < 0 || seen[first] !== 1) return;
    if (partner[first] === unpaired) partner[first] = index;
    else seen[first] = 2;
  });
  for (const [first, index] of partner.entries()) {
    if (index !== unpaired && seen[first] === 1) partners[index] = before.rows[first]!;
  }
  return partners;
}

/** Visits the rows that have a key, in no order; `index` is the place in `rows`. */
async function eachKey(
  engine: Engine,
  { reader, rows }: RowsOfTable,
  key: readonly Column[],
  visit: (digest: Buffer, index: number) => void,
): Promise<void> {
  // Each table's own types: an id that became text is another id.
  const types = columnsByName(reader.schema);
  const columns = key.map(({ name }) => types.get(name)!);
  const filled = columns.map(({ name }) => `${quoteIdentifier(name)} IS NOT NULL`).join(' AND ');
  const digest = `CASE WHEN ${filled} THEN ${rowDigestSql({ type: 'holdout/schema@1', columns })} END`;
  // Streamed: the engine would hold the digests of all rows.
  const read = async (sql: string, position: string, rowsRead: number): Promise<void> => {
    await engine.stream(`SELECT ${digest}, ${quoteIdentifier(position)} FROM (${sql})`, rowsRead, (chunk) => {
      for (let i = 0; i < chunk.rows; i++) {
        const bytes = chunk.bytes(0, i);
        const index = bytes === null ? null : indexOf(rows, Number(chunk.value(1, i)), reader.rows);
        if (bytes === null || index === null) continue;
        visit(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), index);
      }
    });
  };
  if (rows.length <= pickedRowsMax) {
    return withRows(reader, [...rows], (sql, position) => read(sql, position, rows.length));
  }
  const position = freeName(reader.schema, 'holdout_position');
  return read(reader.relationSql({ position, columns: columns.map(({ name }) => name) }), position, reader.rows);
}

/** Where a row stands in a list that ascends. */
function indexOf(rows: Uint32Array, row: number, tableRows: number): number | null {
  if (rows.length === tableRows) return row;
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]! < row) low = middle + 1;
    else high = middle;
  }
  return rows[low] === row ? low : null;
}
