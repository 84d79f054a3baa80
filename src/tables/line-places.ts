/**
 * Where lines of a stored table begin, counted from the first of a stretch of its rows. The bytes of a part are known, so that
 * of the parts only those are read in which a line is looked for.
 * @module
 */
import type { TableRef } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import type { Store } from '../store/store.ts';
import type { PartFile } from './part-file.ts';
import { fileLinesSql } from './row-file.ts';
import { type Run, runsOfLayout } from './row-select.ts';
import { openLayoutPart, readLayout } from './stored-parts.ts';
import { layoutIdOf } from './table-reader.ts';

/** A line as it is stored. */
export interface LinePlace {
  /** Bytes from the beginning of the stretch, with an end of one byte behind each line. */
  readonly offset: number;
  readonly line: string;
}

/** With more runs than this, or more lines, every line is as quickly read in its order. */
const runsMax = 64;
const linesMax = 32;

/**
 * The lines of these rows, counted from row `first` of the table; they ascend, each once. Null where the table is not of
 * lines, or of too many pieces for this, or too many rows are asked for.
 * @throws HoldoutError `NOT_FOUND`, `STORE_CORRUPT`, `IO`
 */
export async function linePlaces(
  { store, engine }: { readonly store: Store; readonly engine: Engine },
  ref: TableRef,
  first: number,
  rows: readonly number[],
): Promise<readonly LinePlace[] | null> {
  if (rows.length > linesMax) return null;
  const layout = await readLayout(store, await layoutIdOf(store, ref));
  const files: PartFile[] = [];
  for (const part of layout.parts) {
    const file = await openLayoutPart(store, part);
    if (file.kind !== 'lines') return null;
    files.push(file);
  }
  const runs: Run[] = [];
  for (const run of runsOfLayout(layout)) if (runs.push(run) > runsMax + files.length) return null;
  const places: LinePlace[] = [];
  let offset = 0;
  for (const run of runs) {
    const file = files[run.file]!;
    const skipped = Math.max(0, first - run.position);
    let from = run.from + skipped;
    const end = run.from + run.rows;
    for (; from < end && places.length < rows.length;) {
      const row = rows[places.length]! + first - run.position + run.from;
      if (row >= end) break;
      offset += await bytesBetween(engine, file, from, row);
      const line = await engine.value<string>(`SELECT line FROM (${linesSql(engine, file, row, row + 1)})`);
      places.push({ offset, line });
      from = row;
    }
    if (places.length === rows.length) return places;
    if (from < end) offset += await bytesBetween(engine, file, from, end);
  }
  return null;
}

/** Bytes of the lines `from` … `end - 1` of a file, with their ends. */
async function bytesBetween(engine: Engine, file: PartFile, from: number, end: number): Promise<number> {
  if (from === end) return 0;
  if (from === 0 && end === file.rows) return file.logicalBytes + file.rows;
  const sql = `SELECT sum(strlen(line) + 1)::BIGINT FROM (${linesSql(engine, file, from, end)})`;
  return Number(await engine.value<bigint>(sql));
}

function linesSql(engine: Engine, file: PartFile, from: number, end: number): string {
  return fileLinesSql(engine, file, 'holdout_row', { first: from, last: end - 1 });
}
