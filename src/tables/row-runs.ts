/**
 * Sets of rows as ascending runs, `[first, rows]` one after the other.
 * @module
 */

/** An ascending run of row numbers. */
export type RowRun = readonly [first: number, rows: number];

/** The runs of rows for which `wanted` says 1. */
export function runsOf(wanted: (row: number) => boolean, rows: number): RowRun[] {
  const runs: RowRun[] = [];
  let start = -1;
  for (let row = 0; row <= rows; row++) {
    const yes = row < rows && wanted(row);
    if (yes && start < 0) start = row;
    else if (!yes && start >= 0) {
      runs.push([start, row - start]);
      start = -1;
    }
  }
  return runs;
}

/** The part of the runs that lies in `[first, first + rows)`. */
export function runsWithin(runs: readonly RowRun[], first: number, rows: number): RowRun[] {
  const within: RowRun[] = [];
  for (let i = firstRunEndingAfter(runs, first); i < runs.length; i++) {
    const [from, count] = runs[i]!;
    if (from >= first + rows) break;
    const start = Math.max(from, first);
    within.push([start, Math.min(from + count, first + rows) - start]);
  }
  return within;
}

function firstRunEndingAfter(runs: readonly RowRun[], row: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const [from, count] = runs[middle]!;
    if (from + count <= row) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many rows the runs hold. */
export function rowsIn(runs: readonly RowRun[]): number {
  return runs.reduce((sum, [, rows]) => sum + rows, 0);
}
