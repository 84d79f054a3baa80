/**
 * `holdout compact`: gives frayed tables fewer and fuller parts, moves files that nothing needs to quarantine, and deletes
 * those whose grace time is over.
 * @module
 */
import { snapshotRecord } from '../../schemas/records.ts';
import { executeCompact } from '../../src/snapshots/compact.ts';
import type { RepackOutcome } from '../../src/snapshots/compact.ts';
import { storeFacts } from '../../src/snapshots/compact-facts.ts';
import { planFrayed, planNamed } from '../../src/snapshots/compact-plan.ts';
import type { CompactPlan } from '../../src/snapshots/compact-plan.ts';
import { tableKey } from '../../src/store/journal-state.ts';
import type { TableKey } from '../../src/store/journal-state.ts';
import type { Store } from '../../src/store/store.ts';
import type { Action } from '../command-spec.ts';
import { compactJson, compactLines } from '../compact-text.ts';
import type { LeftVersion } from '../compact-text.ts';
import type { CliContext } from '../context.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { writeJson, writeLines } from '../output.ts';
import { startProgress } from '../progress.ts';
import { entryName } from '../snapshots.ts';
import { graceMs, sweep } from '../sweep.ts';

/** Repacks and sweeps the store, or says what that would do. */
export const compact: Action = async ({ context, operands, options }) => {
  const dryRun = options.flag('dryRun');
  const grace = graceMs(options.text('grace'));
  const store = await context.openStore();
  const { plan, left } = await planOf(store, operands);
  const outcomes = dryRun ? [] : await execute(context, store, plan);
  const swept = await sweep(store, { now: context.now(), grace, dryRun });
  const told = { dryRun, plan, left, outcomes, swept };
  if (context.json) await writeJson(await compactJson(store, told));
  else await writeLines(await compactLines(store, told));
  return exitStatus.ok;
};

async function planOf(
  store: Store,
  names: readonly string[],
): Promise<{ plan: CompactPlan; left: readonly LeftVersion[] }> {
  const wanted = new Map<TableKey, string>();
  for (const name of names) {
    const entry = await versionEntry(store, name);
    wanted.set(tableKey(await store.getRecord(entry.snapshot, snapshotRecord)), entryName(entry));
  }
  const facts = await storeFacts(store);
  if (names.length === 0) return { plan: planFrayed(facts), left: [] };
  const plan = planNamed(facts, ({ ref }) => wanted.has(tableKey(ref)));
  const { dropped } = await store.journal();
  const gone = [...wanted].filter(([key]) => dropped.has(key));
  const left = [
    ...plan.left.map(({ table, why }) => ({ version: wanted.get(tableKey(table.ref)) ?? '', why })),
    ...gone.map(([, version]) => ({ version, why: 'its rows were dropped' })),
  ];
  return { plan, left };
}

async function execute(context: CliContext, store: Store, plan: CompactPlan): Promise<readonly RepackOutcome[]> {
  if (plan.families.length === 0) return [];
  const engine = await context.openEngine(store);
  const progress = startProgress('repacking', 'rows');
  const rows = plan.families.flatMap(({ jobs }) => jobs).reduce((sum, { table }) => sum + table.rows, 0);
  let done = 0;
  try {
    return await executeCompact(
      {
        store,
        engine,
        now: context.now(),
        onTable: ({ table }) => {
          context.mustGoOn();
          progress.update(done, rows);
          done += table.rows;
        },
      },
      plan,
    );
  } finally {
    progress.end();
  }
}
