/**
 * Steps, one by one or as a pipeline.
 * @module
 */
import type { CommandSpec } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { done, notRepeated } from './shared.ts';

const { ok, found, usage, cannotTell } = exitStatus;

/** `holdout run`. */
export const run: CommandSpec = {
  name: 'run',
  summary: 'bring the datasets and checks of holdout.yaml up to date',
  operands: [['[names...]', 'only these datasets, their checks, and what they need']],
  options: [
    ['--dry-run', 'say what would be done, and why; change nothing'],
    ['--frozen', 'write nothing to holdout.lock, and fail where an id would differ from it'],
    ['--file <file>', 'the pipeline file (default: the nearest holdout.yaml here or in a folder above)'],
  ],
  details: [
    'Only what is out of date runs: changed files, edited steps, and what hangs on rows that changed. Files are named',
    'relative to the folder of the pipeline file, and the store is the one that this folder belongs to. holdout.lock,',
    'beside it, is written by a run that ends with status 0. docs/PIPELINE.md describes both files.',
  ].join(' '),
  examples: ['holdout run', 'holdout run train --dry-run', 'holdout init && holdout run --frozen   # in CI'],
  exits: [
    [ok, 'everything is up to date, and no check fails'],
    [found, 'a check found a leak; with --frozen: an id is not the one in holdout.lock'],
    [usage, 'bad usage or bad input; what was finished before stays, the step that failed left nothing'],
    [cannotTell, 'a check is incomplete'],
    notRepeated,
  ],
  json: [
    '{file, dryRun: false, frozen, datasets: [{name, section, action, reason, new, sameRows, version, snapshot, table,',
    ' schema, itemsRoot, rows, steps: [{transform, name, says, derivation, table, rowsBefore, rows, counts, reused}]}],',
    ' checks: [{check, action, verdict, report, says}], lock: {file, written}, difference: {of, step, what, locked, found,',
    ' changes}}; action: add, run, check, up-to-date, failed {error}, skipped {because};',
    'with --dry-run {file, dryRun: true, datasets, checks}; action can be unknown {until}, too, and what is not up to date',
    'has no ids yet',
  ].join('\n'),
  load: async () => (await import('../commands/run.ts')).run,
};

/** `holdout transform`. */
export const transform: CommandSpec = {
  name: 'transform',
  summary: 'make a version out of another by one or more steps',
  operands: [
    ['<version>', 'what the steps start from: NAME or NAME@VERSION'],
    ['<name>', 'name that gets the result: a new one, or its next version'],
  ],
  options: [
    ['--step <yaml...>', "a step as YAML, such as 'head: {n: 10}'; several are taken in their order"],
    ['--dry-run', 'run the steps and say what they would come to; keep nothing'],
  ],
  details:
    '`holdout transforms` lists the steps, `holdout transforms NAME` documents one. Give the two names before --step.',
  examples: [
    `holdout transform sft long --step 'filter: {where: "length(output) > 20"}'`,
    "holdout transform sft train --step 'dedupe: {by: [instruction]}' --step 'shuffle: {seed: 7}'",
  ],
  exits: [done, notRepeated],
  json: [
    '{name, version, snapshot, table, schema, setRoot, itemsRoot, rows, new, dryRun: false, steps: [{transform, says,',
    ' rowsBefore, rows, dropped: {…}, table}]}; with --dry-run {name, table, rows, dryRun: true, steps}',
  ].join('\n'),
  load: async () => (await import('../commands/transform.ts')).transform,
};

/** `holdout transforms`. */
export const transforms: CommandSpec = {
  name: 'transforms',
  summary: 'list and document the steps that "transform" takes',
  operands: [['[name]', 'only this step, with its parameters']],
  options: [],
  examples: ['holdout transforms', 'holdout transforms split'],
  exits: [done],
  json: '{transforms: [{name, version, kind, summary, parameters: [{name, type, required, default, description}], example}]}',
  load: async () => (await import('../commands/transforms.ts')).transforms,
};
