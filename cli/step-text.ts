/**
 * A step that was taken, as people and programs are told of it: rows in and out, and why rows went.
 * @module
 */
import type { ChainStep } from '../src/lineage/derive-chain.ts';
import { shortStepName } from '../src/lineage/find-step.ts';
import { builtInTransforms } from '../transforms/index.ts';
import { styled } from './output.ts';
import { formatCount, plural, printable } from './text.ts';

/** `1. filter: keep rows where …: 60 → 41 (12 false, 7 null)`; of a step that was named, `1. short rows (filter): …`. */
function stepLine({ step, rowsBefore, rows, counts, notes }: ChainStep, index: number, label?: string): string {
  const short = shortStepName(step.name);
  const name = label === undefined || label === short ? short : `${printable(label)} (${short})`;
  const others = step.datasets.map(({ names }) => (typeof names === 'string' ? names : undefined));
  const why = [countsText(counts, others, step.toldCounts), ...notes.map(printable)].join('; ');
  return `${index + 1}. ${name}: ${printable(step.says)}: ${formatCount(rowsBefore)} → ${formatCount(rows)}${why}`;
}

/** The line of a step, and below it a warning where it left no row: that is seldom meant, and no failure. */
export function stepLines(taken: ChainStep, index: number, label?: string): string[] {
  const line = `${stepLine(taken, index, label)}${taken.reused ? ', reused' : ''}`;
  const empty = emptiedText(taken);
  return empty === null ? [line] : [line, `   ${styled('yellow', 'warning')}: ${empty}`];
}

/** What the person should know of a step: its notes, and whether it left no row. */
export function stepNotes(taken: ChainStep): readonly string[] {
  const empty = emptiedText(taken);
  return empty === null ? taken.notes : [...taken.notes, empty];
}

/** Said of the step that took the last rows, and not of those behind it; null of any other. */
function emptiedText({ step, rowsBefore, rows, counts }: ChainStep): string | null {
  if (rowsBefore === 0 || rows > 0) return null;
  const why =
    step.name === 'holdout/module' && counts['returnedNothing'] === rowsBefore
      ? 'the module returned nothing for every row: is a return missing?'
      : `none of ${plural(rowsBefore, 'row')} came through this step`;
  return `no row is left: ${why}`;
}

/** Names of a step's other datasets, as people know them, in its order. */
export type OtherNames = readonly (string | undefined)[];

/**
 * ` (12 false, 7 null)`: what is not zero, the most first, or what a step tells in its order; nothing where all is zero. A
 * record's order says nothing.
 */
export function countsText(
  counts: Readonly<Record<string, number>>,
  others: OtherNames = [],
  told: readonly string[] | null = null,
): string {
  const listed = told?.map((name): [string, number] => [name, counts[name] ?? 0]);
  const shown = (listed ?? sortedCounts(counts).sort(([, many], [, most]) => most - many))
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${formatCount(count)} ${countWords(name, count, others)}`);
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`;
}

/** What a built-in step, `filter@1`, tells of its counts. */
export function toldCounts(transform: string): readonly string[] | null {
  const found = builtInTransforms.find(({ name, version }) => `${shortStepName(name)}@${version}` === transform);
  return found?.toldCounts ?? null;
}

/** `tooShort` → `too short`, of one `columnsDropped` → `column dropped`, and `ofDataset1` → `of` and its name. */
export function countWords(name: string, count = 2, others: OtherNames = []): string {
  const [, number] = /^ofDataset(\d+)$/.exec(name) ?? [];
  const dataset = number === undefined ? undefined : others[Number(number) - 1];
  if (dataset !== undefined) return `of ${printable(dataset)}`;
  // The rules of `quality` count under the parameter whose bound they set.
  const [, side] = /_(min|max)$/.exec(name) ?? [];
  if (side !== undefined) return `${side === 'min' ? 'below' : 'above'} ${name}`;
  const text = name.replaceAll('_', ' ').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  if (count !== 1) return text;
  return text
    .replace(/\b(column|duplicate|element|file|item|pair|row|share|text|value)s\b/, '$1')
    .replace(/\bcopies\b/, 'copy');
}

/** By name, as records keep them: a first run and a repeat say the same. */
function sortedCounts(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A step as `--json` shows it. */
export function stepJson(taken: ChainStep): Record<string, unknown> {
  const { step, rowsBefore, rows, counts, table } = taken;
  const notes = stepNotes(taken);
  const dropped = Object.fromEntries(sortedCounts(counts));
  return {
    transform: `${step.name}@${step.version}`,
    says: step.says,
    rowsBefore,
    rows,
    dropped,
    table,
    ...(notes.length === 0 ? {} : { notes }),
  };
}
