/**
 * Where a row was read.
 * @module
 */

/** A place in a raw file; lines count from 1. */
export interface RowSource {
  readonly file: string;
  readonly line: number;
}
