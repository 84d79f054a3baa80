/**
 * `holdout reproduce`: re-runs a version's lineage and compares ids step by step.
 * @module
 */
import { type StepOutcome, reproduceVersion } from '../../src/lineage/reproduce.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import type { CliContext } from '../context.ts';
import { exitStatus } from '../exit-codes.ts';
import { threads, versionEntry } from '../inputs.ts';
import { styled, writeJson, writeLines } from '../output.ts';
import { entryName } from '../snapshots.ts';
import { plural } from '../text.ts';

const statusOf = { same: exitStatus.ok, differs: exitStatus.found, 'cannot-tell': exitStatus.cannotTell } as const;

/** Reproduces a version and prints each step as it is done. */
export const reproduce: Action = async ({ context, operands, options }) => {
  const store = await context.openStore();
  const target = await versionEntry(store, operands[0] ?? '');
  const workDirectory = await context.scratchBeside(store);
  const engine = await context.openEngine(store, { writeDirectories: [workDirectory] });
  const { state, steps } = await reproduceVersion({
    store,
    engine,
    transforms: builtInTransforms,
    target,
    raw: { files: options.list('fromRaw') },
    workDirectory,
    threads,
    now: context.now(),
    restore: options.flag('restore'),
    onStep: (outcome) => (context.json ? undefined : writeLines(stepLines(outcome))),
  });
  if (context.json) await writeJson({ state, version: entryName(target), steps: steps.map(stepJson) });
  else await writeLines([verdict(context, state, entryName(target), steps)]);
  return statusOf[state];
};

function stepLines(outcome: StepOutcome): string[] {
  const { step, name, version, named, transform, says, state, recorded, got, detail, restored } = outcome;
  const head = `${step}. ${transform}: ${says}${named ? ` → ${name}@${version}` : ''}`;
  if (state === 'same') {
    const back = restored ? ['   put its layout back'] : [];
    return [head, `   same: ${recorded.table} (${plural(recorded.rows, 'row')})`, ...back];
  }
  if (state === 'cannot-tell') return [head, `   cannot tell: ${detail}`];
  const engines = engineChanges(outcome).map((line) => `   ${line}`);
  return [
    head,
    `   ${styled('red', 'differs')}: ${detail}`,
    `   had ${recorded.table}`,
    `   got ${got?.table ?? ''}`,
    ...engines,
  ];
}

function verdict(
  context: CliContext,
  state: StepOutcome['state'],
  name: string,
  steps: readonly StepOutcome[],
): string {
  const last = steps.at(-1);
  if (state === 'same') return styled('green', `Reproduced: ${name} is ${last?.recorded.table ?? ''} again`);
  if (state === 'differs') return styled('red', `Not reproduced: step ${steps.length} of ${name} gave another table`);
  return `Cannot tell: step ${steps.length} of ${name} could not be run (Holdout ${context.holdoutVersion})`;
}

const versionsNow: Readonly<Record<string, string | undefined>> = {
  node: process.versions.node,
  unicode: process.versions['unicode'],
};

/** What was another version when the step was recorded. */
function engineChanges({ engineThen }: StepOutcome): string[] {
  return Object.entries(engineThen)
    .filter(([part, then]) => part in versionsNow && versionsNow[part] !== then)
    .map(([part, then]) => `${part} ${then} then, ${versionsNow[part] ?? 'unknown'} now`);
}

function stepJson(outcome: StepOutcome): Record<string, unknown> {
  const { step, name, version, named, transform, says, state, recorded, got, detail, firstDifferentRow, restored } =
    outcome;
  return {
    step,
    transform,
    says,
    version: named ? `${name}@${version}` : null,
    state,
    recorded,
    got,
    detail,
    firstDifference: firstDifferentRow === null ? null : { row: firstDifferentRow },
    engine: outcome.engineThen,
    restored,
  };
}
