/**
 * Carries a plan out: adds files, runs steps, checks; each dataset is planned again when what it needs is there. What
 * fails stops what is made of it, and nothing else.
 * @module
 */
import type { LeakReport } from '../schemas/leak-report.ts';
import { type LockedCheck, type PipelineLock } from '../schemas/pipeline-lock.ts';
import { type Sha256Id, sha256Id } from '../schemas/ids.ts';
import { type TableSchema, tableSchema } from '../schemas/table-schema.ts';
import type { Engine } from '../src/engine/engine.ts';
import { HoldoutError } from '../src/errors.ts';
import { recogniseFields } from '../src/leakage/fields.ts';
import { type ChainStep, deriveChain } from '../src/lineage/derive-chain.ts';
import {
  type LockDifference,
  checkDifference,
  datasetDifference,
  lockedDataset,
  stepsDifference,
  stepsOfPlan,
} from '../src/pipeline/lock.ts';
import type { DerivedNode, FileNode, PipelineCheck, PipelineNode } from '../src/pipeline/pipeline.ts';
import { type NodePlan, type PlanFacts, type StoredVersion, planNode } from '../src/pipeline/plan-run.ts';
import { derivationChanges } from '../src/pipeline/derivation-changes.ts';
import { atFiles, checkFieldsOf } from '../src/pipeline/file-error.ts';
import { atCheck, atStep } from '../src/pipeline/step-error.ts';
import { addDataset } from '../src/snapshots/add.ts';
import type { Store } from '../src/store/store.ts';
import { schemaChanges } from '../src/tables/types/schema-changes.ts';
import type { CliContext } from './context.ts';
import { openChain } from './derive.ts';
import { otherRecipe } from './other-recipe.ts';
import { asHoldoutError, remark } from './output.ts';
import { findCheckReport, runCheck, withPlaces } from './pipeline-check.ts';
import { startProgress } from './progress.ts';
import { entryName } from './snapshots.ts';

type UpToDate = Extract<NodePlan, { action: 'up-to-date' }>;

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
      /** The version before, which held these rows by another recipe; null where there is none. */
      readonly sameRows: { readonly version: string; readonly madeBy: string } | null;
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
    if ('difference' in outcome) {
      return { nodes, checks, difference: await withChanges(run.facts, node, outcome.difference) };
    }
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
): Promise<NodeOutcome | { readonly difference: LockDifference }> {
  const because = node.kind === 'files' ? [] : node.needs.filter((need) => bad.has(need));
  if (because.length > 0) return { action: 'skipped', node, because };
  try {
    run.context.mustGoOn();
    const before = await planNode(node, run.facts);
    const early = frozenNode(run.frozen, before);
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
    const { taken, isNew } = node.kind === 'files' ? await addFiles(run, node) : await derive(run, node, openEngine);
    const plan = await planNode(node, run.facts);
    if (plan.action !== 'up-to-date') {
      const why = 'reason' in plan ? plan.reason : 'what it is made of changed';
      throw new HoldoutError('CONFLICT', `it is not up to date after its run: ${why}`, {
        hint: 'run it again when nothing else writes to its files or to the store',
      });
    }
    const late = frozenNode(run.frozen, plan);
    if (late !== null) return { difference: late };
    const action = node.kind === 'files' ? 'add' : 'run';
    const sameRows = isNew && action === 'run' ? await rowsOfOther(run.store, newest, plan) : null;
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
  { version, steps }: UpToDate,
): Promise<{ readonly version: string; readonly madeBy: string } | null> {
  if (before === null || before.entry.snapshot !== version.entry.snapshot) return null;
  const madeBy = await otherRecipe(store, before.entry, steps);
  return madeBy === null ? null : { version: entryName(before.entry), madeBy };
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

/** Files whose rows are what they were make no version. Schema and fields hang on the files and the pipeline alone. */
async function addFiles(
  { context, store }: PipelineRun,
  node: FileNode,
): Promise<{ readonly taken: readonly ChainStep[]; readonly isNew: boolean }> {
  const progress = startProgress(`adding ${node.name}`);
  const { role, fields, schema, infer, raw, format } = node;
  const result = await addDataset(
    store,
    node.name,
    node.files,
    { role, fields, schema, infer, raw, format, fresh: true },
    {
      now: context.now(),
      holdoutVersion: context.holdoutVersion,
      threads: context.threads,
      recogniseFields,
      checkFields: (types, roles) => checkFieldsOf(node, types, roles),
      onProgress: (done, total) => progress.update(done, total),
      signal: context.signal,
    },
  ).finally(() => progress.end());
  for (const note of result.notes) remark(`${node.name}: ${note}`);
  return { taken: [], isNew: result.created };
}

async function derive(
  { context, store, facts }: PipelineRun,
  node: DerivedNode,
  openEngine: () => Promise<Engine>,
): Promise<{ readonly taken: readonly ChainStep[]; readonly isNew: boolean }> {
  const base = await facts.version(node.from);
  if (base === null) throw new HoldoutError('NOT_FOUND', `no dataset "${node.from}" in the store`);
  const steps = node.steps.map(({ step }) => step);
  const folder = await facts.folder(steps);
  const asked = { store, engine: await openEngine(), base: base.entry, name: node.name, steps, folder };
  const { run, reader } = await openChain(context, asked);
  const progress = startProgress(node.name, 'rows');
  let at = 0;
  let inputRows = 0;
  try {
    const { version, steps: taken } = await deriveChain({
      ...run,
      // The lineage of a name is what the file says now.
      recipeCounts: true,
      onStep(_, rows) {
        at += 1;
        inputRows = rows;
        progress.phase(`${node.name}, step ${at} of ${steps.length}: ${node.steps[at - 1]?.label ?? ''}`);
        progress.update(0, rows);
      },
      onProgress: (done) => progress.update(done, inputRows),
    });
    return { taken, isNew: version.isNew };
  } catch (error) {
    throw atStep(node, at - 1, error);
  } finally {
    progress.end();
    await reader.close();
  }
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

/** What of a step changed, where its derivation is another than the lock's. */
async function withChanges(facts: PlanFacts, node: PipelineNode, difference: LockDifference): Promise<LockDifference> {
  if (difference.what !== 'derivation' || difference.found === null) return difference;
  const found = await facts.asked(sha256Id.parse(difference.found));
  if (found === null) return difference;
  const locked = difference.locked === null ? null : await facts.asked(sha256Id.parse(difference.locked));
  const step = node.kind === 'derived' ? node.steps[stepIndex(difference)]?.step : undefined;
  if (locked !== null) return { ...difference, changes: derivationChanges(locked, found, step ?? null) };
  const says = step?.says;
  if (difference.locked === null || says === undefined) return difference;
  const unknown = 'this store has never run the step of the lock, so what changed is not known';
  return { ...difference, changes: [unknown, `it asks now: ${says}`] };
}

function stepIndex({ step }: LockDifference): number {
  return Number(/^step (\d+)/.exec(step ?? '')?.[1] ?? 0) - 1;
}

/** A dataset as messages name it. */
function nodeTitle({ section, name }: Pick<PipelineNode, 'section' | 'name'>): string {
  return section === 'evals' ? `eval set "${name}"` : `dataset "${name}"`;
}

/** The first id of a plan that is not the lock's; before a run of the steps that are known, and of the next one. */
function frozenNode(lock: PipelineLock | null, plan: NodePlan): LockDifference | null {
  if (lock === null || plan.action === 'unknown' || plan.action === 'failed') return null;
  const { section, name } = plan.node;
  const locked = Object.hasOwn(lock[section], name) ? lock[section][name] : undefined;
  const of = nodeTitle(plan.node);
  if (locked === undefined) return { of, step: null, what: 'entry', locked: null, found: null };
  if (plan.action === 'up-to-date') return datasetDifference(of, locked, lockedDataset(plan));
  return stepsDifference(of, locked, stepsOfPlan(plan.steps, plan.next));
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
