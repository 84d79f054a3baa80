/**
 * How many bytes the rows of one row group can come to. The engine holds a row group until it is whole, so that long
 * rows need smaller ones.
 * @module
 */
import { rowsPerGroup } from './part-file.ts';

/** A bound on the bytes of any `rowsPerGroup` consecutive rows, taken from rows that are added block by block. */
export class RowWeight {
  readonly #blocks: { readonly rows: number; readonly bytes: number }[] = [];
  /** Of the blocks kept. */
  #rows = 0;
  #bytes = 0;
  #bytesMax = 0;

  /** No `rowsPerGroup` consecutive rows have more bytes than this. */
  get bytesMax(): number {
    return this.#bytesMax;
  }

  /** Adds the rows that follow. */
  add(rows: number, bytes: number): void {
    if (rows === 0) return;
    this.#blocks.push({ rows, bytes });
    this.#rows += rows;
    this.#bytes += bytes;
    // A group that ends in the block just added reaches back to its first row at most.
    while (this.#rows - this.#blocks[0]!.rows + 1 - rows >= rowsPerGroup) {
      const first = this.#blocks.shift()!;
      this.#rows -= first.rows;
      this.#bytes -= first.bytes;
    }
    this.#bytesMax = Math.max(this.#bytesMax, this.#bytes);
  }
}
