/**
 * Blocks of a table whose rows are strewn over its parts, as SQL relations: the rows are put in order once, in the
 * engine's own folder. Lines go through the spool; other rows are sorted by the engine, which spills.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { RowMap } from './layout.ts';
import { copyInGroups } from './copy-parquet.ts';
import { spooledLines } from './line-spool.ts';
import type { PartFile } from './part-file.ts';
import { lineValuesSql } from './row-file.ts';
import type { RowFile } from './row-file.ts';
import { selectionsSql } from './row-select.ts';
import type { Selection } from './row-select.ts';
import { freeName } from './sql-types.ts';
import { writeScratch } from '../store/scratch-file.ts';

/** What the blocks are made of. */
export interface ScatteredTable {
  readonly engine: Engine;
  readonly schema: TableSchema;
  readonly layout: RowMap;
  readonly files: readonly RowFile[];
  /** For each file the starts of its row groups. */
  readonly groups: readonly (readonly number[])[];
  /** All rows of the table. */
  readonly selections: readonly Selection[];
}

/** Most that a block may hold. */
export interface BlockBounds {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

/** Consecutive rows: a SELECT of the schema's columns, in order. It can be queried until the next is asked for. */
export interface OrderedRows {
  readonly rows: number;
  readonly sql: string;
}

/** The table's rows in order; the schema has a column at least. */
export function scatteredBlocks(table: ScatteredTable, bounds: BlockBounds): AsyncGenerator<OrderedRows> {
  return table.files.every(({ kind }) => kind === 'lines') ? blocksOfLines(table, bounds) : sortedBlocks(table, bounds);
}

async function* blocksOfLines(table: ScatteredTable, bounds: BlockBounds): AsyncGenerator<OrderedRows> {
  const { engine, schema } = table;
  const row = quoteIdentifier(freeName(schema, 'holdout_row'));
  const source = { ...table, verbatim: true };
  for await (const { rows, bytes } of spooledLines(source, table.layout, { ...bounds, path: engine.scratchPath() })) {
    const path = engine.scratchPath('.jsonl');
    try {
      // Without the last LF, behind which the engine would see one more line.
      await writeScratch(path, bytes.subarray(0, -1));
      // Split as one text: lines of any length, and white space of any kind in them, stay as they are.
      const lines = `SELECT NULL::BIGINT AS ${row}, unnest(string_split(content, chr(10))) AS line
        FROM read_text(${engine.fileSql(path)})`;
      yield { rows, sql: `SELECT ${listed(schema)} FROM (${lineValuesSql(lines, schema, row)})` };
    } finally {
      await rm(path, { force: true });
    }
  }
}

async function* sortedBlocks(table: ScatteredTable, { rowsMax, bytesMax }: BlockBounds): AsyncGenerator<OrderedRows> {
  const { engine, schema, files, layout, selections } = table;
  const position = freeName(schema, 'holdout_position');
  const path = engine.scratchPath('.parquet');
  try {
    const sorted = `SELECT ${listed(schema)} FROM (${selectionsSql(engine, files, schema, selections, position)})
      ORDER BY ${quoteIdentifier(position)}`;
    await copyInGroups(engine, sorted, path, spoolFormat);
    const stored = files.reduce((sum, { rows }) => sum + rows, 0);
    const rowBytes = Math.max(1, files.reduce((sum, { logicalBytes }) => sum + logicalBytes, 0) / stored);
    const blockRows = Math.max(1, Math.min(rowsMax, Math.floor(bytesMax / rowBytes)));
    const file: PartFile = { kind: 'typed', path, rows: layout.rows, logicalBytes: layout.rows * rowBytes, schema };
    for (let from = 0; from < layout.rows; from += blockRows) {
      const rows = Math.min(blockRows, layout.rows - from);
      const range = { kind: 'range', file: 0, from, rows, position: from } as const;
      yield { rows, sql: selectionsSql(engine, [file], schema, [range]) };
    }
  } finally {
    await rm(path, { force: true });
  }
}

/** Read again at once, so quick to unpack. Version 2 of the format cannot write some nested strings. */
const spoolFormat = 'FORMAT parquet, COMPRESSION lz4_raw, PARQUET_VERSION v1, DICTIONARY_SIZE_LIMIT 1';

function listed({ columns }: TableSchema): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ');
}
