/**
 * What a run would do, and why: a function of the pipeline and of what the store holds. It runs no step and writes
 * nothing; the executor plans each dataset again when what it is made of is up to date.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type {
  DerivationRecord,
  FieldRoles,
  RealisationRecord,
  SnapshotRecord,
  TableRef,
} from '../../schemas/records.ts';
import { recordId } from '../identity/canonical-json.ts';
import { sameRecipe } from '../lineage/derive-version.ts';
import type { PreparedStep } from '../lineage/transform.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import { derivationChanges } from './derivation-changes.ts';
import { atFiles } from './file-error.ts';
import type { FileState } from './file-state.ts';
import type { DerivedNode, FileNode, NodeStep, PipelineNode } from './pipeline.ts';
import { atStep } from './step-error.ts';

/** What a line takes. */
const changesShown = 2;

/** A version with its record. */
export interface StoredVersion {
  readonly entry: VersionEntry;
  readonly snapshot: SnapshotRecord;
}

/** What a derivation came to in an earlier run. */
export interface Outcome {
  readonly output: RealisationRecord['output'];
  readonly counts: Readonly<Record<string, number>>;
}

/** What the plan may ask; nothing of it changes anything. */
export interface PlanFacts {
  /** The version that NAME or NAME@VERSION means, or null. */
  version(text: string): Promise<StoredVersion | null>;
  files(node: FileNode): Promise<FileState>;
  /** Roles of the fields where the file names none. */
  fields(node: FileNode, schema: Sha256Id): Promise<FieldRoles>;
  /** The derivation of a step, where each dataset that its parameters name means its version of now. */
  derivation(step: PreparedStep, input: TableRef, folder: string): Promise<Sha256Id>;
  /** What a derivation asks for: one that was asked of `derivation`, or that the store has; else null. */
  asked(derivation: Sha256Id): Promise<DerivationRecord | null>;
  /** Where paths in the parameters of steps begin. */
  folder(steps: readonly PreparedStep[]): Promise<string>;
  /** Known also where the rows were dropped: reading makes them again. */
  realised(derivation: Sha256Id): Promise<Outcome | null>;
}

/** A step whose outcome is known. */
export interface PlannedStep {
  /** Name and version of the transform: `holdout/filter@1`. */
  readonly transform: string;
  readonly label: string;
  readonly says: string;
  readonly derivation: Sha256Id;
  /** Rows before; null for a read step. */
  readonly rowsBefore: number | null;
  readonly outcome: Outcome;
}

/** What a run would do with one dataset. */
export type NodePlan =
  | {
      readonly action: 'up-to-date';
      readonly node: PipelineNode;
      readonly version: StoredVersion;
      readonly steps: readonly PlannedStep[];
    }
  | {
      readonly action: 'add' | 'run';
      readonly node: PipelineNode;
      readonly reason: string;
      /** Steps that need no run. */
      readonly steps: readonly PlannedStep[];
      /** The first step that does, where its derivation is known. */
      readonly next: { readonly step: string; readonly derivation: Sha256Id } | null;
      /** Whether the newest version has the outcome, and only its recipe is another: what stands behind needs no run. */
      readonly sameRows: boolean;
    }
  | { readonly action: 'unknown'; readonly node: PipelineNode; readonly until: readonly string[] }
  | { readonly action: 'failed'; readonly node: PipelineNode; readonly error: unknown };

/** The plan of all datasets, each behind what it needs. What fails hides nothing of the rest. */
export async function planRun(nodes: readonly PipelineNode[], facts: PlanFacts): Promise<readonly NodePlan[]> {
  const plans = new Map<string, NodePlan>();
  for (const node of nodes) {
    const until = node.kind === 'files' ? [] : node.needs.filter((need) => isOpen(plans.get(need)));
    plans.set(node.name, until.length > 0 ? { action: 'unknown', node, until } : await planOrFail(node, facts));
  }
  return [...plans.values()];
}

function isOpen(plan: NodePlan | undefined): boolean {
  if (plan === undefined || plan.action === 'up-to-date') return false;
  return plan.action !== 'run' || !plan.sameRows;
}

async function planOrFail(node: PipelineNode, facts: PlanFacts): Promise<NodePlan> {
  try {
    return await planNode(node, facts);
  } catch (error) {
    return { action: 'failed', node, error: node.kind === 'files' ? atFiles(node, error) : error };
  }
}

/**
 * The plan of one dataset, where all that it needs is up to date.
 * @throws HoldoutError as the facts do
 */
export async function planNode(node: PipelineNode, facts: PlanFacts): Promise<NodePlan> {
  return node.kind === 'files' ? planFiles(node, facts) : planDerived(node, facts);
}

async function planFiles(node: FileNode, facts: PlanFacts): Promise<NodePlan> {
  const found = await facts.files(node);
  if (found.state === 'unread')
    return { action: 'add', node, reason: found.reason, steps: [], next: null, sameRows: false };
  const { output, counts, derivation } = found.read;
  const step: PlannedStep = {
    transform: 'holdout/read@1',
    label: 'read',
    says: 'read files',
    derivation,
    rowsBefore: null,
    outcome: { output, counts },
  };
  const newest = await facts.version(node.name);
  const wanted = { role: node.role, fields: node.fields ?? (await facts.fields(node, output.schema)) };
  const reason = differenceOf(newest, output, wanted);
  if (newest === null || reason !== null) {
    return {
      action: 'add',
      node,
      reason: reason ?? 'it has no version yet',
      steps: [step],
      next: null,
      sameRows: false,
    };
  }
  return { action: 'up-to-date', node, version: newest, steps: [step] };
}

async function planDerived(node: DerivedNode, facts: PlanFacts): Promise<NodePlan> {
  const missing: string[] = [];
  for (const need of node.needs) if ((await facts.version(need)) === null) missing.push(need);
  const base = await facts.version(node.from);
  if (base === null || missing.length > 0) return { action: 'unknown', node, until: missing };
  const folder = await facts.folder(node.steps.map(({ step }) => step));
  const steps: PlannedStep[] = [];
  let input: RealisationRecord['output'] = base.snapshot;
  for (const [index, each] of node.steps.entries()) {
    const ref = { table: input.table, schema: input.schema };
    const derivation = await facts.derivation(each.step, ref, folder).catch((error: unknown) => {
      throw atStep(node, index, error);
    });
    const outcome = await facts.realised(derivation);
    const newest = await facts.version(node.name);
    if (outcome === null) {
      const reason =
        newest === null
          ? 'it has no version yet'
          : `step ${index + 1} (${each.label})${await newStepText(facts, node, newest.entry, index, derivation)}`;
      const next = { step: `${each.step.name}@${each.step.version}`, derivation };
      return { action: 'run', node, reason, steps, next, sameRows: false };
    }
    steps.push(plannedStep(each, derivation, input.rows, outcome));
    input = outcome.output;
  }
  const newest = await facts.version(node.name);
  const { role, fields } = base.snapshot;
  // Only a step that leaves rows as they are leaves roles of fields as they are.
  const selecting = node.steps.every(({ step }) => step.kind === 'selecting');
  const reason = differenceOf(newest, input, { role, fields: selecting ? fields : null });
  if (newest === null || reason !== null) {
    return { action: 'run', node, reason: reason ?? 'it has no version yet', steps, next: null, sameRows: false };
  }
  const recipe = steps.map(({ derivation }) => derivation);
  if (!sameRecipe(newest.entry, recipe)) {
    const other = `${node.name}@${newest.entry.version}, its newest version, holds these rows by another recipe`;
    return { action: 'run', node, reason: other, steps, next: null, sameRows: true };
  }
  return { action: 'up-to-date', node, version: newest, steps };
}

/** What changed of the step that made the newest version; where none can be compared, that this one was not run. */
async function newStepText(
  facts: PlanFacts,
  { steps }: DerivedNode,
  entry: VersionEntry,
  index: number,
  derivation: Sha256Id,
): Promise<string> {
  const recipe = [...(entry.through ?? []), entry].map((made) => made.derivation);
  const before = recipe[index];
  const was = recipe.length === steps.length && before !== undefined ? await facts.asked(before) : null;
  const is = await facts.asked(derivation);
  if (was === null || is === null || was.transform.name !== is.transform.name) return ' was not run on these rows yet';
  const changes = derivationChanges(was, is, steps[index]?.step ?? null);
  const more = changes.length > changesShown ? `, and ${changes.length - changesShown} more` : '';
  return `: ${changes.slice(0, changesShown).join(', ')}${more}`;
}

function plannedStep(
  { step, label }: NodeStep,
  derivation: Sha256Id,
  rowsBefore: number,
  outcome: Outcome,
): PlannedStep {
  return { transform: `${step.name}@${step.version}`, label, says: step.says, derivation, rowsBefore, outcome };
}

/** How the newest version differs from what it should be; null where it does not. */
function differenceOf(
  newest: StoredVersion | null,
  { table, schema }: TableRef,
  { role, fields }: { readonly role: SnapshotRecord['role']; readonly fields: FieldRoles | null },
): string | null {
  if (newest === null) return null;
  const { entry, snapshot } = newest;
  const name = `${entry.name}@${entry.version}`;
  if (snapshot.table !== table) return `${name}, its newest version, holds other rows`;
  if (snapshot.schema !== schema) return `${name}, its newest version, has other types`;
  if (snapshot.role !== role) return `${name}, its newest version, has role ${snapshot.role}, not ${role}`;
  if (fields !== null && recordId(snapshot.fields) !== recordId(fields)) {
    return `${name}, its newest version, has other roles of fields`;
  }
  return null;
}
