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
import { namedDatasets } from '../lineage/bind-step.ts';
import type { KnownOutcome } from '../lineage/realised.ts';
import type { PreparedStep } from '../lineage/transform.ts';
import { type VersionOrigin, sameOrigin } from '../snapshots/same-rows.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import { derivationChanges } from './derivation-changes.ts';
import { atFiles } from './file-error.ts';
import type { FileState } from './file-state.ts';
import type { DerivedNode, FileNode, NodeStep, PipelineNode } from './pipeline.ts';
import { derivedOrigin, otherFiles, otherOrigin } from './origin.ts';
import { atStep } from './step-error.ts';

/** What a line takes. */
const changesShown = 2;

/** A version with its record. */
export interface StoredVersion {
  readonly entry: VersionEntry;
  readonly snapshot: SnapshotRecord;
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
  realised(derivation: Sha256Id): Promise<KnownOutcome | null>;
  /** Refuses a version whose rows were dropped, where code of the person's own makes them. @throws HoldoutError CONFLICT */
  readable(entry: VersionEntry): Promise<void>;
  /** The version of the journal's entry of this number, or null. */
  entryAt(seq: number): Promise<VersionEntry | null>;
  /** A folder in which paths of steps begin, as entries say it. */
  writtenFolder(folder: string): Pick<VersionEntry, 'folder'>;
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
  readonly outcome: KnownOutcome;
}

/** A version whose rows are those that the pipeline describes: nothing is run, only how they came is journaled. */
export interface SameRows {
  readonly version: StoredVersion;
  /** How they come by what the pipeline says now; null where that hangs on entries that a dry run does not write. */
  readonly origin: VersionOrigin | null;
}

/** A dataset that is what the pipeline describes. */
export interface UpToDate {
  readonly action: 'up-to-date';
  readonly node: PipelineNode;
  readonly version: StoredVersion;
  readonly steps: readonly PlannedStep[];
}

/** What a run would do with one dataset. */
export type NodePlan =
  | UpToDate
  | {
      readonly action: 'add' | 'run';
      readonly node: PipelineNode;
      readonly reason: string;
      /** Steps that need no run. */
      readonly steps: readonly PlannedStep[];
      /** The first step that does, where its derivation is known. */
      readonly next: { readonly step: string; readonly derivation: Sha256Id } | null;
      /** Where the newest version has the outcome, and only came in another way; else null. */
      readonly sameRows: SameRows | null;
    }
  | { readonly action: 'unknown'; readonly node: PipelineNode; readonly until: readonly string[] }
  | { readonly action: 'failed'; readonly node: PipelineNode; readonly error: unknown };

/** A plan that could be made. */
export type MadePlan = Exclude<NodePlan, { action: 'failed' }>;

/** The plan of all datasets, each behind what it needs. What fails hides nothing of the rest. */
export async function planRun(nodes: readonly PipelineNode[], facts: PlanFacts): Promise<readonly NodePlan[]> {
  const plans = new Map<string, NodePlan>();
  for (const node of nodes) {
    const until = node.kind === 'files' ? [] : node.needs.filter((need) => isOpen(plans.get(need)));
    const plan: NodePlan = until.length > 0 ? { action: 'unknown', node, until } : await planOrFail(node, facts);
    const again = node.kind === 'files' ? undefined : node.needs.find((need) => madeAgain(plans.get(need)));
    plans.set(node.name, again === undefined ? plan : behindSameRows(plan, again));
  }
  return [...plans.values()];
}

/** Whether it is not known yet what a dataset will hold. */
export function isOpen(plan: NodePlan | undefined): boolean {
  return plan !== undefined && settledPlan(plan) === null;
}

/** The plan of a dataset that has the rows which the pipeline describes, however they came; null of others. */
export function settledPlan(plan: NodePlan): UpToDate | null {
  if (plan.action === 'up-to-date') return plan;
  if (!('sameRows' in plan) || plan.sameRows === null) return null;
  const { node, steps, sameRows } = plan;
  return { action: 'up-to-date', node, version: sameRows.version, steps };
}

function madeAgain(plan: NodePlan | undefined): boolean {
  return plan !== undefined && 'sameRows' in plan && plan.sameRows !== null;
}

/** The plan of a dataset that would be up to date, had what it is made of no version to come. */
function behindSameRows(plan: NodePlan, need: string): NodePlan {
  if (plan.action !== 'up-to-date') return plan;
  const { node, version, steps } = plan;
  const reason = `it is made of ${need}, which gets a new version with the same rows`;
  return { action: 'run', node, reason, steps, next: null, sameRows: { version, origin: null } };
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
export async function planNode(node: PipelineNode, facts: PlanFacts): Promise<MadePlan> {
  return node.kind === 'files' ? planFiles(node, facts) : planDerived(node, facts);
}

async function planFiles(node: FileNode, facts: PlanFacts): Promise<MadePlan> {
  const found = await facts.files(node);
  if (found.state === 'unread')
    return { action: 'add', node, reason: found.reason, steps: [], next: null, sameRows: null };
  const { output, derivation } = found.read;
  const step: PlannedStep = {
    transform: 'holdout/read@1',
    label: 'read',
    says: 'read files',
    derivation,
    rowsBefore: null,
    outcome: found.read,
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
      sameRows: null,
    };
  }
  if (!sameOrigin(newest.entry, found.origin)) {
    const other = await otherFiles(facts, newest.entry, found.origin);
    const sameRows = { version: newest, origin: found.origin };
    return { action: 'add', node, reason: other, steps: [step], next: null, sameRows };
  }
  return { action: 'up-to-date', node, version: newest, steps: [step] };
}

async function planDerived(node: DerivedNode, facts: PlanFacts): Promise<MadePlan> {
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
      await inputsReadable(node, base, facts);
      return { action: 'run', node, reason, steps, next, sameRows: null };
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
    await inputsReadable(node, base, facts);
    return { action: 'run', node, reason: reason ?? 'it has no version yet', steps, next: null, sameRows: null };
  }
  const origin = await derivedOrigin(node, { folder, steps, newest: newest.entry }, facts);
  if (!sameOrigin(newest.entry, origin)) {
    const other = await otherOrigin(facts, newest.entry, origin);
    return { action: 'run', node, reason: other, steps, next: null, sameRows: { version: newest, origin } };
  }
  return { action: 'up-to-date', node, version: newest, steps };
}

/** What is to be run reads its inputs, and a run would stop there. @throws HoldoutError CONFLICT */
async function inputsReadable({ steps }: DerivedNode, base: StoredVersion, facts: PlanFacts): Promise<void> {
  await facts.readable(base.entry);
  for (const named of namedDatasets(steps.map(({ step }) => step))) {
    const found = await facts.version(named);
    if (found !== null) await facts.readable(found.entry);
  }
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
  outcome: KnownOutcome,
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
