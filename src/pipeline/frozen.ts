/**
 * What of a pipeline is not as its lock says, before and after a dataset is run, in terms of its file.
 * @module
 */
import { relative, resolve } from 'node:path';
import type { LockedDataset, PipelineLock } from '../../schemas/pipeline-lock.ts';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { DerivationRecord } from '../../schemas/records.ts';
import { canonicalJson } from '../identity/canonical-json.ts';
import { numberedParams } from '../lineage/bind-step.ts';
import { isReadStep } from '../lineage/graph.ts';
import { derivationChanges } from './derivation-changes.ts';
import { type Digested, fileDigests } from './file-state.ts';
import { type LockDifference, datasetDifference, lockedDataset, stepsDifference, stepsOfPlan } from './lock.ts';
import type { DerivedNode, FileNode, PipelineNode } from './pipeline.ts';
import { type MadePlan, type PlanFacts, settledPlan } from './plan-run.ts';
import { type StepShape, firstEdit } from './step-edits.ts';

const readStep = 'step 1 (holdout/read@1)';
const filesShown = 3;

/**
 * The first id of a plan that is not the lock's: of a dataset that is to be run the steps that are known and the next one,
 * of one that is to be read its files.
 * @throws HoldoutError as the facts do
 */
export async function frozenDifference(
  lock: PipelineLock,
  plan: MadePlan,
  facts: PlanFacts,
): Promise<LockDifference | null> {
  if (plan.action === 'unknown') return null;
  const { node } = plan;
  const of = nodeTitle(node);
  const locked = entryOf(lock, node);
  if (locked === undefined) return { of, step: null, what: 'entry', locked: null, found: null };
  const settled = settledPlan(plan);
  if (node.kind === 'files') {
    if (!isRead(locked)) {
      const changes = ['it is read from files now, and was made by steps when the lock was written'];
      return { of, step: null, what: 'steps', locked: locked.steps[0]?.derivation ?? null, found: null, changes };
    }
    const next =
      plan.action === 'add' && plan.steps.length === 0 ? await filesDifference(of, locked, node, facts) : null;
    if (next !== null) return next;
    const read = plan.steps[0]?.derivation;
    if (read !== undefined && read !== locked.steps[0]?.derivation)
      return readDifference(of, locked, node, read, facts);
  } else {
    const edited = await editedSteps(of, locked, node, facts);
    if (edited !== null) return edited;
  }
  const found =
    settled === null
      ? stepsDifference(of, locked, stepsOfPlan(plan.steps, 'next' in plan ? plan.next : null))
      : datasetDifference(of, locked, lockedDataset(settled));
  return found === null ? null : withChanges(facts, node, found);
}

/** The difference of files that were read and are not registered yet, by the derivation of that; or null. */
export async function frozenRead(
  lock: PipelineLock,
  node: FileNode,
  found: Sha256Id,
  facts: PlanFacts,
): Promise<LockDifference | null> {
  const locked = entryOf(lock, node);
  if (locked === undefined || locked.steps[0]?.derivation === found) return null;
  return readDifference(nodeTitle(node), locked, node, found, facts);
}

function entryOf(lock: PipelineLock, { section, name }: PipelineNode): LockedDataset | undefined {
  return Object.hasOwn(lock[section], name) ? lock[section][name] : undefined;
}

/** A dataset as messages name it. */
function nodeTitle({ section, name }: Pick<PipelineNode, 'section' | 'name'>): string {
  return section === 'evals' ? `eval set "${name}"` : `dataset "${name}"`;
}

function isRead({ steps }: LockedDataset): boolean {
  return steps[0]?.step.startsWith('holdout/read@') === true;
}

async function lockedRead(locked: LockedDataset, facts: PlanFacts): Promise<DerivationRecord | null> {
  const id = locked.steps[0]?.derivation;
  const record = id === undefined ? null : await facts.asked(id);
  return record !== null && isReadStep(record) ? record : null;
}

/** What is known of files that are to be read, where the store has what the lock names. */
async function filesDifference(
  of: string,
  locked: LockedDataset,
  node: FileNode,
  facts: PlanFacts,
): Promise<LockDifference | null> {
  const was = await lockedRead(locked, facts);
  const { files } = await facts.files(node);
  const changes = was === null || files === null ? [] : fileChanges(was, files);
  if (changes.length === 0) return null;
  return { of, step: readStep, what: 'files', locked: locked.steps[0]!.derivation, found: null, changes };
}

async function readDifference(
  of: string,
  locked: LockedDataset,
  node: FileNode,
  found: Sha256Id,
  facts: PlanFacts,
): Promise<LockDifference> {
  const was = await lockedRead(locked, facts);
  const is = await facts.asked(found);
  const ids = { of, step: readStep, locked: locked.steps[0]?.derivation ?? null, found };
  const { files } = await facts.files(node);
  if (was === null || is === null) {
    const [only, ...others] = node.files;
    const which = others.length === 0 ? only! : 'a file of it';
    return {
      ...ids,
      what: 'files',
      changes: [`${which} has other bytes than when the lock was written, or is read in another way`],
    };
  }
  const changes = files === null ? [] : fileChanges(was, files);
  if (changes.length > 0) return { ...ids, what: 'files', changes };
  return { ...ids, what: 'derivation', changes: derivationChanges(was, is, null) };
}

/** How files differ from those that a derivation read; nothing where they do not. */
function fileChanges(was: DerivationRecord, files: readonly Digested[]): readonly string[] {
  const before = fileDigests(was);
  const when = 'when the lock was written';
  if (before.length !== files.length)
    return [`it is read from ${countText(files.length)} now, and was from ${before.length} ${when}`];
  const digests = files.map(({ sha256 }) => sha256);
  if (digests.toSorted().join() === before.toSorted().join())
    return digests.join() === before.join() ? [] : [`its files are read in another order than ${when}`];
  const unknown = files.filter(({ sha256 }) => !before.includes(sha256));
  // A file that is a copy of another one now has bytes that are known.
  const changed = unknown.length > 0 ? unknown : files.filter(({ sha256 }, index) => sha256 !== before[index]);
  const shown = changed.slice(0, filesShown).map(({ path }) => relative(process.cwd(), resolve(path)));
  const more = changed.length > shown.length ? ` and ${changed.length - shown.length} more` : '';
  return [`${shown.join(', ')}${more} ${changed.length === 1 ? 'has' : 'have'} other bytes than ${when}`];
}

function countText(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}

/** A step that the lock has and the file has not, or the other way round. */
async function editedSteps(
  of: string,
  locked: LockedDataset,
  node: DerivedNode,
  facts: PlanFacts,
): Promise<LockDifference | null> {
  const was: StepShape[] = [];
  for (const { step, derivation } of locked.steps) {
    const record = await facts.asked(derivation);
    was.push({ name: step, asks: record === null ? null : canonicalJson([record.params, record.seed]) });
  }
  const is = node.steps.map(({ step }) => {
    return { name: `${step.name}@${step.version}`, asks: canonicalJson([numberedParams(step), step.seed]) };
  });
  const edit = firstEdit(was, is);
  if (edit === null || edit.kind === 'changed') return null;
  const base = { of, what: 'steps', found: null };
  if (edit.kind === 'moved') {
    const step = `step ${edit.is + 1} (${is[edit.is]!.name})`;
    const changes = [`${step} is step ${edit.was + 1} in the lock: the steps stand in another order`];
    return { ...base, step, locked: locked.steps[edit.was]!.derivation, changes };
  }
  if (edit.kind === 'new') {
    const step = `step ${edit.is + 1} (${is[edit.is]!.name})`;
    return { ...base, step, locked: null, changes: [`${step} is not in the lock`] };
  }
  const step = `step ${edit.was + 1} (${was[edit.was]!.name})`;
  const { derivation } = locked.steps[edit.was]!;
  return { ...base, step, locked: derivation, changes: [`${step} of the lock is not in the file`] };
}

/** What of a step changed, where its derivation is another than the lock's. */
async function withChanges(facts: PlanFacts, node: PipelineNode, difference: LockDifference): Promise<LockDifference> {
  if (difference.what !== 'derivation' || difference.found === null) return difference;
  const found = await facts.asked(difference.found as Sha256Id);
  if (found === null) return difference;
  const locked = difference.locked === null ? null : await facts.asked(difference.locked as Sha256Id);
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
