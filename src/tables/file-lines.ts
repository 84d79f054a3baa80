/**
 * Rows of one part file as JSON lines, in the order of the file.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { jsonRowSql } from './json-text-sql.ts';
import { fileLinesSql, fileRowsSql } from './row-file.ts';
import type { RowFile } from './row-file.ts';
import { freeName } from './sql-types.ts';
import { stretchRowsOf } from './stacked-rows.ts';

/** Files whose rows are read as lines. */
export interface LineSource {
  readonly engine: Engine;
  readonly files: readonly RowFile[];
  /** For each file, what `rowGroupStarts` says of it. */
  readonly groups: readonly (readonly number[])[];
  readonly schema: TableSchema;
  /** Lines parts in their stored spelling, or (false) every row in canonical JSON. */
  readonly verbatim: boolean;
}

/** Consecutive rows as lines, each ended by LF. */
export interface Piece {
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/** Rows that the engine puts into one text. */
export const rowsPerCell = 256;

/** What is read at once, and handed out in smaller blocks: a query costs as much as two megabytes of lines. */
export const readBytesMax = 32 << 20;

/** Uncompressed bytes of a row of the file, on average. */
export function bytesPerRow(file: RowFile): number {
  return Math.max(1, file.logicalBytes / file.rows);
}

/** Where each line begins, and at last the end. JSON text on one line holds no raw LF. */
export function lineOffsets(bytes: Uint8Array, rows: number): Uint32Array {
  const offsets = new Uint32Array(rows + 1);
  let at = 0;
  for (let row = 0; row < rows; row++) at = offsets[row + 1] = bytes.indexOf(10, at) + 1;
  if (at !== bytes.length) throw wrongRows();
  return offsets;
}

/**
 * The lines of rows `first` … `end - 1`, or of those among them that are `used` (1). Each row group is scanned by one
 * thread, so that the text of a cell that lies in one is put together in the order of the rows without sorting it. Of
 * row groups in which no row is used nothing is unpacked. Where all rows are wanted, no cell may lie in two row groups.
 * Long rows of several files are read a stretch after the other, each by one thread.
 * @throws HoldoutError `STORE_CORRUPT` when the file holds other rows
 */
export async function queryLines(
  source: LineSource,
  file: number,
  first: number,
  end: number,
  used?: Uint8Array,
): Promise<Piece[]> {
  const { engine, files, groups, schema, verbatim } = source;
  const rowFile = files[file]!;
  const stretchRows = stretchRowsOf(rowFile, schema) ?? Infinity;
  if (end - first > stretchRows) {
    const all: Piece[] = [];
    for (let from = first; from < end; from += stretchRows) {
      const to = Math.min(end, from + stretchRows);
      const wanted = used?.subarray(from - first, to - first);
      if (wanted?.includes(1) !== false) all.push(...(await queryLines(source, file, from, to, wanted)));
    }
    return all;
  }
  const rowName = freeName(schema, 'holdout_row');
  const row = quoteIdentifier(rowName);
  const rowsBetween = { first, last: end - 1 };
  const [inner, text] =
    verbatim && rowFile.kind === 'lines'
      ? [fileLinesSql(engine, rowFile, rowName, rowsBetween), 'line']
      : [fileRowsSql(engine, rowFile, schema, rowName, rowsBetween, 'any'), jsonRowSql(schema)];
  const bits = used === undefined ? '' : Buffer.from(used.map((bit) => 48 + bit)).toString('latin1');
  const where = used === undefined ? '' : `WHERE get_bit('${bits}'::BIT, (${row} - ${first})::INTEGER) = 1`;
  const cell = `${row} // ${rowsPerCell}`;
  const cut = groups[file]!.some((start) => start > first && start < end && start % rowsPerCell !== 0);
  const sorted = used !== undefined && cut ? ` ORDER BY ${row}` : '';
  const pieces: Piece[] = [];
  let rows = 0;
  await engine.stream(
    `SELECT encode(concat(string_agg(${text}, chr(10)${sorted}), chr(10))), count(*) FROM (${inner}) ${where}
     GROUP BY ${cell} ORDER BY ${cell}`,
    cellsOf(first, end, used),
    (chunk) => {
      for (let i = 0; i < chunk.rows; i++) {
        const bytes = chunk.bytes(0, i);
        if (bytes === null) throw wrongRows();
        const count = Number(chunk.value(1, i));
        pieces.push({ rows: count, bytes });
        rows += count;
      }
    },
  );
  if (rows !== (used === undefined ? end - first : used.reduce((sum, bit) => sum + bit, 0))) throw wrongRows();
  return pieces;
}

/** How many cells hold rows that are wanted. */
function cellsOf(first: number, end: number, used: Uint8Array | undefined): number {
  const [from, to] = [Math.floor(first / rowsPerCell), Math.floor((end - 1) / rowsPerCell)];
  if (used === undefined) return to - from + 1;
  let cells = 0;
  for (let cell = from; cell <= to; cell++) {
    const start = Math.max(0, cell * rowsPerCell - first);
    if (used.subarray(start, (cell + 1) * rowsPerCell - first).includes(1)) cells += 1;
  }
  return cells;
}

/** A part that is not what its record says. */
export function wrongRows(): HoldoutError {
  return new HoldoutError('STORE_CORRUPT', 'a part holds other rows than its record says', {
    hint: 'Run "holdout verify --read-data".',
  });
}
