/**
 * What a version was made of, and whether it can be made again.
 * @module
 */
import type { CommandSpec } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { done } from './shared.ts';

const { ok, found, cannotTell, notDeterministic } = exitStatus;

/** `holdout lineage`. */
export const lineage: CommandSpec = {
  name: 'lineage',
  summary: 'show the steps that led to a version',
  operands: [['<version>', 'NAME or NAME@VERSION']],
  options: [
    ['--format <format>', 'tree (default), json, mermaid or svg'],
    ['-o, --output <file>', 'write it to a file; .svg, .json and .mmd say the format'],
    ['--ascii', 'draw the tree in ASCII'],
  ],
  details: [
    'Each step has its number, rows in and out, and the first digits of its table; a hollow mark is a raw file. A step',
    'that several others read is told once. "dropped": the rows are rebuilt when they are read.',
  ].join(' '),
  examples: ['holdout lineage sft', 'holdout lineage sft@2 --output sft.svg'],
  exits: [done],
  json: [
    '{type: "holdout/lineage@1", version, steps: [{step, transform, kind, says, version, inputs: [{step, rows}], rows,',
    ' counts, table, schema, setRoot, derivation, realisation, output: stored|dropped|lost, code, files}]}',
  ].join('\n'),
  load: async () => (await import('../commands/lineage.ts')).lineage,
};

/** `holdout trace`. */
export const trace: CommandSpec = {
  name: 'trace',
  summary: 'trace rows back to raw file, line and bytes, or forward to all that was made of them',
  operands: [['[version]', 'NAME or NAME@VERSION']],
  options: [
    ['--row <n...>', 'rows, counted from 1 (in --json rows are counted from 0)'],
    ['--where <sql>', 'rows for which a SQL predicate is true'],
    ['--limit <n>', 'rows of --where to trace, or rows to show that one was made of (default 10; with --json 1,000)'],
    ['--forward', 'from the rows on to every version that holds them or something made of them'],
    ['--file <file>', 'with --forward: begin at a JSONL or JSON file that was added, with --line'],
    ['--line <n>', 'with --file: the line, counted from 1'],
  ],
  details: [
    'Backward, each step on the way is named with the row there. A step that does not say of which rows it made its',
    'own ends the trace with the reason. Where a row was made of a group of rows (a `sql` step that aggregates), the',
    'first of them are followed on, each to its line, and the others counted; at most 10,000. Forward, equal rows that',
    'came by another way are named too.',
  ].join(' '),
  examples: [
    'holdout trace sft --row 712345',
    `holdout trace sft --where "output LIKE '%sk-live%'" --limit 3`,
    'holdout trace --forward --file train.jsonl --line 17',
  ],
  exits: [done],
  json: [
    '{version, rows: [{row, text, steps: [{step, transform, says, version, row}], stops, source: {file, sha256, row, line,',
    ' offset, bytes, text}, madeOf: {rows: [{row, steps, stops, source, madeOf}], more}}], more};',
    'with --forward {versions: [{version, snapshot, same, made, through, unknown}], gone: [{version, by, from, row}]};',
    ' in --json rows are counted from 0, lines from 1',
  ].join('\n'),
  load: async () => (await import('../commands/trace.ts')).trace,
};

/** `holdout why`. */
export const why: CommandSpec = {
  name: 'why',
  summary: 'say which step dropped a row, and by which rule',
  operands: [['<version>', 'NAME or NAME@VERSION']],
  options: [
    ['--dropped', 'why rows are not in the version: all that it is asked, so that it may be left out'],
    ['--row <n...>', 'rows of the raw table, counted from 1 (in --json rows are counted from 0)'],
    ['--where <sql>', 'rows of the raw table for which a SQL predicate is true'],
    ['--from <version>', 'count rows in this version of the lineage, not in the raw table (of several the first)'],
    ['--limit <n>', 'rows of --where to tell of (default 10)'],
    ['--summary', 'of every step how many rows it let go (the default without --row and --where)'],
  ],
  details: [
    'Every built-in step says why in words: the value that failed, the share that a group fell to, the hit of the leak',
    'report. A selecting step that let a row go is run again for that, in a scratch store; your own code is not run.',
    'Where a step keeps no word of which rows it made its own, the answer is "opaque".',
  ].join(' '),
  examples: ['holdout why sft', 'holdout why sft --row 3', 'holdout why sft --from raw@1 --where "id = 7"'],
  exits: [done],
  json: [
    '{version, steps: [{step, transform, says, version, rowsBefore, beside: [{name, rows}], rows, counts}]}; of rows',
    ' {version, from, rows: [{row, stays, dropped: [{step, transform, says, version, row, rule, why, stays}], unknown}], more};',
    'in --json rows are counted from 0',
  ].join('\n'),
  load: async () => (await import('../commands/why.ts')).why,
};

/** `holdout reproduce`. */
export const reproduce: CommandSpec = {
  name: 'reproduce',
  summary: 're-run the lineage of a version and compare ids step by step',
  operands: [['<version>', 'NAME or NAME@VERSION']],
  options: [
    ['--from-raw <files...>', 'raw files, for read steps whose bytes are not kept; found by their digests'],
    ['--step <n>', 'only this step, on its recorded inputs'],
    ['--run-code', 'let steps run code of your own: modules and commands'],
    ['--restore', 'put rebuilt layouts back where the store has lost them'],
  ],
  details: [
    'Everything is done in a scratch store. A table that several steps read is made once. The stored output of a step',
    'that is declared not deterministic is taken as it is, like raw data.',
  ].join(' '),
  examples: ['holdout reproduce sft', 'holdout reproduce sft@1 --from-raw originals/train.csv'],
  exits: [
    [ok, 'every step gave the same id'],
    [found, 'a step gave another id'],
    [cannotTell, 'cannot tell: raw bytes or a step are not at hand, or a step runs code of your own'],
    [notDeterministic, 'a step is declared not deterministic, and its stored output is gone'],
  ],
  json: [
    '{state, version, steps: [{step, transform, says, version, state, recorded, got, detail, taken, restored, engine,',
    ' changes: [{what, was, is}], firstDifference: {row, rows: [{row, columns: [{name, recorded, got}]}]}}]};',
    'state: same, differs, cannot-tell, not-deterministic',
  ].join('\n'),
  load: async () => (await import('../commands/reproduce.ts')).reproduce,
};
