/**
 * What several commands have in common: options, and exits.
 * @module
 */
import type { CommandSpec } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';

type Exit = CommandSpec['exits'][number];
type Option = CommandSpec['options'][number];

/** The exit of a command that has nothing to judge. */
export const done: Exit = [exitStatus.ok, 'done'];

/** The exit of a command that runs steps. */
export const notRepeated: Exit = [exitStatus.notDeterministic, 'a step gave two results when it was run twice'];

/** Roles of columns. */
export const fieldsOption: Option = [
  '--fields <roles...>',
  'which columns play which role: question=prompt,answer=gold (roles: question, passage, choices, answer, id)',
];

/** How files are read. */
export const readOptions: readonly Option[] = [
  ['--schema <schema>', "declared types: a file, or text such as 'a BIGINT, b VARCHAR'"],
  ['--infer', 'infer the types of CSV columns (they are text otherwise)'],
  [
    '--format <format>',
    'format of the files, where neither content nor name says it: jsonl, json, csv, tsv, parquet, arrow-file, arrow-stream',
  ],
];
