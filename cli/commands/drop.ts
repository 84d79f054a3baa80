/**
 * `holdout drop`: frees the rows of a derived version, which are made again when they are read.
 * @module
 */
import { type Unreadable, unreadableWithout } from '../../src/lineage/drop-effects.ts';
import { executeDrop, planDrop } from '../../src/lineage/rebuild.ts';
import { sameRowsAs } from '../../src/lineage/table-holders.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { remark, writeJson, writeLines } from '../output.ts';
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
  // Told of the store as it was before: what a drop takes from others is seen by what they were.
  const same = (await sameRowsAs(store, entry, plan.tables)).map(entryName);
  const unreadable = await unreadableWithout(store, builtInTransforms, plan.tables);
  if (!dryRun) await executeDrop(run, plan);
  const swept = dryRun ? null : await sweep(store, { now: run.now, grace: graceMs(undefined), dryRun });
  const version = entryName(entry);
  if (context.json) {
    await writeJson({
      version,
      dryRun,
      tables: plan.tables,
      same,
      unreadable: unreadable.map((each) => entryName(each.entry)),
      sweep: swept === null ? null : sweepJson(swept),
    });
    return exitStatus.ok;
  }
  const what = plural(plan.tables.length, 'table');
  const restore = `\`holdout reproduce ${version} --run-code --restore\` rebuilds it, by your code as it is then`;
  const again = plan.code ? restore : 'reading it rebuilds it';
  await writeLines([
    dryRun
      ? `${version} would be dropped: ${what}, each made again with the same id`
      : `${version} is dropped: ${what}, each made again with the same id; ${again}`,
    ...(same.length === 0 ? [] : [`${dryRun ? 'would also free' : 'also frees'} ${same.join(', ')}: the same rows`]),
    ...(swept === null ? [] : sweepLines(swept, dryRun)),
  ]);
  for (const line of unreadableLines(unreadable)) remark(line);
  return exitStatus.ok;
};

/** One for each version whose code is in the way. */
function unreadableLines(unreadable: readonly Unreadable[]): string[] {
  const makers = [...new Set(unreadable.map(({ maker }) => entryName(maker)))];
  return makers.map((maker) => {
    const each = unreadable.filter((one) => entryName(one.maker) === maker).map(({ entry }) => entryName(entry));
    const names = each.join(', ');
    const [were, comes] = each.length === 1 ? ['was', 'it comes'] : ['were', 'they come'];
    const back = `\`holdout reproduce ${maker} --run-code --restore\``;
    return `note: ${names}, which ${were} dropped before, can no longer be read without running code of your own: ${comes} back by reading after ${back}`;
  });
}
