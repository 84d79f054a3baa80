/**
 * Moving what nothing needs to quarantine, as `drop` and `compact` do it.
 * @module
 */
import { HoldoutError } from '../src/errors.ts';
import type { SweepPlan, UnneededFile } from '../src/store/quarantine.ts';
import type { Store } from '../src/store/store.ts';
import { partsOfLayout } from '../src/tables/stored-parts.ts';
import { formatBytes, plural } from './text.ts';

const dayMs = 24 * 60 * 60 * 1000;
const graceDaysDefault = 14;

/** How a sweep went. */
export interface Swept {
  readonly plan: SweepPlan;
  /** How many other commands have the store open; with any, nothing was moved. */
  readonly others: number;
}

/** Milliseconds of `--grace DAYS`. @throws HoldoutError USAGE */
export function graceMs(text: string | undefined): number {
  if (text === undefined) return graceDaysDefault * dayMs;
  if (!/^[0-9]{1,5}$/.test(text)) {
    throw new HoldoutError('USAGE', `--grace takes a whole number of days up to 99999, got "${text}"`);
  }
  return Number(text) * dayMs;
}

/** Plans a sweep and, unless told otherwise, carries it out where nobody else has the store open. */
export async function sweep(
  store: Store,
  { now, grace, dryRun }: { readonly now: Date; readonly grace: number; readonly dryRun: boolean },
): Promise<Swept> {
  const times = { now: now.getTime(), graceMs: grace };
  const { plan, others } = await (dryRun ? store.planSweep(partsOfLayout, times) : store.sweep(partsOfLayout, times));
  return { plan, others: others.length };
}

/** What a sweep did or would do, for people. */
export function sweepLines({ plan, others }: Swept, dryRun: boolean): string[] {
  const would = dryRun ? 'would be ' : '';
  if (others > 0 && !dryRun && plan.move.length + plan.remove.length > 0) {
    return [
      `Nothing was moved: ${plural(others, 'other command')} at work on the store. \`holdout compact\` does it later.`,
    ];
  }
  return [
    ...lineOf(plan.back, `${would}taken back from quarantine`),
    ...lineOf(plan.move, `${would}moved to quarantine`),
    ...lineOf(plan.remove, `${would}deleted from quarantine`),
    ...lineOf(plan.waiting, `in quarantine, until ${plan.waiting.length === 1 ? 'its' : 'their'} grace time is over`),
  ];
}

/** A sweep as `--json` shows it. */
export function sweepJson({ plan, others }: Swept): Record<string, unknown> {
  const { move, remove, waiting, back } = plan;
  return { moved: told(move), removed: told(remove), waiting: told(waiting), back: told(back), otherCommands: others };
}

function bytesOf(files: readonly UnneededFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}

function lineOf(files: readonly UnneededFile[], what: string): string[] {
  return files.length === 0 ? [] : [`${plural(files.length, 'file')} (${formatBytes(bytesOf(files))}) ${what}`];
}

function told(files: readonly UnneededFile[]): Record<string, number> {
  return { files: files.length, bytes: bytesOf(files) };
}
