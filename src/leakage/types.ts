/**
 * What a leak check is given: tables under names, and how their rows are reached.
 * @module
 */
import type { SetRoot, Sha256Id, TableId } from '../../schemas/ids.ts';
import type { FieldRoles } from '../../schemas/records.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';

/** Rows as JSON lines, one object each, every line ended by a newline. */
export interface LineBlock {
  readonly firstRow: number;
  readonly rows: number;
  readonly bytes: Uint8Array;
}

/** The part of a `TableReader` that the check uses. */
export interface TableFeed {
  readonly schema: TableSchema;
  readonly rows: number;
  /** Row digests, 32 bytes each, in row order. */
  digests(): Promise<Uint8Array>;
  jsonLines(): AsyncIterable<LineBlock>;
}

/** Rows that stand as lines of a plain file, which the scan reads by itself. */
export interface RawLines {
  readonly path: string;
  readonly firstRow: number;
  readonly rows: number;
}

/** A training set. */
export interface NamedTable {
  readonly name: string;
  readonly table: TableId;
  readonly schemaId: Sha256Id;
  readonly setRoot?: SetRoot | undefined;
  readonly reader: TableFeed;
  /** All rows of the table as lines of files, in row order; without it they come from `reader.jsonLines()`. */
  readonly rawLines?: readonly RawLines[] | undefined;
  /** Where a row stood in its source file. */
  sourceOf(row: number): { readonly file: string; readonly line: number } | null;
}

/** An eval set. */
export interface NamedEval extends NamedTable {
  readonly itemsRoot: SetRoot;
  readonly fields: FieldRoles;
}
