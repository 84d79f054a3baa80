/**
 * `compact`: gives frayed tables new layouts over fewer and fuller parts. The old parts stay where they are until a
 * sweep finds that nothing needs them.
 * @module
 */
import type { Engine } from '../engine/engine.ts';
import type { Store } from '../store/store.ts';
import type { CompactPlan, RepackFamily, RepackJob } from './compact-plan.ts';
import type { CopyRun } from './copy-rows.ts';
import { MovedRows } from './moved-rows.ts';
import { repackTable } from './repack.ts';
import type { Repacked } from './repack.ts';

/** What compacting needs. */
export interface CompactRun {
  readonly store: Store;
  /** Able to read the store and to write to its temporary folder. */
  readonly engine: Engine;
  readonly now: Date;
  /** Called before each table; may throw to end the work between two of them. */
  readonly onTable?: (job: RepackJob) => void;
}

/** A table of a plan, and what came of it. */
export interface RepackOutcome {
  readonly job: RepackJob;
  readonly result: Repacked;
}

/**
 * Carries a plan out, table by table; each is journalled by itself, so that an end in between leaves whole tables.
 * @throws HoldoutError as repacking does
 */
export async function executeCompact(run: CompactRun, { families }: CompactPlan): Promise<readonly RepackOutcome[]> {
  const outcomes: RepackOutcome[] = [];
  for (const family of families) {
    const moved = new MovedRows();
    for (const job of family.jobs) {
      run.onTable?.(job);
      const copy = { ...run, candidates: await candidatesOf(run.store, family), leaving: family.leaving };
      outcomes.push({ job, result: await repackTable(copy, job, moved) });
    }
  }
  return outcomes;
}

/**
 * Rows that another table has by now are not written again: that finishes work which was cut off. A table that was
 * named gets parts of its own.
 */
async function candidatesOf(store: Store, { jobs }: RepackFamily): Promise<CopyRun['candidates']> {
  if (jobs.some(({ why }) => why === 'named' || why === 'strewn')) return [];
  return [...new Set((await store.journal()).layouts.values())];
}
