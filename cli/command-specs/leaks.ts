/**
 * The leak check, and what is done with its report.
 * @module
 */
import type { CommandSpec } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { done, fieldsOption, readOptions } from './shared.ts';

const { ok, found, cannotTell } = exitStatus;

/** `holdout check`. */
export const check: CommandSpec = {
  name: 'check',
  summary: 'say whether eval items stand in training data',
  operands: [['[train...]', 'training sets: files, folders, quoted globs, - or snapshots; each is one set']],
  options: [
    ['--against <eval...>', 'eval sets: files, folders, quoted globs, - or snapshots; each is one set'],
    ['--all', 'check every training snapshot in the store'],
    fieldsOption,
    ...readOptions,
    ['--fail-on <class>', 'fail on "leak" (default) or already on "suspect"'],
    ['--allow-incomplete', 'exit 0 where the verdict is only incomplete'],
    ['--evidence', 'show the texts of the hits listed, shared words marked'],
    ['--limit <n>', 'items to list for each eval set (default 10)'],
    ['--explain', 'print the queries that compute the overlap, on stderr'],
    ['-o, --output <file>', 'write the report to a file'],
    ['--save', 'keep the report in the store (the default where a set is a snapshot; an error without a store)'],
    ['--no-save', 'keep nothing in the store'],
  ],
  details: [
    'An existing file or folder wins over a snapshot of the same name; NAME@VERSION means a snapshot where the store has NAME.',
    'Options that take several values end at the next option: give training sets first.',
  ].join('\n'),
  examples: [
    'holdout check train.jsonl --against eval.jsonl',
    "holdout check 'data/*.parquet' --against gsm8k@2 mmlu --evidence",
    'cat new.jsonl | holdout check - --against eval.jsonl --fields question=q,answer=a',
    'holdout check --all --against gsm8k',
  ],
  exits: [
    [ok, 'clean (suspects and warnings are shown)'],
    [found, 'leak'],
    [cannotTell, 'incomplete without a leak (0 with --allow-incomplete)'],
  ],
  json: [
    '{format: "holdout/leak-report@1", verdict, method, trains: [{name, table, schema, rows, unreadable, …}],',
    ' evals: [{name, table, itemsRoot, items, checked, uncheckable, leaked, suspect, classes, …}],',
    ' hits: [{eval, item, class, leak, field, coverage, longestRun, train, row, source: {file, line}}],',
    ' notes, guarantee}; with --evidence also "evidence": [{hit, eval, train}] of the hits that text would list',
    ' (--limit), each text as {text, spans}; "id" where the report is kept in a store',
  ].join('\n'),
  load: async () => (await import('../commands/check.ts')).check,
};

/** `holdout remove`. */
export const remove: CommandSpec = {
  name: 'remove',
  summary: 'make a new version without the rows that a leak report names',
  operands: [['<version>', 'NAME or NAME@VERSION']],
  options: [
    ['--hits <report>', 'a stored report (prefix of its id), or a report file'],
    ['--suspects', 'remove rows of suspects and warnings too, not only of leaks'],
  ],
  examples: ['holdout remove sft --hits 3f2a91'],
  exits: [done],
  json: '{name, version, snapshot, table, schema, setRoot, itemsRoot, rows, removed, new, derivation, report}',
  load: async () => (await import('../commands/remove.ts')).removeRows,
};

/** `holdout pin`. */
export const pin: CommandSpec = {
  name: 'pin',
  summary: "pin training data, eval items, report and scores in a model's folder",
  operands: [['[model-dir]', 'folder with the files of the model']],
  options: [
    ['--train <names...>', 'training snapshots (with --verify: files)'],
    ['--eval <names...>', 'eval snapshots (with --verify: files)'],
    ['--report <id>', 'the leak report to state (default: the newest stored one that covers what is pinned)'],
    ['--score <scores...>', 'eval:metric=value, the value a decimal number'],
    ['--no-card', 'leave README.md as it is'],
    [
      '--require-clean',
      'write nothing and exit 1 where the report says leak, 3 where it is missing, stale or incomplete',
    ],
    ['--verify', 'say whether the pin in MODEL_DIR still holds; works without a store'],
    ['--files-only', "with --verify: only the model's own files"],
    ['--compare <pins...>', 'two model folders or pin files: may their scores be compared?'],
  ],
  examples: [
    'holdout pin model/ --train sft --eval gsm8k --score gsm8k:exact_match=0.61',
    'holdout pin --verify model/ --train train.jsonl --eval gsm8k.jsonl',
    'holdout pin --compare model-a/ model-b/',
  ],
  exits: [
    [ok, 'pinned; holds; comparable'],
    [found, 'differs; not comparable; the report says leak (with --require-clean)'],
    [cannotTell, 'cannot tell; no clean report covers what is pinned (with --require-clean)'],
  ],
  json: [
    '{says, pin, path, card, replaced, record} (pin null: not written); with --verify {pin, state, says, findings: [{what, name, state, detail}]};',
    'with --compare {comparable, rescore: [{eval, why, comparable}], scores: [{eval, metric, a, b}], differences}',
  ].join('\n'),
  load: async () => (await import('../commands/pin.ts')).pin,
};
