/**
 * Makes one dataset of a pipeline what its plan says: adds its files, runs its steps, or journals how its rows come.
 * @module
 */
import type { PipelineLock } from '../schemas/pipeline-lock.ts';
import type { Engine } from '../src/engine/engine.ts';
import { recogniseFields } from '../src/leakage/fields.ts';
import { versionMeant } from '../src/pipeline/store-facts.ts';
import { type ChainStep, deriveChain } from '../src/lineage/derive-chain.ts';
import type { PreparedStep } from '../src/lineage/transform.ts';
import { checkFieldsOf } from '../src/pipeline/file-error.ts';
import { frozenRead } from '../src/pipeline/frozen.ts';
import type { LockDifference } from '../src/pipeline/lock.ts';
import type { DerivedNode, FileNode } from '../src/pipeline/pipeline.ts';
import type { NodePlan, PlanFacts, PlannedStep } from '../src/pipeline/plan-run.ts';
import { atStep } from '../src/pipeline/step-error.ts';
import { readDataset } from '../src/snapshots/add.ts';
import { journalSameRows } from '../src/snapshots/same-rows.ts';
import type { Store } from '../src/store/store.ts';
import type { CliContext } from './context.ts';
import { openChain } from './derive.ts';
import { remark } from './output.ts';
import { startProgress } from './progress.ts';

/** What it stands in. */
export interface BringingUp {
  readonly context: CliContext;
  readonly store: Store;
  readonly facts: PlanFacts;
  /** The lock that nothing may differ from; null for a run that is not frozen. */
  readonly frozen: PipelineLock | null;
  readonly openEngine: () => Promise<Engine>;
}

type OutOfDate = Extract<NodePlan, { action: 'add' | 'run' }>;

/** What the lock says otherwise; nothing was registered. */
export interface Differs {
  readonly difference: LockDifference;
}

/** What was done for a dataset. */
export interface BroughtUp {
  readonly taken: readonly ChainStep[];
  readonly isNew: boolean;
}

/**
 * Runs or reads what is not up to date; where only the origin of the rows is another, journals that.
 * @throws HoldoutError as the steps, reading and the store do
 */
export async function bringUp(run: BringingUp, plan: OutOfDate): Promise<BroughtUp | Differs> {
  const { node, sameRows, steps } = plan;
  if (sameRows === null || sameRows.origin === null) {
    return node.kind === 'files' ? addFiles(run, node) : derive(run, node);
  }
  const { version, origin } = sameRows;
  const known = steps.map(({ outcome }) => outcome);
  const entry = await journalSameRows(run.store, version.entry, { origin, steps: known }, run.context.now());
  const taken = steps.flatMap((planned, index): ChainStep[] => {
    const step = node.kind === 'derived' ? node.steps[index]?.step : undefined;
    return step === undefined ? [] : [takenStep(step, planned)];
  });
  return { taken, isNew: entry !== null };
}

function takenStep(step: PreparedStep, { rowsBefore, outcome }: PlannedStep): ChainStep {
  const { output, counts } = outcome;
  const { rows, table } = output;
  return { step, rowsBefore: rowsBefore ?? rows, rows, table, counts, reused: true, notes: [] };
}

/** Schema and fields hang on the files and the pipeline alone. */
async function addFiles(run: BringingUp, node: FileNode): Promise<BroughtUp | Differs> {
  const { context, store, frozen, facts } = run;
  const progress = startProgress(`adding ${node.name}`);
  const { role, fields, schema, infer, raw, format } = node;
  const read = await readDataset(
    store,
    node.name,
    node.files,
    // The lineage of a name is what the file says now.
    { role, fields, schema, infer, raw, format, fresh: true, recipeCounts: true },
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
  const difference = frozen === null ? null : await frozenRead(frozen, node, read.derivation, facts);
  if (difference !== null) return { difference };
  const result = await read.commit();
  for (const note of result.notes) remark(`${node.name}: ${note}`);
  return { taken: [], isNew: result.created };
}

async function derive({ context, store, facts, openEngine }: BringingUp, node: DerivedNode): Promise<BroughtUp> {
  const base = await versionMeant(facts, node.from);
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
