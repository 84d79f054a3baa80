/**
 * Rows of part files as SQL: a few ranges as they stand, scattered rows through a narrow table of row numbers and
 * positions. Nothing wide is ever sorted or kept.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { RowMap } from './layout.ts';
import { forEachPartRun, partStarts, rowsOfPart } from './layout.ts';
import { fileRowsSql } from './row-file.ts';
import type { RowFile } from './row-file.ts';
import { freeName, sqlType } from './sql-types.ts';

/** Rows of one file and where they stand in the table. */
export type Selection =
  | {
      readonly kind: 'range';
      readonly file: number;
      readonly from: number;
      readonly rows: number;
      readonly position: number;
    }
  /** `table` has columns `source` (row in the file) and `target` (position). */
  | {
      readonly kind: 'map';
      readonly file: number;
      readonly table: string;
      readonly least: number;
      readonly most: number;
    };

/** A run of the layout: rows of one file, and the position of the first. */
export interface Run {
  readonly file: number;
  readonly from: number;
  readonly rows: number;
  readonly position: number;
}

/** The layout's runs in order, cut at file boundaries. Those of one piece are held at a time. */
export function* runsOfLayout(layout: RowMap): Generator<Run> {
  const starts = partStarts(layout.parts);
  let last: Run | undefined;
  let first = 0;
  for (const piece of layout.pieces) {
    const runs: Run[] = [];
    forEachPartRun({ ...layout, pieces: [piece] }, starts, (file, from, rows, position) => {
      // A long run may have come in two pieces.
      if (last !== undefined && last.file === file && last.from + last.rows === from) {
        last = { ...last, rows: last.rows + rows };
        return;
      }
      if (last !== undefined) runs.push(last);
      last = { file, from, rows, position: first + position };
    });
    yield* runs;
    first += piece.rows;
  }
  if (last !== undefined) yield last;
}

/** More runs of a file than this are joined with their positions. */
const rangesMax = 16;

let tables = 0;

/** Plans how the rows of a layout are read; scattered ones get a temporary table in the engine. */
export async function selectLayout(engine: Engine, layout: RowMap): Promise<Selection[]> {
  const ranges = layout.parts.map((): Run[] | null => []);
  for (const run of runsOfLayout(layout)) {
    const own = ranges[run.file];
    if (own === null || own === undefined) continue;
    if (own.length < rangesMax) own.push(run);
    else ranges[run.file] = null;
  }
  const scattered = ranges.includes(null) ? rowsOfPart(layout) : [];
  const selections: Selection[] = [];
  for (const [file, own] of ranges.entries()) {
    if (own !== null) selections.push(...own.map((run) => ({ kind: 'range', ...run }) as const));
    else selections.push(await mapRows(engine, file, scattered[file]!));
  }
  return selections;
}

/** As `selectLayout`, for some runs of it. */
export async function selectRuns(engine: Engine, runs: readonly Run[]): Promise<Selection[]> {
  const byFile = new Map<number, Run[]>();
  for (const run of runs) {
    const of = byFile.get(run.file);
    if (of === undefined) byFile.set(run.file, [run]);
    else of.push(run);
  }
  const selections: Selection[] = [];
  for (const [file, own] of byFile) {
    if (own.length <= rangesMax) selections.push(...own.map((run) => ({ kind: 'range', ...run }) as const));
    else selections.push(await mapRows(engine, file, rowsOfRuns(own)));
  }
  return selections;
}

/** Row numbers in a file, and their positions in the table. */
interface MappedRows {
  readonly rows: Uint32Array;
  readonly positions: Uint32Array;
}

function rowsOfRuns(runs: readonly Run[]): MappedRows {
  const count = runs.reduce((sum, run) => sum + run.rows, 0);
  const rows = new Uint32Array(count);
  const positions = new Uint32Array(count);
  let at = 0;
  for (const run of runs) {
    for (let i = 0; i < run.rows; i++, at++) {
      rows[at] = run.from + i;
      positions[at] = run.position + i;
    }
  }
  return { rows, positions };
}

async function mapRows(engine: Engine, file: number, { rows, positions }: MappedRows): Promise<Selection> {
  let least = Infinity;
  let most = 0;
  for (const row of rows) {
    if (row < least) least = row;
    if (row > most) most = row;
  }
  const table = `holdout_rows_${++tables}`;
  await engine.registerTable(table, [
    { name: 'source', type: 'UINTEGER', values: rows },
    { name: 'target', type: 'UINTEGER', values: positions },
  ]);
  return { kind: 'map', file, table, least, most };
}

/** Removes the temporary tables of selections. */
export async function dropSelections(engine: Engine, selections: readonly Selection[]): Promise<void> {
  for (const selection of selections) {
    if (selection.kind === 'map') await engine.run(`DROP TABLE IF EXISTS ${quoteIdentifier(selection.table)}`);
  }
}

/** A SELECT of the rows: the schema's columns, and their position as a column of that name where one is given. */
export function selectionsSql(
  engine: Engine,
  files: readonly RowFile[],
  schema: TableSchema,
  selections: readonly Selection[],
  position?: string,
): string {
  if (selections.length === 0) return emptySql(schema, position);
  const rowName = freeName(schema, 'holdout_row');
  const row = `r.${quoteIdentifier(rowName)}`;
  const columns = schema.columns.map(({ name }) => `r.${quoteIdentifier(name)}`);
  const selects = selections.map((selection) => {
    const [least, most] =
      selection.kind === 'map'
        ? [selection.least, selection.most]
        : [selection.from, selection.from + selection.rows - 1];
    const place = selection.kind === 'map' ? 'm.target' : `${row} + ${selection.position - selection.from}`;
    const added = position === undefined ? [] : [`(${place})::BIGINT AS ${quoteIdentifier(position)}`];
    const file = files[selection.file]!;
    const join = selection.kind === 'map' ? ` JOIN ${mapSql(selection.table, file)} AS m ON ${row} = m.source` : '';
    const rows = fileRowsSql(engine, file, schema, rowName, { first: least, last: most });
    return `SELECT ${listed([...columns, ...added])} FROM (${rows}) AS r${join}`;
  });
  return selects.join(' UNION ALL ');
}

/**
 * The narrow side of the join, which the engine is to hold while the wide one streams. It believes that a stack has no
 * rows, as of any positional join, and would hold that; so the narrow side is one too, and then the narrower is held.
 */
function mapSql(table: string, file: RowFile): string {
  const name = quoteIdentifier(table);
  if (file.kind !== 'stacked') return name;
  return `(SELECT a.source, b.target FROM ${name} AS a POSITIONAL JOIN ${name} AS b)`;
}

/** A table without columns still has rows. */
function listed(columns: readonly string[]): string {
  return columns.length === 0 ? 'NULL::VARCHAR AS holdout_nothing' : columns.join(', ');
}

/** A SELECT of no rows in the schema's columns. */
function emptySql(schema: TableSchema, position: string | undefined): string {
  const columns = schema.columns.map(({ name, type }) => `NULL::${sqlType(type)} AS ${quoteIdentifier(name)}`);
  const added = position === undefined ? [] : [`NULL::BIGINT AS ${quoteIdentifier(position)}`];
  return `SELECT ${listed([...columns, ...added])} WHERE false`;
}
