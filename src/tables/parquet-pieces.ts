/**
 * Parquet files that are written one after the other and read as one: what is too much for one query is written a piece
 * at a time.
 * @module
 */
import { rm } from 'node:fs/promises';
import type { Engine } from '../engine/engine.ts';

/** The pieces, in the order of their rows. */
export class ParquetPieces {
  readonly #paths: string[] = [];

  /** Takes a file that is to be written now. */
  add(path: string): string {
    this.#paths.push(path);
    return path;
  }

  /** How many there are. */
  get count(): number {
    return this.#paths.length;
  }

  /** A SELECT of the rows of all, in order. */
  sql(engine: Engine): string {
    const all = this.#paths.map((path) => engine.fileSql(path)).join(', ');
    return `SELECT * FROM read_parquet([${all}], hive_partitioning = false)`;
  }

  /** Removes the files, as far as they were written. */
  async remove(): Promise<void> {
    await Promise.all(this.#paths.map((path) => rm(path, { force: true })));
  }
}
