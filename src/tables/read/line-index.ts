/**
 * The line on which each row began, kept as the places where the two stop counting in step.
 * @module
 */

/** Grows row by row. */
export class LineIndex {
  #rows = 0;
  #next = 0;
  readonly #breakRows: number[] = [];
  readonly #breakLines: number[] = [];

  /** How many rows there are. */
  get rows(): number {
    return this.#rows;
  }

  /** Adds a row that began on this line. */
  push(line: number): void {
    if (line !== this.#next) {
      this.#breakRows.push(this.#rows);
      this.#breakLines.push(line);
    }
    this.#rows++;
    this.#next = line + 1;
  }

  /** The line of a row; null where there is no such row. */
  lineOf(row: number): number | null {
    if (row < 0 || row >= this.#rows) return null;
    let low = 0;
    let high = this.#breakRows.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#breakRows[middle] ?? 0) <= row) low = middle;
      else high = middle;
    }
    return (this.#breakLines[low] ?? 1) + row - (this.#breakRows[low] ?? 0);
  }
}
