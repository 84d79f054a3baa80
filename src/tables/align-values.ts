/**
 * Values in the order of a table, written in the order of a part beside which they are to lie. Where the table uses the
 * part from its first row to its last, that is a stretch of the values; else the part's rows are filled a window at a
 * time, those that the table does not use with nulls, which take next to no bytes.
 * @module
 */
import type { Column } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { Store } from '../store/store.ts';
import type { PartRows, RowsOfPart } from './layout.ts';
import { copyInGroups } from './copy-parquet.ts';
import { ParquetPieces } from './parquet-pieces.ts';
import { groupRowsOf } from './part-file.ts';
import type { PartFile } from './part-file.ts';
import { writeParquet } from './read/typed-body.ts';
import { fileRowsSql } from './row-file.ts';
import { freeName } from './sql-types.ts';

const windowBytesMax = 64 << 20;
/** Of long rows fewer come to those bytes; each window reads the values anew where they are strewn. */
const windowRowsMin = 64;
const windowRowsMax = 1 << 20;
const sources = 'holdout_value_rows';

/**
 * Writes a Parquet file with a row for each of the part's rows and columns `c0`, `c1` …: those of `values`, whose rows
 * stand in the order of the table.
 */
export async function alignValues(
  store: Store,
  engine: Engine,
  values: PartFile,
  { part, rows, positions }: RowsOfPart<PartRows>,
): Promise<string> {
  const target = await store.tempPath('.parquet');
  const { columns } = values.schema;
  const schema = values.schema;
  const select = columns.map(({ name }, index) => `v.${quoteIdentifier(name)} AS c${index}`).join(', ');
  const first = positions[0] ?? 0;
  const perRow = Math.max(1, values.logicalBytes / values.rows);
  const groupRows = groupRowsOf(perRow);
  if (rows.length === part.rows && isAscending(rows) && isAscending(positions)) {
    const between = { first, last: first + rows.length - 1 };
    const given = fileRowsSql(engine, values, schema, rowNameOf(columns), between);
    await writeParquet(engine, `SELECT ${select} FROM (${given}) AS v`, target, groupRows);
    return target;
  }
  // Uses by row of the part, so that each window knows its own.
  const order = Uint32Array.from(rows, (_row, index) => index).sort((a, b) => rows[a]! - rows[b]!);
  const windowRows = Math.min(windowRowsMax, Math.max(windowRowsMin, Math.floor(windowBytesMax / perRow)));
  const pieces = new ParquetPieces();
  try {
    let next = 0;
    for (let start = 0; start < part.rows; start += windowRows) {
      const end = Math.min(part.rows, start + windowRows);
      const begin = next;
      while (next < order.length && rows[order[next]!]! < end) next++;
      const used = order.subarray(begin, next);
      const piece = pieces.add(await store.tempPath('.parquet'));
      const sql = await windowSql(engine, values, { rows, positions, used, start, end });
      await copyInGroups(engine, sql, piece, pieceFormat, groupRows);
    }
    await writeParquet(engine, pieces.sql(engine), target, groupRows);
    return target;
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${sources}`);
    await pieces.remove();
  }
}

const pieceFormat = 'FORMAT parquet, PARQUET_VERSION v1, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 1';

interface Window {
  readonly rows: Uint32Array;
  readonly positions: Uint32Array;
  /** Indices into both, of the uses in this window. */
  readonly used: Uint32Array;
  readonly start: number;
  readonly end: number;
}

/** A query for the rows `start` … `end - 1` of the part in order. */
async function windowSql(
  engine: Engine,
  values: PartFile,
  { rows, positions, used, start, end }: Window,
): Promise<string> {
  let least = Infinity;
  let most = -1;
  for (const index of used) {
    least = Math.min(least, positions[index]!);
    most = Math.max(most, positions[index]!);
  }
  await engine.registerTable(sources, [
    { name: 'source', type: 'BIGINT', values: BigInt64Array.from(used, (index) => BigInt(positions[index]!)) },
    { name: 'target', type: 'BIGINT', values: BigInt64Array.from(used, (index) => BigInt(rows[index]!)) },
  ]);
  const { columns } = values.schema;
  const row = rowNameOf(columns);
  const given = fileRowsSql(engine, values, values.schema, row, {
    first: Math.max(0, Math.min(least, most)),
    last: most,
  });
  const select = columns.map(({ name }, index) => `v.${quoteIdentifier(name)} AS c${index}`).join(', ');
  return `SELECT ${select} FROM (SELECT range AS place FROM range(${start}, ${end})) AS n
    LEFT JOIN (SELECT g.*, m.target AS ${targetOf(columns)} FROM (${given}) AS g
               JOIN ${sources} AS m ON g.${quoteIdentifier(row)} = m.source) AS v
    ON v.${targetOf(columns)} = n.place ORDER BY n.place`;
}

function isAscending(numbers: Uint32Array): boolean {
  for (let i = 1; i < numbers.length; i++) if (numbers[i] !== numbers[i - 1]! + 1) return false;
  return true;
}

function rowNameOf(columns: readonly Column[]): string {
  return freeName({ type: 'holdout/schema@1', columns }, 'holdout_row');
}

function targetOf(columns: readonly Column[]): string {
  return quoteIdentifier(freeName({ type: 'holdout/schema@1', columns }, 'holdout_target'));
}
