/**
 * How a JSONL file's bytes differ from its lines joined by LF: gathered block by block, in order.
 * @module
 */
import type { LineFixups } from '../../../schemas/records.ts';
import { BLANKS_MAX, type BlockResult } from './scan-block.ts';

/** Most lines with CRLF that are listed one by one in a file of mixed line ends. */
const MIXED_MAX = 1_000_000;

/** What has been seen of a file's line ends and blank lines. */
export interface FixupState {
  lines: number;
  blanks: [number, string][] | null;
  /** Runs of lines [first, past the last) that end in CRLF; null when there are too many. */
  crlf: (readonly [number, number])[] | null;
  crlfs: number;
}

/** Nothing seen yet. */
export function emptyFixups(): FixupState {
  return { lines: 0, blanks: [], crlf: [], crlfs: 0 };
}

/** Adds the file's next block. */
export function addBlock(state: FixupState, block: BlockResult): void {
  if (state.blanks !== null && block.blanks !== null && state.blanks.length + block.blanks.length <= BLANKS_MAX) {
    for (const [line, text] of block.blanks) state.blanks.push([state.lines + line, text]);
  } else {
    state.blanks = null;
  }
  if (block.crlf === 'all') {
    state.crlf?.push([state.lines, state.lines + block.newlines]);
    state.crlfs += block.newlines;
  } else if (block.crlf !== 'none') {
    state.crlfs += block.crlf.length;
    if (state.crlf !== null && state.crlf.length + block.crlf.length <= MIXED_MAX) {
      for (const line of block.crlf) state.crlf.push([state.lines + line, state.lines + line + 1]);
    } else {
      state.crlf = null;
    }
  }
  state.lines += block.newlines;
}

/** The file's fix-ups; null where they would be too many to list, so that only its bytes can say what it was. */
export function finishFixups(state: FixupState, bom: boolean, finalNewline: boolean): LineFixups | null {
  if (state.blanks === null) return null;
  const rest = { bom, finalNewline, blanks: state.blanks };
  if (state.crlfs === 0) return { ...rest, ends: 'lf' };
  if (state.crlfs === state.lines) return { ...rest, ends: 'crlf' };
  if (state.crlf === null || state.crlfs > MIXED_MAX) return null;
  const ends = state.crlf.flatMap(([first, past]) => Array.from({ length: past - first }, (_, i) => first + i));
  return { ...rest, ends };
}

/** The physical line, from 1, on which a row (from 0) stands. */
export function lineOfRow(fixups: LineFixups, row: number): number {
  // The row stands behind every blank line whose number less the blank lines before it is at most the row's.
  let low = 0;
  let high = fixups.blanks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((fixups.blanks[middle]?.[0] ?? 0) - middle <= row) low = middle + 1;
    else high = middle;
  }
  return row + low + 1;
}
