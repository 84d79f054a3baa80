/**
 * A plan and a run of a pipeline as people and programs are told of them.
 * @module
 */
import { HoldoutError } from '../src/errors.ts';
import type { LockDifference } from '../src/pipeline/lock.ts';
import type { NodePlan, PlannedStep } from '../src/pipeline/plan-run.ts';
import { asHoldoutError, errorJson, errorText, styled } from './output.ts';
import type { CheckOutcome, NodeOutcome } from './pipeline-run.ts';
import { entryName } from './snapshots.ts';
import { stepLines, stepNotes } from './step-text.ts';
import { formatCount, plural, printable, shortId } from './text.ts';

const actionWords: Readonly<Record<NodePlan['action'], string>> = {
  'up-to-date': 'up to date',
  add: 'add',
  run: 'run',
  unknown: 'unknown',
  failed: 'failed',
};

/** One line of a plan: what would be done, and why. */
export function planLine(plan: NodePlan, width: number): string {
  return `${plan.node.name.padEnd(width)}  ${actionWords[plan.action].padEnd(10)}  ${planReason(plan)}`.trimEnd();
}

function planReason(plan: NodePlan): string {
  if (plan.action === 'up-to-date') {
    return `${entryName(plan.version.entry)}, ${plural(plan.version.snapshot.rows, 'row')}`;
  }
  if (plan.action === 'unknown') return `until ${plan.until.join(', ')} ${plan.until.length === 1 ? 'is' : 'are'} run`;
  return plan.action === 'failed' ? errorText(errorOf(plan.error)) : printable(plan.reason);
}

function errorOf(error: unknown): HoldoutError {
  const known = asHoldoutError(error);
  if (known === null) throw error;
  return known;
}

/** How it went with a dataset: its version, and each step with rows in and out, and why rows went. */
export function outcomeLines(outcome: NodeOutcome): string[] {
  const { name } = outcome.node;
  if (outcome.action === 'failed') return [`${name}: ${styled('red', 'failed')}`];
  if (outcome.action === 'skipped') return [`${name}: not run, for ${outcome.because.join(', ')} failed`];
  const { entry, snapshot } = outcome.plan.version;
  const version = `${entryName(entry)}, ${plural(snapshot.rows, 'row')}`;
  if (outcome.action === 'up-to-date') return [`${name}: up to date (${version})`];
  const { sameRows } = outcome;
  const reason = outcome.reason ?? '';
  // What the reason says already is not said twice.
  const how = sameRows === null || reason.includes(sameRows.how) ? '' : `, ${sameRows.how}`;
  const other = sameRows === null ? '' : `, those of ${sameRows.version}${how}`;
  const same = outcome.isNew ? `${version}${other}` : `${version}; it holds this content already`;
  const labels = outcome.plan.steps.map(({ label }) => label);
  // Steps that are those of the version before say nothing new.
  const taken = sameRows?.otherSteps === false ? [] : outcome.taken;
  return [
    `${name}: ${same} (${printable(reason)})`,
    ...outcome.changes.map((change) => `  ${printable(change)}`),
    ...taken.flatMap((step, index) => stepLines(step, index, labels[index]).map((line) => `  ${line}`)),
  ];
}

/** How a check went. */
export function checkLines(outcome: CheckOutcome, hitsShown: number): string[] {
  const name = `check ${outcome.check.label}`;
  if (outcome.action === 'failed') return [`${name}: ${styled('red', 'failed')}`];
  if (outcome.action === 'skipped') return [`${name}: not run, for ${outcome.because.join(', ')} failed`];
  const { report, id } = outcome;
  const colour = report.verdict === 'clean' ? 'green' : report.verdict === 'leak' ? 'red' : 'yellow';
  const rest = report.guarantee.says.replace(new RegExp(`^${report.verdict}:? ?`), '');
  const kept = outcome.action === 'up-to-date' ? ' (as checked before)' : '';
  const lines = [`${name}: ${styled(colour, report.verdict.toUpperCase())}${kept}: ${rest}`];
  const leaks = report.hits.filter((hit) => hit.leak);
  for (const hit of leaks.slice(0, hitsShown)) {
    const row = hit.source === null ? `${hit.train} row ${hit.row.row + 1}` : `${hit.source.file}:${hit.source.line}`;
    lines.push(`  ${hit.eval} item ${hit.item.row + 1} in ${row}: ${hit.class}`);
  }
  if (leaks.length > hitsShown) lines.push(`  … and ${formatCount(leaks.length - hitsShown)} more`);
  if (report.verdict !== 'clean') lines.push(`  report ${shortId(id)} is kept in the store`);
  return lines;
}

/** What differs from the lock. */
export function differenceLines(
  file: string,
  { of, step, what, locked, found, changes = [] }: LockDifference,
): string[] {
  const where = step === null ? of : `${of}, ${step}`;
  if (locked === null && what === 'entry') return [`${file} has no entry for ${of}: \`holdout run\` writes it`];
  if (found === null && what === 'entry') return [`${file} has an entry for ${of}, which the pipeline does not have`];
  if (what === 'files' || what === 'steps') return [`${file} differs: ${of}: ${printable(changes.join('; '))}`];
  return [
    `${file} differs: ${where}: another ${what}`,
    ...changes.map((change) => `  ${printable(change)}`),
    ...(shortened(locked) === shortened(found)
      ? [`  locked ${locked ?? ''}`, `  found  ${found ?? ''}`]
      : [`  locked ${shortened(locked)}`, `  found  ${shortened(found)}`]),
  ];
}

/** Ids are told apart by their first digits; `--json` has all of them. */
function shortened(value: string | null): string {
  if (value === null) return 'nothing';
  return /^(?:[a-z0-9-]+:)?[0-9a-f]{64}$/.test(value) ? shortId(value) : value;
}

/** A dataset of a plan as `--json` shows it. */
export function planJson(plan: NodePlan): Record<string, unknown> {
  const { name, section } = plan.node;
  const base = { name, section, action: plan.action };
  if (plan.action === 'up-to-date') return { ...base, reason: null, ...versionJson(plan) };
  const why = { ...base, reason: planReason(plan) };
  if (plan.action === 'unknown') return { ...why, until: plan.until };
  return plan.action === 'failed' ? { ...why, error: errorJson(errorOf(plan.error)) } : why;
}

/** A dataset of a run as `--json` shows it. */
export function outcomeJson(outcome: NodeOutcome): Record<string, unknown> {
  const { name, section } = outcome.node;
  const base = { name, section, action: outcome.action };
  if (outcome.action === 'failed') return { ...base, error: errorJson(outcome.error) };
  if (outcome.action === 'skipped') return { ...base, because: outcome.because };
  const { reason, isNew, sameRows, changes, taken, plan } = outcome;
  const version = versionJson(plan);
  const steps = plan.steps.map((step, index) => {
    const now = taken[index];
    const [reused, notes] = now === undefined ? [false, []] : [now.reused, stepNotes(now)];
    return { ...stepJson(step), reused, ...(notes.length === 0 ? {} : { notes }) };
  });
  const shown = outcome.action === 'run' ? { ...version, steps } : version;
  const said = {
    ...(sameRows === null ? {} : { sameRows: { version: sameRows.version, how: sameRows.how } }),
    ...(changes.length === 0 ? {} : { changes }),
  };
  return { ...base, reason, new: isNew, ...said, ...shown };
}

function versionJson({ version, steps }: Extract<NodePlan, { action: 'up-to-date' }>): Record<string, unknown> {
  const { table, schema, rows, itemsRoot } = version.snapshot;
  const ids = { version: version.entry.version, snapshot: version.entry.snapshot, table, schema, itemsRoot, rows };
  return { ...ids, steps: steps.map(stepJson) };
}

function stepJson({ transform, label, says, derivation, rowsBefore, outcome }: PlannedStep): Record<string, unknown> {
  const { table, rows } = outcome.output;
  return { transform, name: label, says, derivation, table, rowsBefore, rows, counts: outcome.counts };
}

/** A check of a run as `--json` shows it. */
export function checkJson(outcome: CheckOutcome): Record<string, unknown> {
  const base = { check: outcome.check.label, action: outcome.action };
  if (outcome.action === 'failed') return { ...base, error: errorJson(outcome.error) };
  if (outcome.action === 'skipped') return { ...base, because: outcome.because };
  return { ...base, verdict: outcome.report.verdict, report: outcome.id, says: outcome.report.guarantee.says };
}
