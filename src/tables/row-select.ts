/**
 * Rows of part files as SQL: a few ranges as they stand, other rows through a narrow table of row numbers and
 * positions. Nothing wide is ever sorted or kept.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { RowMap } from './layout.ts';
import { forEachPartRun, partStarts, rowsOfPart } from './layout.ts';
import { fileLinesSql, fileRowsSql, lineValuesSql } from './row-file.ts';
import type { RowFile } from './row-file.ts';
import { positionJoin, registerPositions } from './row-positions.ts';
import type { RowPositions } from './row-positions.ts';
import type { RowOrder } from './stacked-rows.ts';
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
  | ({ readonly kind: 'map'; readonly file: number } & RowPositions);

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

/** The runs that hold these positions, which ascend. */
export function runsAt(layout: RowMap, positions: readonly number[]): readonly Run[] {
  const found: Run[] = [];
  let next = 0;
  for (const { file, from, rows, position } of runsOfLayout(layout)) {
    if (next === positions.length) break;
    for (; next < positions.length && positions[next]! < position + rows; next++) {
      const row = from + positions[next]! - position;
      const last = found.at(-1);
      const follows = last !== undefined && last.file === file && last.from + last.rows === row;
      if (follows && last.position + last.rows === positions[next])
        found[found.length - 1] = { ...last, rows: last.rows + 1 };
      else found.push({ file, from: row, rows: 1, position: positions[next]! });
    }
  }
  return found;
}

/** More runs of a file than this are joined with their positions. */
const rangesMax = 16;

/** Plans how the rows of a layout are read; scattered ones get a temporary table in the engine. */
export async function selectLayout(engine: Engine, layout: RowMap): Promise<Selection[]> {
  const ranges = layout.parts.map((): Run[] | null => []);
  let inRanges = ranges.length;
  for (const run of runsOfLayout(layout)) {
    const own = ranges[run.file];
    if (own === null || own === undefined) continue;
    if (own.length < rangesMax) own.push(run);
    else {
      ranges[run.file] = null;
      inRanges -= 1;
      if (inRanges === 0) break;
    }
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

/** Row numbers in a file, in the order of the table, and their positions there. */
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
  return { kind: 'map', file, ...(await registerPositions(engine, rows, positions)) };
}

/** Removes the temporary tables of selections. */
export async function dropSelections(engine: Engine, selections: readonly Selection[]): Promise<void> {
  for (const selection of selections) {
    if (selection.kind === 'map') await engine.run(`DROP TABLE IF EXISTS ${quoteIdentifier(selection.table)}`);
  }
}

/**
 * A SELECT of the rows, one selection after the other unless any order will do: the schema's columns, and their position as
 * a column of that name where one is given.
 */
export function selectionsSql(
  engine: Engine,
  files: readonly RowFile[],
  schema: TableSchema,
  selections: readonly Selection[],
  position?: string,
  order: RowOrder = 'kept',
): string {
  if (selections.length === 0) return emptySql(schema, position);
  const selects = selections.map((selection) => {
    const file = files[selection.file]!;
    return selection.kind === 'map'
      ? mappedSql(engine, file, schema, selection, position)
      : rangeSql(engine, file, schema, selection, position, order);
  });
  return selects.join(' UNION ALL ');
}

function rangeSql(
  engine: Engine,
  file: RowFile,
  schema: TableSchema,
  { from, rows: count, position: first }: Run,
  position: string | undefined,
  order: RowOrder,
): string {
  const rowName = freeName(schema, 'holdout_row');
  const place = `(${quoteIdentifier(rowName)} + ${first - from})::BIGINT`;
  const rows = fileRowsSql(engine, file, schema, rowName, { first: from, last: from + count - 1 }, order);
  return `SELECT ${listed([...columnsOf(schema), ...named(place, position)])} FROM (${rows})`;
}

function mappedSql(
  engine: Engine,
  file: RowFile,
  schema: TableSchema,
  map: RowPositions,
  position: string | undefined,
): string {
  const rowName = freeName(schema, 'holdout_row');
  const row = quoteIdentifier(rowName);
  const between = { first: map.least, last: map.most };
  const { join, position: place } = positionJoin(map, row, file.kind === 'stacked');
  if (file.kind !== 'lines') {
    const columns = columnsOf(schema).map((name) => `r.${name}`);
    const rows = fileRowsSql(engine, file, schema, rowName, between, 'any');
    return `SELECT ${listed([...columns, ...named(place, position)])} FROM (${rows}) AS r ${join}`;
  }
  // Lines are parsed behind the join: those of rows that the table does not have are not.
  const target = quoteIdentifier(freeName(schema, 'holdout_target'));
  const lines = `SELECT r.${row}, ${place} AS ${target}, r.line
    FROM (${fileLinesSql(engine, file, rowName, between)}) AS r ${join}`;
  return `SELECT ${listed([...columnsOf(schema), ...named(target, position)])}
    FROM (${lineValuesSql(lines, schema, `${row}, ${target}`)})`;
}

function columnsOf({ columns }: TableSchema): string[] {
  return columns.map(({ name }) => quoteIdentifier(name));
}

function named(place: string, position: string | undefined): string[] {
  return position === undefined ? [] : [`${place} AS ${quoteIdentifier(position)}`];
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
