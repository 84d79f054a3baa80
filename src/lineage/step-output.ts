/**
 * What a step yields. Rows that stay as they are are named, never copied; only values that are new come as a file.
 * @module
 */
import type { LeakReport } from '../../schemas/leak-report.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import type { ReadTable } from '../tables/read/read-table-types.ts';
import type { RowGroups } from './row-groups.ts';

/** Positions of the rows that stay: in the order of the new table, or as a bitmap (bit i of byte i >> 3, least first). */
export type Keep = Uint32Array | { readonly bitmap: Uint8Array };

/** Why each row of the input went. */
export interface DroppedRows {
  /** At most 255 reasons, as the step's counts name them. */
  readonly names: readonly string[];
  /** For each row of the input: 0 where it stays, else k for `names[k - 1]`. */
  readonly of: Uint8Array;
  /** For each row of the input the one that stays in its stead, where rows went for one that is like them. */
  readonly insteadOf?: Uint32Array;
}

interface Output {
  /** What it counted, kept as evidence. */
  readonly counts: Readonly<Record<string, number>>;
  /** Why rows went, where the step can tell for each. */
  readonly dropped?: DroppedRows;
  /** What the person should know of the values that came out, in sentences without an end; not kept. */
  readonly notes?: readonly string[];
  /** What it found, kept as records beside the counts: evidence that holds no row text. */
  readonly records?: readonly LeakReport[];
}

/** Some rows of the input, as they are. */
export interface SelectedRows extends Output {
  readonly kind: 'rows';
  readonly keep: Keep;
}

/** New values of some columns: one row for each row of the output, in its order. */
export type ColumnFile =
  /** A Parquet file with columns of the names and types that the output's schema gives them. */
  | { readonly kind: 'parquet'; readonly path: string }
  /** Rows read from JSON Lines under those names and types. */
  | { readonly kind: 'read'; readonly table: ReadTable };

/** The rows of the input, some of their columns replaced, renamed, added or left out. */
export interface MappedColumns extends Output {
  readonly kind: 'columns';
  /** Columns of the output, in order. */
  readonly schema: TableSchema;
  /** Output columns that are columns of the input as they stand: output name → input name. Their types are equal. */
  readonly kept: ReadonlyMap<string, string>;
  /** All other columns; null where there are none. */
  readonly values: ColumnFile | null;
  /** Rows of the input that stay, ascending; null where all do. */
  readonly keep: Keep | null;
}

/** Rows of the inputs and new rows, put together in any order. */
export interface AssembledTable extends Output {
  readonly kind: 'table';
  readonly schema: TableSchema;
  /**
   * For each row of the output its address: the rows of the step's input, those of `others` in their order, and then
   * those of `added` stand end to end. A row of an input keeps its values; columns that it lacks are null, and columns
   * that `schema` lacks must not be there.
   */
  readonly rows: Uint32Array;
  /** New rows; null where there are none. */
  readonly added: ReadTable | null;
  /**
   * Address of the input row that each added row was made of, `noRow` where there is none; of rows made of many, the
   * addresses of all; null where nobody knows.
   */
  readonly madeOf: Uint32Array | RowGroups | null;
  /** Where nobody knows: why, in words of the step's own that end no sentence. */
  readonly whyUnknown?: string;
  /**
   * Columns whose value in every added row is that of the input row that it was made of: output name → input name, of
   * one type. They need not be stored again. `compare`: the step does not know; the values are compared.
   */
  readonly unchanged?: ReadonlyMap<string, string> | 'compare';
}

/** No row, in `AssembledTable.madeOf`. */
export const noRow = 0xffffffff;

export type StepOutput = SelectedRows | MappedColumns | AssembledTable;

/** A row that a step could not take; the runner adds where it came from. */
export class RowFailure extends Error {
  /** Position in the step's input, from 0. */
  readonly position: number;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(position: number, says: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(says, { cause: options.cause });
    this.name = 'RowFailure';
    this.position = position;
    this.hint = options.hint;
  }
}
