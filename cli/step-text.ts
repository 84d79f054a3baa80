/**
 * A step that was taken, as people and programs are told of it: rows in and out, and why rows went.
 * @module
 */
import type { ChainStep } from '../src/lineage/derive-chain.ts';
import { shortStepName } from '../src/lineage/find-step.ts';
import { formatCount, printable } from './text.ts';

/** `1. filter: keep rows where …: 60 → 41 (12 false, 7 null)`. */
export function stepLine({ step, rowsBefore, rows, counts }: ChainStep, index: number): string {
  const why = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${formatCount(count)} ${words(reason, count)}`);
  const gone = why.length === 0 ? '' : ` (${why.join(', ')})`;
  return `${index + 1}. ${shortStepName(step.name)}: ${printable(step.says)}: ${formatCount(rowsBefore)} → ${formatCount(rows)}${gone}`;
}

/** `tooShort` → `too short`, and of one `columnsDropped` → `column dropped`. */
function words(reason: string, count: number): string {
  const text = reason.replaceAll('_', ' ').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return count === 1 ? text.replace(/\b(column|row|value)s\b/, '$1') : text;
}

/** A step as `--json` shows it. */
export function stepJson({ step, rowsBefore, rows, counts, table }: ChainStep): Record<string, unknown> {
  return { transform: `${step.name}@${step.version}`, says: step.says, rowsBefore, rows, dropped: counts, table };
}
