/**
 * `holdout reproduce`: re-runs a version's lineage and compares ids step by step.
 * @module
 */
import { HoldoutError } from '../../src/errors.ts';
import { lineageGraph } from '../../src/lineage/graph.ts';
import { type StepOutcome, reproduceVersion } from '../../src/lineage/reproduce.ts';
import type { DifferentRow } from '../../src/lineage/reproduce-compare.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { requireFile, versionEntry } from '../inputs.ts';
import { styled, writeJson, writeLines } from '../output.ts';
import { parseCount } from '../parse-options.ts';
import { entryName } from '../snapshots.ts';
import { clip, formatCount, plural, printable, shortId } from '../text.ts';

const statusOf: Readonly<Record<StepOutcome['state'], number>> = {
  same: exitStatus.ok,
  differs: exitStatus.found,
  'cannot-tell': exitStatus.cannotTell,
  'not-deterministic': exitStatus.notDeterministic,
};

/** Reproduces a version and prints each step as it is done. */
export const reproduce: Action = async ({ context, operands, options }) => {
  const store = await context.openStore();
  const target = await versionEntry(store, operands[0] ?? '');
  const only = parseCount('--step', options.text('step'));
  if (only !== undefined) {
    const { length } = await lineageGraph(store, await store.journal(), target);
    if (only < 1 || only > length) {
      throw new HoldoutError('USAGE', `--step ${only}: ${entryName(target)} has steps 1 to ${length}`, {
        hint: `\`holdout lineage ${entryName(target)}\` lists them`,
      });
    }
  }
  const files = options.list('fromRaw');
  for (const file of files) await requireFile(context, file);
  const workDirectory = await context.scratchBeside(store);
  const engine = await context.openEngine(store, { writeDirectories: [workDirectory] });
  const { state, steps } = await reproduceVersion({
    store,
    engine,
    transforms: builtInTransforms,
    target,
    raw: { files },
    workDirectory,
    threads: context.threads,
    now: context.now(),
    restore: options.flag('restore'),
    runCode: options.flag('runCode'),
    only,
    holdoutVersion: context.holdoutVersion,
    onStep: (outcome) => (context.json ? undefined : writeLines(stepLines(outcome))),
  });
  if (context.json) await writeJson({ state, version: entryName(target), steps: steps.map(stepJson) });
  else await writeLines([verdict(state, entryName(target), steps, only)]);
  return statusOf[state];
};

function stepLines(outcome: StepOutcome): string[] {
  const { step, name, version, named, transform, says, state, recorded, got, detail, restored, taken } = outcome;
  const head = `${step}. ${transform}: ${printable(says)}${named ? ` → ${name}@${version}` : ''}`;
  if (state === 'same') {
    const word = taken ? 'taken' : 'same';
    const note = detail === '' ? [] : [`   ${detail}`];
    const back = restored ? ['   put its layout back'] : [];
    return [head, `   ${word}: ${shortId(recorded.table)} (${plural(recorded.rows, 'row')})`, ...note, ...back];
  }
  if (state === 'cannot-tell') return [head, `   cannot tell: ${detail}`];
  if (state === 'not-deterministic') return [head, `   ${styled('red', 'not deterministic')}: ${detail}`];
  return [
    head,
    `   ${styled('red', 'differs')}: ${detail}`,
    `   had ${shortId(recorded.table)} (${plural(recorded.rows, 'row')})`,
    `   got ${got === null ? '' : shortId(got.table)} (${plural(got?.rows ?? 0, 'row')})`,
    ...outcome.rows.flatMap(differenceLines),
    ...outcome.changes.map(({ what, was, is }) => `   ${what} was ${clip(was, 60)}, is ${clip(is, 60)}`),
    ...(outcome.changes.length === 0 ? ['   engine, versions and code are those of then'] : []),
  ];
}

/** A row that differs, column by column. */
function differenceLines({ row, columns }: DifferentRow): string[] {
  const width = 60;
  return columns.map(
    ({ name, recorded, got }) =>
      `   row ${formatCount(row + 1)}, ${printable(name)}: had ${clip(recorded ?? 'nothing', width)}, got ${clip(got ?? 'nothing', width)}`,
  );
}

function verdict(
  state: StepOutcome['state'],
  name: string,
  steps: readonly StepOutcome[],
  only: number | undefined,
): string {
  const last = steps.at(-1);
  const number = last?.step ?? 0;
  switch (state) {
    case 'same':
      if (steps.some(({ taken }) => taken)) return takenVerdict(name, steps, only);
      if (only !== undefined) return styled('green', `Reproduced: step ${only} of ${name}, on its recorded input`);
      return styled('green', `Reproduced: ${name} is ${tableOf(last)} again`);
    case 'differs':
      return styled('red', `Not reproduced: step ${number} of ${name} gave another table`);
    case 'not-deterministic':
      return styled('red', `Not reproducible: step ${number} of ${name} is not deterministic`);
    default:
      return `Cannot tell: step ${number} of ${name} could not be run`;
  }
}

/** `--json` has the whole id. */
function tableOf(step: StepOutcome | undefined): string {
  return step === undefined ? '' : shortId(step.recorded.table);
}

/** Of outputs declared not deterministic: what was only taken from the store was not proved. */
function takenVerdict(name: string, steps: readonly StepOutcome[], only: number | undefined): string {
  const last = steps.at(-1);
  if (only !== undefined) {
    return styled('yellow', `Taken, not run again: step ${only} of ${name} is declared not deterministic`);
  }
  const table = tableOf(last);
  if (last?.taken === true) {
    return styled('yellow', `Taken, not run again: ${name} is ${table}, as step ${last.step} left it in the store`);
  }
  const from = steps.flatMap(({ step, taken }) => (taken ? [step] : []));
  const which =
    from.length === 1 ? `step ${from[0]!}, whose output was` : `steps ${from.join(', ')}, whose outputs were`;
  return styled('green', `Reproduced: ${name} is ${table} again, from ${which} taken, not run again`);
}

function stepJson(outcome: StepOutcome): Record<string, unknown> {
  const { name, version, named, firstDifferentRow, engineThen, rows, ...rest } = outcome;
  const firstDifference = firstDifferentRow === null ? null : { row: firstDifferentRow, rows };
  return { ...rest, version: named ? `${name}@${version}` : null, firstDifference, engine: engineThen };
}
