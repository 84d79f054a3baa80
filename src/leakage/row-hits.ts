/**
 * How much of a form a row can hold at most, by the runs that the kernel saw in it: most candidates need not be read.
 * @module
 */
import type { EvalIndex, Form } from './eval-index.ts';

/** The hits of a batch, row by row. */
export class RowHits {
  readonly #hits: Uint32Array;
  readonly #kernelRun: Int32Array;
  /** The last row, counted from 1, that each run was seen in. */
  readonly #seen: Int32Array;
  #next = 0;
  #row = -1;

  /** `hits` are pairs of row and run, by ascending row. */
  constructor(hits: Uint32Array, index: EvalIndex) {
    this.#hits = hits;
    this.#kernelRun = index.kernelRun;
    this.#seen = new Int32Array(index.table.grams);
  }

  /** Goes on to a row behind the last one. */
  moveTo(row: number): void {
    const hits = this.#hits;
    while ((hits[this.#next] ?? Number.POSITIVE_INFINITY) <= row) {
      if (hits[this.#next] === row) this.#seen[hits[this.#next + 1] ?? 0] = row + 1;
      this.#next += 2;
    }
    this.#row = row;
  }

  /** Tokens of a form that the row's runs cover, wherever in the row they stand. The kernel misses none of them. */
  coveredAtMost({ grams, n }: Form): number {
    let covered = 0;
    let end = 0;
    for (let place = 0; place < grams.length; place++) {
      const run = this.#kernelRun[grams[place] ?? 0] ?? -1;
      if (run === -1 || this.#seen[run] !== this.#row + 1) continue;
      covered += place + n - Math.max(place, end);
      end = place + n;
    }
    return covered;
  }
}
