/**
 * Reads a table, stored or just read, without the reader knowing which: its rows as SQL relations of canonical values,
 * as JSON lines, as digests.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { TableRef } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import type { DigestFile } from './digest-file.ts';
import { gatherDigests } from './gather-digests.ts';
import { digestsOf } from './layout.ts';
import type { Layout, RowMap } from './layout.ts';
import { lineBlocks } from './line-blocks.ts';
import type { LineBlock } from './line-blocks.ts';
import { areRowsLong } from './part-file.ts';
import { rowGroupStarts } from './row-file.ts';
import type { RowFile } from './row-file.ts';
import { dropSelections, runsAt, runsOfLayout, selectionsSql, selectLayout, selectRuns } from './row-select.ts';
import type { Run, Selection } from './row-select.ts';
import { isScattered } from './scattered.ts';
import { scatteredBlocks } from './scattered-blocks.ts';
import { freeName } from './sql-types.ts';
import { stretchRowsOf } from './stacked-rows.ts';
import { openLayoutPart, openSidecar, readLayout } from './stored-parts.ts';
import { wholeFilesSql } from './whole-files.ts';

/** An ordered stretch of a table's rows, as a relation. It can be queried until the next block is asked for. */
export interface RowBlock {
  readonly firstRow: number;
  readonly rows: number;
  /** A SELECT without parentheses: the schema's columns, or those asked for; rows in order. */
  readonly sql: string;
}

/** Which columns of a table are asked for. */
export interface ColumnChoice {
  /** Names of columns; all without it. Of rows that lie as JSON lines nothing else is parsed. */
  readonly columns?: readonly string[];
}

/** What blocks hold, and how large they may be. */
export interface BlockOptions extends ColumnChoice {
  readonly rowsMax?: number;
  readonly bytesMax?: number;
  /**
   * Nothing is made of a block but by queries that stream: where the table lies in few ranges, a block of it may be as large
   * as a part.
   */
  readonly streamed?: boolean;
}

/** Some rows of a table. */
export interface PickedRows {
  /** A SELECT: the schema's columns and the position. */
  readonly sql: string;
  /** Drops what it keeps in the engine. */
  close(): Promise<void>;
}

/** What a table can be asked for. Values are canonical: declared types, null for absent, columns in schema order. */
export interface TableReader {
  readonly schema: TableSchema;
  readonly rows: number;
  /**
   * A SELECT of all rows in no order, with the schema's columns or those asked for; `position` names an added BIGINT column, the row's position in the table.
   * @throws TypeError when the schema has a column of that name
   */
  relationSql(options?: ColumnChoice & { readonly position?: string }): string;
  /**
   * A SELECT of all rows in order, where they lie in few ranges; null where only `blocks` gives the order. A union of
   * ranges keeps it for what copies or lists rows, but not for what adds them up, which takes each range by itself:
   * `alone` asks for a SELECT that is none.
   */
  orderedSql(options?: ColumnChoice & { readonly alone?: boolean }): string | null;
  /**
   * The rows at these positions, which ascend, in no order, each with its position. Row groups that hold none are not read.
   * @throws TypeError when the schema has a column of the position's name
   */
  picked(rows: readonly number[], position: string): Promise<PickedRows>;
  /** The rows in order, a block at a time, each of bounded size. */
  blocks(options?: BlockOptions): AsyncIterable<RowBlock>;
  /** Row digests in order, 32 bytes each. */
  digests(): Promise<Uint8Array>;
  /**
   * One JSON object a line, in order: stored lines in their own spelling and other rows in canonical JSON, or all rows
   * in canonical JSON.
   */
  jsonLines(options?: { readonly canonical?: boolean; readonly bytesMax?: number }): AsyncIterable<LineBlock>;
  /** Bytes of a row on average, of the file where it is most: what small blocks and row groups are worth. */
  readonly rowBytes: number;
  /** Whether `jsonLines` gives the bytes of the rows' lines as they were read. */
  readonly keepsLines: boolean;
  /** Drops what the reader keeps in the engine. */
  close(): Promise<void>;
}

/** Files and layout of a table: all that a reader is made of. */
export interface TableFiles {
  readonly schema: TableSchema;
  readonly layout: RowMap;
  /** Of the layout's parts, in their order. */
  readonly files: readonly RowFile[];
  readonly digests: () => Promise<Uint8Array>;
}

const blockRowsMax = 1 << 16;
const blockBytesMax = 32 << 20;
const streamedBytesMax = 512 << 20;
const lineBytesMax = 8 << 20;
/** A block of up to this many runs is a union of ranges; with more, its rows are joined with their positions. */
const rangesMax = 16;

/**
 * Opens a stored table as seen under its schema, by the journal's layout or by one that the journal does not name yet.
 * The engine must be able to read the store's folder.
 * @throws HoldoutError `NOT_FOUND` when the store has no such table, `STORE_CORRUPT`, `IO`
 */
export async function openTable(store: Store, engine: Engine, ref: TableRef, layout?: Sha256Id): Promise<TableReader> {
  const layoutId = layout ?? (await layoutIdOf(store, ref));
  const schema: TableSchema = await store.getRecord(ref.schema, tableSchema);
  return openLayout(store, engine, schema, await readLayout(store, layoutId));
}

/**
 * Opens the rows of a layout over stored parts, whether or not the journal names it.
 * @throws HoldoutError `NOT_FOUND`, `STORE_CORRUPT`, `IO`
 */
export async function openLayout(
  store: Store,
  engine: Engine,
  schema: TableSchema,
  layout: Layout,
): Promise<TableReader> {
  const files: RowFile[] = [];
  for (const part of layout.parts) files.push(await openLayoutPart(store, part));
  return readerOf(engine, { schema, layout, files, digests: () => storedDigests(store, layout) });
}

/**
 * Row digests of a stored table in its order, 32 bytes each; nothing of its rows is opened.
 * @throws HoldoutError `NOT_FOUND` when the store has no such table, `STORE_CORRUPT`, `IO`
 */
export async function tableDigests(store: Store, ref: TableRef): Promise<Uint8Array> {
  return storedDigests(store, await readLayout(store, await layoutIdOf(store, ref)));
}

async function storedDigests(store: Store, layout: Layout): Promise<Uint8Array> {
  const map = digestsOf(layout);
  const sidecars: DigestFile[] = [];
  for (const part of map.parts) sidecars.push(await openSidecar(store, part));
  return gatherDigests(map, sidecars);
}

/** The layout by which the journal reads a table. @throws HoldoutError `NOT_FOUND` */
export async function layoutIdOf(store: Store, ref: TableRef): Promise<Sha256Id> {
  const id = (await store.journal()).layouts.get(tableKey(ref));
  if (id !== undefined) return id;
  throw new HoldoutError('NOT_FOUND', `the store has no table ${ref.table} under schema ${ref.schema}`);
}

/** A reader over these files. */
export async function readerOf(engine: Engine, table: TableFiles): Promise<TableReader> {
  const { schema, layout, files } = table;
  const whole = await selectLayout(engine, layout);
  const ranges = fewRuns(layout);
  return {
    schema,
    rows: layout.rows,
    rowBytes: Math.max(0, ...files.map((file) => file.logicalBytes / Math.max(1, file.rows))),
    keepsLines: files.every(({ kind }) => kind === 'lines'),
    relationSql({ position, columns } = {}) {
      refuseTakenName(schema, position);
      const asked = chosenColumns(schema, columns);
      const sql = ranges === null || ranges.length < 2 ? null : wholeFilesSql(engine, files, asked, ranges, position);
      return sql ?? selectionsSql(engine, files, asked, whole, position, 'any');
    },
    orderedSql({ alone = false, columns } = {}) {
      const asked = chosenColumns(schema, columns);
      const inStretches = files.some((file) => stretchRowsOf(file, asked) !== null);
      if (ranges === null || (alone && inStretches)) return null;
      if (ranges.length < 2) return rangesSql(engine, { files, schema: asked }, ranges);
      // The engine works on several sides of a union at once, and what a later one gives waits on disk.
      const whole = inStretches ? null : wholeFilesSql(engine, files, asked, ranges);
      return whole ?? (alone ? null : rangesSql(engine, { files, schema: asked }, ranges));
    },
    async picked(rows, position) {
      refuseTakenName(schema, position);
      const selections = await selectRuns(engine, runsAt(layout, rows));
      const sql = selectionsSql(engine, files, schema, selections, position, 'any');
      return { sql, close: () => dropSelections(engine, selections) };
    },
    blocks: ({ columns, ...options } = {}) =>
      rowBlocks(engine, { ...table, schema: chosenColumns(schema, columns) }, { whole, ranges }, options),
    digests: () => table.digests(),
    jsonLines: (options = {}) =>
      lineBlocks(engine, files, schema, layout, {
        verbatim: options.canonical !== true,
        bytesMax: options.bytesMax ?? lineBytesMax,
      }),
    close: () => dropSelections(engine, whole),
  };
}

/** The columns of these names, in the order of the schema; all where none are named. */
export function chosenColumns(schema: TableSchema, names: readonly string[] | undefined): TableSchema {
  if (names === undefined) return schema;
  const chosen = new Set(names);
  return { ...schema, columns: schema.columns.filter(({ name }) => chosen.has(name)) };
}

/** @throws TypeError when a column has the name */
export function refuseTakenName(schema: TableSchema, position: string | undefined): void {
  if (position === undefined || freeName(schema, position.toLowerCase()) === position.toLowerCase()) return;
  throw new TypeError(`"position" expected a name that no column has, got "${position}"`);
}

/** The runs of a layout, or null where they are more than a union of ranges is made of, beside one for each part. */
function fewRuns(layout: RowMap): readonly Run[] | null {
  const runs: Run[] = [];
  for (const run of runsOfLayout(layout)) if (runs.push(run) > rangesMax + layout.parts.length) return null;
  return runs;
}

/** Ranges in the order of the table. */
function rangesSql(
  engine: Engine,
  { files, schema }: Pick<TableFiles, 'files' | 'schema'>,
  runs: readonly Run[],
): string {
  const ranges = runs.map((run) => ({ kind: 'range', ...run }) as const);
  return selectionsSql(engine, files, schema, ranges);
}

async function* rowBlocks(
  engine: Engine,
  table: TableFiles,
  { whole, ranges }: { readonly whole: readonly Selection[]; readonly ranges: readonly Run[] | null },
  { rowsMax = blockRowsMax, bytesMax = blockBytesMax, streamed = false }: Omit<BlockOptions, 'columns'>,
): AsyncGenerator<RowBlock> {
  const { schema, files, layout } = table;
  if (streamed && ranges !== null) {
    for (const block of cutRuns(ranges, files, layout.rows, streamedBytesMax)) {
      yield { firstRow: block[0]!.position, rows: rowsOf(block), sql: rangesSql(engine, table, block) };
    }
    return;
  }
  // Long rows beside each other are too much for a sort, which holds stretches of 2048: they are read again for each block.
  const areSorted = files.some(({ kind }) => kind !== 'lines');
  const areLong = files.some((file) => areRowsLong(file.logicalBytes / file.rows));
  if (whole.some(({ kind }) => kind === 'map') && schema.columns.length > 0 && !(areSorted && areLong)) {
    const groups: (readonly number[])[] = [];
    for (const file of files) groups.push(await rowGroupStarts(engine, file));
    if (isScattered(layout, files, groups, { rowsMax, bytesMax })) {
      let firstRow = 0;
      const scattered = { engine, schema, layout, files, groups, selections: whole };
      for await (const block of scatteredBlocks(scattered, { rowsMax, bytesMax })) {
        yield { firstRow, ...block };
        firstRow += block.rows;
      }
      return;
    }
  }
  for (const block of cutRuns(runsOfLayout(layout), files, rowsMax, bytesMax)) {
    const firstRow = block[0]!.position;
    const rows = rowsOf(block);
    if (block.length <= rangesMax) {
      yield { firstRow, rows, sql: rangesSql(engine, table, block) };
      continue;
    }
    const selections = await selectRuns(engine, block);
    const position = freeName(schema, 'holdout_position');
    const columns =
      schema.columns.map(({ name }) => quoteIdentifier(name)).join(', ') || 'NULL::VARCHAR AS holdout_nothing';
    const sql = selectionsSql(engine, files, schema, selections, position);
    try {
      yield { firstRow, rows, sql: `SELECT ${columns} FROM (${sql}) ORDER BY ${quoteIdentifier(position)}` };
    } finally {
      await dropSelections(engine, selections);
    }
  }
}

function rowsOf(runs: readonly Run[]): number {
  return runs.reduce((sum, { rows }) => sum + rows, 0);
}

/** Cuts the runs into blocks of at most `rowsMax` rows and about `bytesMax` bytes. */
function* cutRuns(
  runs: Iterable<Run>,
  files: readonly RowFile[],
  rowsMax: number,
  bytesMax: number,
): Generator<readonly Run[]> {
  let block: Run[] = [];
  let rows = 0;
  let bytes = 0;
  for (const { file, from, rows: count, position } of runs) {
    const rowBytes = Math.max(1, files[file]!.logicalBytes / files[file]!.rows);
    for (let done = 0; done < count;) {
      const take = Math.max(1, Math.min(count - done, rowsMax - rows, Math.floor((bytesMax - bytes) / rowBytes)));
      block.push({ file, from: from + done, rows: take, position: position + done });
      rows += take;
      bytes += take * rowBytes;
      done += take;
      if (rows >= rowsMax || bytes + rowBytes > bytesMax) {
        yield block;
        block = [];
        rows = bytes = 0;
      }
    }
  }
  if (block.length > 0) yield block;
}
