/**
 * `holdout run`: brings the datasets and checks of `holdout.yaml` up to date, and writes down what they came to.
 * @module
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import type { LockedDataset, PipelineLock } from '../../schemas/pipeline-lock.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { HoldoutError } from '../../src/errors.ts';
import { recogniseFields } from '../../src/leakage/fields.ts';
import { nearestName } from '../../src/nearest-name.ts';
import { checkPlans } from '../../src/pipeline/check-plan.ts';
import { type LockDifference, emptyLock, leftoverOf, lockedDataset } from '../../src/pipeline/lock.ts';
import { neededFor } from '../../src/pipeline/order.ts';
import type { Pipeline, PipelineCheck, PipelineNode } from '../../src/pipeline/pipeline.ts';
import { type NodePlan, isOpen, planRun } from '../../src/pipeline/plan-run.ts';
import { storeFacts } from '../../src/pipeline/store-facts.ts';
import type { Store } from '../../src/store/store.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus, exitStatusOf } from '../exit-codes.ts';
import { asHoldoutError, printError, remark, writeJson, writeLines } from '../output.ts';
import { findCheckReport } from '../pipeline-check.ts';
import { type OpenPipeline, findPipelineFile, openPipeline, writeLock } from '../pipeline-file.ts';
import {
  type CheckOutcome,
  type NodeOutcome,
  type PipelineOutcome,
  lockedCheck,
  runPipeline,
} from '../pipeline-run.ts';
import {
  checkJson,
  checkLines,
  differenceLines,
  outcomeJson,
  outcomeLines,
  planJson,
  planLine,
} from '../pipeline-text.ts';
import { plural } from '../text.ts';
import { warnOfUndeclared } from '../undeclared-files.ts';

const hitsShown = 5;
const namesShownMax = 20;

/** What of a pipeline is asked for. */
interface Asked {
  readonly nodes: readonly PipelineNode[];
  readonly checks: readonly PipelineCheck[];
  /** Whether that is all of it. */
  readonly whole: boolean;
}

/** Runs what is out of date, or says with `--dry-run` what that is. */
export const run: Action = async ({ context, operands, options }) => {
  const frozen = options.flag('frozen');
  const dryRun = options.flag('dryRun');
  if (frozen && dryRun) throw new HoldoutError('USAGE', '--frozen runs, and --dry-run does not: give one of them');
  const startedIn = process.cwd();
  const file = await findPipelineFile(options.text('file'));
  const store = await context.openStore(dirname(file));
  await sayWhichStore(store, file, startedIn);
  // Files are named from where the pipeline stands, by whoever runs it from wherever.
  process.chdir(dirname(file));
  const open = await openPipeline(file, store, startedIn);
  const asked = chooseNodes(open.pipeline, operands);
  const facts = storeFacts(store, {
    transforms: builtInTransforms,
    recogniseFields,
    folder: dirname(file),
    remember: !dryRun,
  });
  for (const node of asked.nodes) {
    if (node.kind !== 'derived') continue;
    const named = node.steps.map(({ step, label, place: { line, column } }, index) => ({
      step,
      named: `${node.file}:${line}:${column}: ${node.name}, step ${index + 1} (${label})`,
    }));
    await warnOfUndeclared(await facts.folder(named.map(({ step }) => step)), named);
  }
  if (dryRun) {
    let engine: Promise<Engine> | undefined;
    const openEngine = (): Promise<Engine> => (engine ??= context.openEngine(store));
    const place = { store, facts, openEngine, threads: context.threads };
    const plans = await checkPlans(place, await planRun(asked.nodes, facts));
    await showPlan(context.json, store, open, asked, plans);
    const failed = plans.find((plan) => plan.action === 'failed');
    return failed === undefined ? exitStatus.ok : exitStatusOf[asHoldoutError(failed.error)?.code ?? 'IO'];
  }
  const lockShown = relative(startedIn, open.lockFile);
  const outcome = await runPipeline({
    context,
    file: open.pipeline.file,
    store,
    facts,
    ...asked,
    frozen: frozen ? (open.lock ?? emptyLock) : null,
    onNode: async (node) => {
      if (!context.json) await writeLines(outcomeLines(node));
      if (node.action === 'failed') printError(node.error, node.node.name);
    },
    onCheck: async (check) => {
      if (!context.json) await writeLines(checkLines(check, hitsShown));
      if (check.action === 'failed') printError(check.error, `check ${check.check.label}`);
    },
  });
  const status = statusOf(outcome);
  const lock = lockAfter(open, asked, outcome);
  // What failed is not in the lock to come; that it is in this one is no difference.
  const whole = frozen && asked.whole && status === exitStatus.ok;
  const difference = outcome.difference ?? (whole ? leftoverOf(open.lock ?? emptyLock, lock) : null);
  const isWritten = !frozen && status === exitStatus.ok && (await writeLock(open.lockFile, open.lockText, lock));
  const ended = difference === null ? status : exitStatus.found;
  if (context.json)
    await writeJson(runJson(open, { frozen, outcome, difference, lock: { file: lockShown, written: isWritten } }));
  else if (difference !== null) await writeLines(differenceLines(lockShown, difference));
  else if (isWritten) await writeLines([`${lockShown}: written`]);
  else if (frozen && ended === exitStatus.ok) await writeLines([`${lockShown}: every id is the one it names`]);
  else if (ended !== exitStatus.ok && !frozen) await writeLines([`${lockShown}: left as it is${failedText(outcome)}`]);
  return ended;
};

/** Another folder's store may hold what a fresh one would not: a person, or a CI job, must not take it for their own. */
async function sayWhichStore({ root, projectRoot }: Store, file: string, startedIn: string): Promise<void> {
  const [beside, used] = await Promise.all([realpath(dirname(file)), realpath(projectRoot)]);
  if (beside === used) return;
  const name = basename(file);
  remark(
    `note: the store is ${relative(startedIn, root)}, not beside ${name}; \`holdout init\` there makes one of its own`,
  );
}

/** The datasets asked for and what they need; with no name, everything. */
function chooseNodes({ nodes, checks }: Pipeline, names: readonly string[]): Asked {
  if (names.length === 0) return { nodes, checks, whole: true };
  for (const name of names) {
    if (nodes.some((node) => node.name === name)) continue;
    const known = nodes.map((node) => node.name);
    const near = nearestName(name, known);
    const more = known.length > namesShownMax ? ` and ${known.length - namesShownMax} more` : '';
    const hint = near === null ? `it has ${known.slice(0, namesShownMax).join(', ')}${more}` : `did you mean ${near}?`;
    throw new HoldoutError('NOT_FOUND', `the pipeline has no dataset or eval set "${name}"`, { hint });
  }
  const chosen = checks.filter(({ trains }) => trains.some((train) => names.includes(train)));
  const wanted = [...names, ...chosen.flatMap(({ trains, evals }) => [...trains, ...evals])];
  const needing = nodes.map((node) => ({ ...node, needs: node.kind === 'files' ? [] : node.needs, node }));
  return { nodes: neededFor(needing, wanted).map(({ node }) => node), checks: chosen, whole: false };
}

async function showPlan(
  json: boolean,
  store: Store,
  { pipeline }: OpenPipeline,
  { checks }: Asked,
  plans: readonly NodePlan[],
): Promise<void> {
  const open = new Set(plans.filter(isOpen).map(({ node }) => node.name));
  const planned: { check: string; action: string; reason: string | null }[] = [];
  for (const check of checks) {
    const until = [...check.trains, ...check.evals].filter((name) => open.has(name));
    const action =
      until.length > 0 ? 'unknown' : (await findCheckReport(store, check)) === null ? 'check' : 'up-to-date';
    const reason = until.length > 0 ? `until ${until.join(', ')} ${until.length === 1 ? 'is' : 'are'} run` : null;
    planned.push({ check: check.label, action, reason: action === 'check' ? 'it was not checked yet' : reason });
  }
  if (json) {
    await writeJson({ file: pipeline.file, dryRun: true, datasets: plans.map(planJson), checks: planned });
    return;
  }
  const width = Math.max(0, ...plans.map(({ node }) => node.name.length));
  await writeLines([
    ...plans.map((plan) => planLine(plan, width)),
    ...planned.map(({ check, action, reason }) =>
      `check ${check}: ${action === 'up-to-date' ? 'up to date' : action}${reason === null ? '' : `, ${reason}`}`.trim(),
    ),
    'nothing was changed',
  ]);
}

/** The lock after a run: what is there now, and of a run of chosen names what it says of the others. */
function lockAfter({ pipeline, lock }: OpenPipeline, asked: Asked, { nodes, checks }: PipelineOutcome): PipelineLock {
  const before = asked.whole || lock === null ? emptyLock : lock;
  const section = (name: 'datasets' | 'evals'): Record<string, LockedDataset> => {
    const inFile = pipeline.nodes.filter((node) => node.section === name).map((node) => node.name);
    const kept = Object.entries(before[name]).filter(([each]) => inFile.includes(each));
    const fresh = nodes.flatMap((outcome) => (outcome.node.section === name ? lockedOf(outcome) : []));
    return Object.fromEntries([...kept, ...fresh]);
  };
  const fresh = checks.flatMap((outcome) => lockedCheck(outcome) ?? []);
  const inFile = new Set(pipeline.checks.map(({ label }) => label));
  const done = new Set(fresh.map(({ check }) => check));
  const kept = before.checks.filter(({ check }) => inFile.has(check) && !done.has(check));
  return { version: 1, datasets: section('datasets'), evals: section('evals'), checks: [...kept, ...fresh] };
}

function lockedOf(outcome: NodeOutcome): [string, LockedDataset][] {
  return outcome.action === 'failed' || outcome.action === 'skipped'
    ? []
    : [[outcome.node.name, lockedDataset(outcome.plan)]];
}

/** How many datasets failed, behind what else is said at the end; empty where none did. */
function failedText({ nodes }: PipelineOutcome): string {
  const failed = nodes.filter(({ action }) => action === 'failed').length;
  return failed === 0 ? '' : `; ${failed} of ${plural(nodes.length, 'dataset')} failed`;
}

/** Failures first, then leaks, then checks that cannot tell. */
function statusOf({ nodes, checks }: PipelineOutcome): number {
  for (const outcome of [...nodes, ...checks]) {
    if (outcome.action === 'failed') return exitStatusOf[outcome.error.code];
  }
  const statuses = checks.map(checkStatus);
  return [exitStatus.found, exitStatus.cannotTell].find((status) => statuses.includes(status)) ?? exitStatus.ok;
}

function checkStatus(outcome: CheckOutcome): number {
  if (outcome.action === 'failed' || outcome.action === 'skipped') return exitStatus.ok;
  if (outcome.report.verdict === 'clean') return exitStatus.ok;
  if (outcome.report.verdict === 'leak') return exitStatus.found;
  return outcome.check.allowIncomplete ? exitStatus.ok : exitStatus.cannotTell;
}

function runJson(
  { pipeline }: OpenPipeline,
  {
    frozen,
    outcome,
    difference,
    lock,
  }: {
    readonly frozen: boolean;
    readonly outcome: PipelineOutcome;
    readonly difference: LockDifference | null;
    readonly lock: { readonly file: string; readonly written: boolean };
  },
): Record<string, unknown> {
  return {
    file: pipeline.file,
    dryRun: false,
    frozen,
    datasets: outcome.nodes.map(outcomeJson),
    checks: outcome.checks.map(checkJson),
    lock,
    difference,
  };
}
