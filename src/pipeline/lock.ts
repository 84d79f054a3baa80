/**
 * `holdout.lock` as text and back. One line an id, names sorted, so that Git shows what changed and nothing else.
 * @module
 */
import type { LockedCheck, LockedDataset, PipelineLock } from '../../schemas/pipeline-lock.ts';
import { pipelineLock } from '../../schemas/pipeline-lock.ts';
import { HoldoutError } from '../errors.ts';
import { checkOfFile } from './checked-value.ts';
import type { NodePlan, PlannedStep } from './plan-run.ts';
import { readYaml } from './yaml-places.ts';
import { formatBytes } from '../size-text.ts';

/** A lock with nothing in it. */
export const emptyLock: PipelineLock = { version: 1, datasets: {}, evals: {}, checks: [] };

const heading =
  '# Written by `holdout run`: what holdout.yaml came to. Keep it in version control, and do not edit it.';
const lockBytesMax = 8 << 20;

/** The text of a lock; equal locks have equal text. */
export function lockText({ datasets, evals, checks }: PipelineLock): string {
  const lines = [heading, 'version: 1'];
  lines.push(...sectionLines('datasets', datasets), ...sectionLines('evals', evals));
  if (checks.length > 0) lines.push('checks:');
  for (const { check, verdict, report } of sortedChecks(checks)) {
    lines.push(`  - check: ${JSON.stringify(check)}`, `    verdict: ${verdict}`, `    report: ${report}`);
  }
  return `${lines.join('\n')}\n`;
}

function sectionLines(section: string, datasets: Readonly<Record<string, LockedDataset>>): string[] {
  const names = Object.keys(datasets).sort();
  return names.length === 0 ? [] : [`${section}:`, ...names.flatMap((name) => datasetLines(name, datasets[name]!))];
}

function datasetLines(name: string, { table, schema, rows, items, snapshot, steps }: LockedDataset): string[] {
  return [
    `  ${keyText(name)}:`,
    `    table: ${table}`,
    `    schema: ${schema}`,
    `    rows: ${rows}`,
    ...(items === undefined ? [] : [`    items: ${items}`]),
    `    snapshot: ${snapshot}`,
    '    steps:',
    ...steps.flatMap((step) => [
      `      - step: ${step.step}`,
      `        derivation: ${step.derivation}`,
      `        table: ${step.table}`,
    ]),
  ];
}

/** In quotes where YAML would read something else than text. */
function keyText(name: string): string {
  return /^(?!(?:true|false|null)$)[a-z][a-z0-9_-]*$/i.test(name) ? name : JSON.stringify(name);
}

function sortedChecks(checks: readonly LockedCheck[]): readonly LockedCheck[] {
  return [...checks].sort((a, b) => (a.check < b.check ? -1 : a.check > b.check ? 1 : 0));
}

/**
 * Reads a lock.
 * @throws HoldoutError `INPUT_INVALID` with line and column; `LIMIT` for a huge file
 */
export function readLock(text: string, file: string): PipelineLock {
  const hint = 'restore it from version control, or delete it: `holdout run` finds every id anew';
  if (text.length > lockBytesMax)
    throw new HoldoutError('LIMIT', `larger than ${formatBytes(lockBytesMax)}, too large for a lock file`, {
      file,
      hint,
    });
  const yaml = readYaml(text);
  const checked = checkOfFile(pipelineLock, yaml.value, { yaml, path: [], what: 'the lock', keys: [] });
  if (checked.ok && yaml.problems.length === 0) return checked.value;
  const [problem] = [...yaml.problems, ...(checked.ok ? [] : checked.problems)];
  const { message, ...place } = problem!;
  throw new HoldoutError('INPUT_INVALID', message, { file, line: place.line, column: place.column, hint });
}

/** What stands in the lock for a dataset that is up to date. */
export function lockedDataset({ version, steps }: Extract<NodePlan, { action: 'up-to-date' }>): LockedDataset {
  const { table, schema, rows, itemsRoot } = version.snapshot;
  return {
    table,
    schema,
    rows,
    ...(itemsRoot === null ? {} : { items: itemsRoot }),
    snapshot: version.entry.snapshot,
    steps: steps.map(({ transform, derivation, outcome }) => ({
      step: transform,
      derivation,
      table: outcome.output.table,
    })),
  };
}

/** The version of a step that the lock names for a dataset, or null: a newer release then changes no id. */
export function lockedVersion(lock: PipelineLock, dataset: string, step: string): number | null {
  const steps = Object.hasOwn(lock.datasets, dataset) ? lock.datasets[dataset]!.steps : [];
  for (const { step: named } of steps) {
    const [, name, version] = /^(?:holdout\/)?(.+)@([0-9]{1,9})$/.exec(named) ?? [];
    if (name === step) return Number(version);
  }
  return null;
}

/** An id that is not the one in the lock. */
export interface LockDifference {
  /** `dataset "train"`, `check "train against gsm8k"`. */
  readonly of: string;
  /** `step 2 (filter)`, or null where the difference is not one of a step. */
  readonly step: string | null;
  /** `table`, `derivation`, `verdict` …; `files` or `steps` where `changes` say it all. */
  readonly what: string;
  /** Null where the lock has no such entry. */
  readonly locked: string | null;
  /** Null where the pipeline has no such entry. */
  readonly found: string | null;
  /** What changed, in words, as far as that is known. */
  readonly changes?: readonly string[];
}

/** The first difference between a dataset's entry and what was found, the steps first: they are the cause. */
export function datasetDifference(
  of: string,
  locked: LockedDataset | undefined,
  found: LockedDataset,
): LockDifference | null {
  if (locked === undefined) return { of, step: null, what: 'entry', locked: null, found: found.table };
  const ofSteps = stepsDifference(of, locked, found.steps);
  if (ofSteps !== null) return ofSteps;
  for (const what of ['table', 'schema', 'rows', 'items', 'snapshot'] as const) {
    const [was, is] = [textOf(locked[what]), textOf(found[what])];
    if (was !== is) return { of, step: null, what, locked: was, found: is };
  }
  return null;
}

/** The first of the steps taken so far that differs from the lock's. */
export function stepsDifference(
  of: string,
  locked: LockedDataset | undefined,
  found: readonly { readonly step: string; readonly derivation: string; readonly table: string | null }[],
): LockDifference | null {
  if (locked === undefined) return null;
  for (const [index, is] of found.entries()) {
    const was = locked.steps[index];
    const step = `step ${index + 1} (${is.step})`;
    if (was?.derivation !== is.derivation) {
      return { of, step, what: 'derivation', locked: was?.derivation ?? null, found: is.derivation };
    }
    if (is.table !== null && was.table !== is.table)
      return { of, step, what: 'table', locked: was.table, found: is.table };
  }
  return null;
}

/** Steps of a plan in the form that is compared: the derivation that would be run next has no table yet. */
export function stepsOfPlan(
  steps: readonly PlannedStep[],
  next: { readonly step: string; readonly derivation: string } | null,
): {
  readonly step: string;
  readonly derivation: string;
  readonly table: string | null;
}[] {
  const taken = steps.map(({ transform, derivation, outcome }) => ({
    step: transform,
    derivation,
    table: outcome.output.table as string | null,
  }));
  return next === null ? taken : [...taken, { ...next, table: null }];
}

/** The difference between a check's entry and what was found, or null. */
export function checkDifference(locked: LockedCheck | undefined, found: LockedCheck): LockDifference | null {
  const of = `check "${found.check}"`;
  if (locked === undefined) return { of, step: null, what: 'entry', locked: null, found: found.report };
  for (const what of ['verdict', 'report'] as const) {
    if (locked[what] !== found[what]) return { of, step: null, what, locked: locked[what], found: found[what] };
  }
  return null;
}

/** What the lock has and the pipeline has no more, or null. */
export function leftoverOf(lock: PipelineLock, names: PipelineLock): LockDifference | null {
  for (const section of ['datasets', 'evals'] as const) {
    const left = Object.keys(lock[section]).find((name) => !Object.hasOwn(names[section], name));
    if (left === undefined) continue;
    const of = section === 'evals' ? `eval set "${left}"` : `dataset "${left}"`;
    return { of, step: null, what: 'entry', locked: lock[section][left]!.table, found: null };
  }
  const check = lock.checks.find((each) => !names.checks.some((found) => found.check === each.check));
  if (check === undefined) return null;
  return { of: `check "${check.check}"`, step: null, what: 'entry', locked: check.report, found: null };
}

function textOf(value: string | number | undefined): string | null {
  return value === undefined ? null : String(value);
}
