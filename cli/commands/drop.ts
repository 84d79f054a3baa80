/**
 * `holdout drop`: frees the rows of a derived version, which are made again when they are read.
 * @module
 */
import { executeDrop, planDrop } from '../../src/lineage/rebuild.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { entryName } from '../snapshots.ts';
import { graceMs, sweep, sweepJson, sweepLines } from '../sweep.ts';
import { plural } from '../text.ts';

/** Replays the version's steps, and drops it where they give the same ids. */
export const drop: Action = async ({ context, operands, options }) => {
  const dryRun = options.flag('dryRun');
  const store = await context.openStore();
  const entry = await versionEntry(store, operands[0] ?? '');
  const engine = await context.openEngine(store);
  const runCode = options.flag('runCode');
  const run = { store, engine, transforms: builtInTransforms, threads: context.threads, now: context.now(), runCode };
  const plan = await planDrop(run, entry);
  if (!dryRun) await executeDrop(run, plan);
  const swept = dryRun ? null : await sweep(store, { now: run.now, grace: graceMs(undefined), dryRun });
  const version = entryName(entry);
  if (context.json) {
    await writeJson({ version, dryRun, tables: plan.tables, sweep: swept === null ? null : sweepJson(swept) });
    return exitStatus.ok;
  }
  const what = plural(plan.tables.length, 'table');
  const restore = `\`holdout reproduce ${version} --run-code --restore\` rebuilds it, by your code as it is then`;
  const again = plan.code ? restore : 'reading it rebuilds it';
  await writeLines([
    dryRun
      ? `${version} would be dropped: ${what}, each made again with the same id`
      : `${version} is dropped: ${what}, each made again with the same id; ${again}`,
    ...(swept === null ? [] : sweepLines(swept, dryRun)),
  ]);
  return exitStatus.ok;
};
