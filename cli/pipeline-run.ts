/**
 * Carries a plan out: adds files, runs steps, checks; each dataset is planned again when what it needs is there. What
 * fails stops what is made of it, and nothing else.
 * @module
 */
import type { LeakReport } from '../schemas/leak-report.ts';
import type { LockedCheck, PipelineLock } from '../schemas/pipeline-lock.ts';
import type { Sha256Id } from '../schemas/ids.ts';
import { type TableSchema, tableSchema } from '../schemas/table-schema.ts';
import type { Engine } from '../src/engine/engine.ts';
import { HoldoutError } from '../src/errors.ts';
import type { ChainStep } from '../src/lineage/derive-chain.ts';
import { frozenDifference } from '../src/pipeline/frozen.ts';
import { type LockDifference, checkDifference } from '../src/pipeline/lock.ts';
import type { PipelineCheck, PipelineNode } from '../src/pipeline/pipeline.ts';
import { atFiles } from '../src/pipeline/file-error.ts';
import {
  type NodePlan,
  type PlanFacts,
  type StoredVersion,
  type UpToDate,
  planNode,
  settledPlan,
} from '../src/pipeline/plan-run.ts';
import { atCheck } from '../src/pipeline/step-error.ts';
import type { Store } from '../src/store/store.ts';
import { schemaChanges } from '../src/tables/types/schema-changes.ts';
import { type Differs, bringUp } from './bring-up.ts';
import type { CliContext } from './context.ts';
import { type EarlierOrigin, earlierOrigin } from './earlier-origin.ts';
import { asHoldoutError } from './output.ts';
import { findCheckReport, runCheck, withPlaces } from './pipeline-check.ts';
import { entryName } from './snapshots.ts';

/** How it went with one dataset. */
export type NodeOutcome =
  | {
      readonly action: 'add' | 'run' | 'up-to-date';
      readonly node: PipelineNode;
      /** Why it was not up to date; null where it was. */
      readonly reason: string | null;
      readonly plan: UpToDate;
      /** Steps that were taken now, or whose outcome was taken. */
      readonly taken: readonly ChainStep[];
      /** Whether there is a new version. */
      readonly isNew: boolean;
      /** The version before, where it had these rows and came in another way; else null. */
      readonly sameRows: ({ readonly version: string } & EarlierOrigin) | null;
      /** What of the columns changed since the version before, where files were added. */
      readonly changes: readonly string[];
    }
  | { readonly action: 'failed'; readonly node: PipelineNode; readonly error: HoldoutError }
  | { readonly action: 'skipped'; readonly node: PipelineNode; readonly because: readonly string[] };

/** How it went with one check. */
export type CheckOutcome =
  | {
      readonly action: 'check' | 'up-to-date';
      readonly check: PipelineCheck;
      readonly id: Sha256Id;
      readonly report: LeakReport;
    }
  | { readonly action: 'failed'; readonly check: PipelineCheck; readonly error: HoldoutError }
  | { readonly action: 'skipped'; readonly check: PipelineCheck; readonly because: readonly string[] };

/** What a run stands in. */
export interface PipelineRun {
  readonly context: CliContext;
  /** The pipeline file, as people are shown it. */
  readonly file: string;
  readonly store: Store;
  readonly facts: PlanFacts;
  readonly nodes: readonly PipelineNode[];
  readonly checks: readonly PipelineCheck[];
  /** The lock that nothing may differ from; null for a run that is not frozen. */
  readonly frozen: PipelineLock | null;
  readonly onNode: (outcome: NodeOutcome) => Promise<void>;
  readonly onCheck: (outcome: CheckOutcome) => Promise<void>;
}

/** How the run went. A difference to the lock of a frozen run ends it. */
export interface PipelineOutcome {
  readonly nodes: readonly NodeOutcome[];
  readonly checks: readonly CheckOutcome[];
  readonly difference: LockDifference | null;
}

/**
 * Runs what is out of date.
 * @throws HoldoutError INTERRUPTED; what else goes wrong with a dataset or a check is its outcome
 */
export async function runPipeline(run: PipelineRun): Promise<PipelineOutcome> {
  const nodes: NodeOutcome[] = [];
  const checks: CheckOutcome[] = [];
  const bad = new Set<string>();
  let engine: Promise<Engine> | undefined;
  const openEngine = (): Promise<Engine> => (engine ??= run.context.openEngine(run.store));
  for (const node of run.nodes) {
    const outcome = await nodeOutcome(run, node, bad, openEngine);
    if ('difference' in outcome) return { nodes, checks, difference: outcome.difference };
    if (outcome.action === 'failed' || outcome.action === 'skipped') bad.add(node.name);
    nodes.push(outcome);
    await run.onNode(outcome);
  }
  for (const check of run.checks) {
    const outcome = await checkOutcome(run, check, bad);
    checks.push(outcome);
    await run.onCheck(outcome);
    const difference = run.frozen === null ? null : frozenCheck(run.frozen, outcome);
    if (difference !== null) return { nodes, checks, difference };
  }
  return { nodes, checks, difference: null };
}

async function nodeOutcome(
  run: PipelineRun,
  node: PipelineNode,
  bad: ReadonlySet<string>,
  openEngine: () => Promise<Engine>,
): Promise<NodeOutcome | Differs> {
  const because = node.kind === 'files' ? [] : node.needs.filter((need) => bad.has(need));
  if (because.length > 0) return { action: 'skipped', node, because };
  try {
    run.context.mustGoOn();
    const before = await planNode(node, run.facts);
    const early = run.frozen === null ? null : await frozenDifference(run.frozen, before, run.facts);
    if (early !== null) return { difference: early };
    if (before.action === 'up-to-date') {
      return {
        action: 'up-to-date',
        node,
        reason: null,
        plan: before,
        taken: [],
        isNew: false,
        sameRows: null,
        changes: [],
      };
    }
    if (before.action === 'unknown') {
      throw new HoldoutError('NOT_FOUND', `no dataset "${before.until.join('", "')}" in the store`);
    }
    const newest = await run.facts.version(node.name);
    const done = await bringUp({ ...run, openEngine }, before);
    if ('difference' in done) return done;
    const { taken, isNew } = done;
    const after = await planNode(node, run.facts);
    // Another run may have journaled another origin of these rows meanwhile: they are what the pipeline describes.
    const plan = settledPlan(after);
    if (plan === null) {
      const why = reasonOf(after) ?? 'what it is made of changed';
      throw new HoldoutError('CONFLICT', `it is not up to date after its run: ${why}`, {
        hint: 'run it again when nothing else writes to its files or to the store',
      });
    }
    const late = run.frozen === null ? null : await frozenDifference(run.frozen, plan, run.facts);
    if (late !== null) return { difference: late };
    const action = node.kind === 'files' ? 'add' : 'run';
    const sameRows = isNew ? await rowsOfOther(run.store, newest, plan) : null;
    const changes = isNew && action === 'add' ? await columnChanges(run.store, newest, plan) : [];
    return { action, node, reason: reasonOf(before), plan, taken, isNew, sameRows, changes };
  } catch (error) {
    return { action: 'failed', node, error: ownError(run, node.kind === 'files' ? atFiles(node, error) : error) };
  }
}

/** The version before, where it held the same content. */
async function rowsOfOther(
  store: Store,
  before: StoredVersion | null,
  { version }: UpToDate,
): Promise<({ readonly version: string } & EarlierOrigin) | null> {
  if (before === null || before.entry.snapshot !== version.entry.snapshot) return null;
  return { version: entryName(before.entry), ...(await earlierOrigin(store, before.entry, version.entry)) };
}

async function columnChanges(
  store: Store,
  before: StoredVersion | null,
  { version }: UpToDate,
): Promise<readonly string[]> {
  if (before === null || before.snapshot.schema === version.snapshot.schema) return [];
  const schema = async (id: Sha256Id): Promise<TableSchema> => store.getRecord(id, tableSchema);
  return schemaChanges(await schema(before.snapshot.schema), await schema(version.snapshot.schema));
}

function reasonOf(plan: NodePlan): string | null {
  return 'reason' in plan ? plan.reason : null;
}

/** An error that ends a dataset or check; one that ends the run is thrown on. */
function ownError({ context }: PipelineRun, error: unknown): HoldoutError {
  context.mustGoOn();
  const known = asHoldoutError(error);
  if (known === null || known.code === 'INTERRUPTED') throw error;
  return known;
}

async function checkOutcome(run: PipelineRun, check: PipelineCheck, bad: ReadonlySet<string>): Promise<CheckOutcome> {
  const because = [...check.trains, ...check.evals].filter((name) => bad.has(name));
  if (because.length > 0) return { action: 'skipped', check, because };
  try {
    run.context.mustGoOn();
    const kept = await findCheckReport(run.store, check);
    if (kept !== null) {
      const report = await withPlaces(run.context, run.store, check, kept.report);
      return { action: 'up-to-date', check, id: kept.id, report };
    }
    const { id, shown } = await runCheck(run.context, run.store, check);
    return { action: 'check', check, id, report: shown };
  } catch (error) {
    return { action: 'failed', check, error: ownError(run, atCheck(run.file, check, error)) };
  }
}

function frozenCheck(lock: PipelineLock, outcome: CheckOutcome): LockDifference | null {
  const found = lockedCheck(outcome);
  return found === null
    ? null
    : checkDifference(
        lock.checks.find(({ check }) => check === found.check),
        found,
      );
}

/** What stands in the lock for a check; null for one that was not run. */
export function lockedCheck(outcome: CheckOutcome): LockedCheck | null {
  if (outcome.action === 'failed' || outcome.action === 'skipped') return null;
  return { check: outcome.check.label, verdict: outcome.report.verdict, report: outcome.id };
}
