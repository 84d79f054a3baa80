/**
 * Lines of rows that stand in the order of their files, as filters leave them: the engine leaves the rows between them out
 * and puts the others together, so that no line is looked for here.
 * @module
 */
import { queryLines } from './file-lines.ts';
import type { LineSource, Piece } from './file-lines.ts';

/** `rows` rows of `file` from `from` on. */
export interface FileRun {
  readonly file: number;
  readonly from: number;
  readonly rows: number;
}

/** Rows of a file among which wanted ones are picked at once; each is a byte of the query. */
const spanRowsMax = 1 << 22;

/** Whether the rows of each file stand together and in its order, none of them twice. */
export function ascend(runs: readonly FileRun[]): boolean {
  const files = new Set<number>();
  for (const [index, { file, from }] of runs.entries()) {
    const last = runs[index - 1];
    if (last === undefined || last.file !== file) {
      if (files.has(file)) return false;
      files.add(file);
    } else if (from < last.from + last.rows) return false;
  }
  return true;
}

/**
 * The lines of runs that ascend, in their order. Row groups in which no row is wanted are not read.
 * @throws HoldoutError `STORE_CORRUPT` when a file holds other rows
 */
export async function ascendingLines(source: LineSource, runs: readonly FileRun[]): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for (let first = 0; first < runs.length;) {
    const end = spanEnd(runs, first);
    const { file, from } = runs[first]!;
    const last = runs[end - 1]!;
    const to = last.from + last.rows;
    let used: Uint8Array | undefined;
    if (end - first > 1) {
      used = new Uint8Array(to - from);
      for (let i = first; i < end; i++) {
        const run = runs[i]!;
        used.fill(1, run.from - from, run.from - from + run.rows);
      }
    }
    for (const piece of await queryLines(source, file, from, to, used)) pieces.push(piece);
    first = end;
  }
  return pieces;
}

/** One past the last run that is read together with `runs[first]`. */
function spanEnd(runs: readonly FileRun[], first: number): number {
  const { file, from } = runs[first]!;
  let end = first + 1;
  for (; end < runs.length; end++) {
    const run = runs[end]!;
    if (run.file !== file || run.from + run.rows - from > spanRowsMax) break;
  }
  return end;
}
