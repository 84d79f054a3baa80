/**
 * `holdout compact`: moves files that no version needs a row of to quarantine, and deletes those whose grace
 * time is over.
 * @module
 */
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { writeJson, writeLines } from '../output.ts';
import { graceMs, sweep, sweepJson, sweepLines } from '../sweep.ts';

/** Sweeps the store, or says what a sweep would do. */
export const compact: Action = async ({ context, options }) => {
  const dryRun = options.flag('dryRun');
  const grace = graceMs(options.text('grace'));
  const store = await context.openStore();
  const swept = await sweep(store, { now: context.now(), grace, dryRun });
  if (context.json) await writeJson({ dryRun, ...sweepJson(swept) });
  else {
    const lines = sweepLines(swept, dryRun);
    await writeLines(lines.length === 0 ? ['Every stored row is needed.'] : lines);
  }
  return exitStatus.ok;
};
