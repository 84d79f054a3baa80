/**
 * What a plan can know of a run's mistakes: a step that would run is tried on no rows under the columns that its input
 * has, so that a column that is not there and a SQL text that cannot be read are told before a run, in its words.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { TableRef } from '../../schemas/records.ts';
import { type TableSchema, tableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { recogniseFields } from '../leakage/fields.ts';
import { bindStep } from '../lineage/bind-step.ts';
import { withStepContext } from '../lineage/step-context.ts';
import type { PreparedStep } from '../lineage/transform.ts';
import type { Store } from '../store/store.ts';
import type { Layout } from '../tables/layout.ts';
import { openLayout } from '../tables/table-reader.ts';
import { checkFieldsOf } from './file-error.ts';
import type { DerivedNode, FileNode } from './pipeline.ts';
import type { NodePlan, PlanFacts } from './plan-run.ts';
import { atStep } from './step-error.ts';
import { versionMeant } from './store-facts.ts';

/** What trying stands in. */
export interface CheckPlace {
  readonly store: Store;
  readonly facts: PlanFacts;
  /** Opened when the first step is tried. */
  readonly openEngine: () => Promise<Engine>;
  readonly threads: number;
}

type Planned = Extract<NodePlan, { action: 'add' | 'run' }>;

const noRows: Layout = { rows: 0, parts: [], pieces: [] };

/** The plans; one that would run, and is known to fail before it has read a row, is a failed one. */
export async function checkPlans(place: CheckPlace, plans: readonly NodePlan[]): Promise<readonly NodePlan[]> {
  const checked: NodePlan[] = [];
  for (const plan of plans) {
    const error = plan.action === 'add' || plan.action === 'run' ? await errorOf(place, plan) : null;
    checked.push(error === null ? plan : { action: 'failed', node: plan.node, error });
  }
  return checked;
}

async function errorOf(place: CheckPlace, plan: Planned): Promise<HoldoutError | null> {
  try {
    if (plan.node.kind === 'files') await tryFields(place, plan.node, plan);
    else await trySteps(place, plan.node, plan);
    return null;
  } catch (error) {
    // Anything else may come of there being no rows, and is the run's to say.
    if (error instanceof HoldoutError && (error.code === 'USAGE' || error.code === 'INPUT_INVALID')) return error;
    if (error instanceof HoldoutError && error.code === 'INTERRUPTED') throw error;
    return null;
  }
}

/** Of files that were read before. */
async function tryFields({ store }: CheckPlace, node: FileNode, { steps: [read] }: Planned): Promise<void> {
  if (read === undefined || (node.role !== 'eval' && node.fields === undefined)) return;
  const schema: TableSchema = await store.getRecord(read.outcome.output.schema, tableSchema);
  checkFieldsOf(node, schema, node.fields ?? recogniseFields(schema));
}

/** The first step that would run, and those behind it for as long as the columns are known. */
async function trySteps(place: CheckPlace, node: DerivedNode, { steps: known }: Planned): Promise<void> {
  const { store, facts } = place;
  const base = known.at(-1)?.outcome.output ?? (await facts.version(node.from))?.snapshot;
  if (base === undefined) return;
  let schema: TableSchema | null = await store.getRecord(base.schema, tableSchema);
  const folder = await facts.folder(node.steps.map(({ step }) => step));
  for (const [index, { step }] of node.steps.entries()) {
    if (index < known.length || schema === null) continue;
    const ref = { table: base.table, schema: base.schema };
    schema = await tryStep(place, step, { ref, schema, folder }).catch((error: unknown) => {
      throw atStep(node, index, error);
    });
  }
}

interface TriedInput {
  readonly ref: TableRef;
  readonly schema: TableSchema;
  readonly folder: string;
}

/** The columns that a step gives, where that is known without running code of the person's own; else null. */
async function tryStep(
  { store, facts, openEngine, threads }: CheckPlace,
  step: PreparedStep,
  { ref, schema, folder }: TriedInput,
): Promise<TableSchema | null> {
  if (step.code !== null) return null;
  const resolve = async (name: string): Promise<Sha256Id> => (await versionMeant(facts, name)).entry.snapshot;
  const bound = await bindStep({ store, resolve, folder }, step, ref);
  const others = bound.others.map((other) => ({ ...other, layout: noRows }));
  const engine = await openEngine();
  const reader = await openLayout(store, engine, schema, noRows);
  try {
    const input = { ref, reader, layout: noRows };
    return await withStepContext({ store, engine, threads, folder }, others, input, async (context) => {
      const output = await step.run(context);
      if (output.kind === 'rows') return schema;
      // The types of a table that was put together may hang on its rows.
      return output.kind === 'columns' ? output.schema : null;
    });
  } finally {
    await reader.close();
  }
}
