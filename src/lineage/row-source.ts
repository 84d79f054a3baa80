/**
 * Where a row was read.
 * @module
 */

/** A place in a raw file; lines count from 1. */
export interface RowSource {
  readonly file: string;
  readonly line: number;
}

/** A row of a raw file, also of one whose lines are not known: an array, Parquet, unpacked text. */
export interface RowPlace {
  readonly file: string;
  /** From 1; null where it is not known. */
  readonly line: number | null;
  /** Of the file, from 0. */
  readonly row: number;
}

/** A place as sentences name it: `data/a.jsonl:7`, `row 7 of data/a.json`. */
export function placeText({ file, line, row }: RowPlace): string {
  return line === null ? `row ${(row + 1).toLocaleString('en-US')} of ${file}` : `${file}:${line}`;
}
