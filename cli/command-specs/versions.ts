/**
 * Files and versions: into the store, out of it, and looking at what is there.
 * @module
 */
import type { CommandSpec } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { done, fieldsOption, readOptions } from './shared.ts';

const { ok, found, cannotTell } = exitStatus;

/** `holdout id`. */
export const id: CommandSpec = {
  name: 'id',
  summary: 'print the identity of files, without a store',
  operands: [['<files...>', 'files, folders, quoted globs or -; together they are one table']],
  options: readOptions,
  examples: ['holdout id train.jsonl', 'holdout id part-*.parquet --json'],
  exits: [done],
  json: '{table, schema, setRoot, rows}',
  load: async () => (await import('../commands/id.ts')).id,
};

/** `holdout init`. */
export const init: CommandSpec = {
  name: 'init',
  summary: 'make a store in this folder',
  operands: [],
  options: [],
  examples: ['holdout init'],
  exits: [done],
  json: '{store}',
  load: async () => (await import('../commands/init.ts')).init,
};

/** `holdout add`. */
export const add: CommandSpec = {
  name: 'add',
  summary: 'snapshot files as a dataset, or as its next version',
  operands: [
    ['<name>', 'name of the dataset'],
    ['<files...>', 'files, folders, quoted globs or -; together they are one dataset'],
  ],
  options: [
    ['--role <role>', 'what the dataset is for: train, eval or none'],
    fieldsOption,
    ...readOptions,
    ['--raw', 'keep the exact bytes of files that are no JSONL too (JSONL keeps its bytes anyway)'],
  ],
  examples: [
    'holdout add sft train.jsonl --role train',
    'holdout add gsm8k test.jsonl --role eval --fields question=question,answer=answer',
  ],
  exits: [done],
  json: '{name, version, snapshot, table, schema, setRoot, itemsRoot, rows, logicalBytes, storedBytes, newBytes}',
  load: async () => (await import('../commands/add.ts')).add,
};

/** `holdout ls`. */
export const ls: CommandSpec = {
  name: 'ls',
  summary: 'list datasets',
  operands: [],
  options: [],
  examples: ['holdout ls'],
  exits: [done],
  json: '{datasets: [{name, version, role, rows, table, …}]}',
  load: async () => (await import('../commands/ls.ts')).ls,
};

/** `holdout log`. */
export const log: CommandSpec = {
  name: 'log',
  summary: 'list what happened, newest first',
  operands: [['[name]', 'only this dataset']],
  options: [['-n, --limit <n>', 'entries to show (default: all)']],
  examples: ['holdout log', 'holdout log sft -n 5'],
  exits: [done],
  json: '{entries: [{seq, time, op, …}]}, newest first',
  load: async () => (await import('../commands/log.ts')).log,
};

/** `holdout show`. */
export const show: CommandSpec = {
  name: 'show',
  summary: 'describe a version: ids, columns, size, lineage',
  operands: [['<version>', 'NAME, NAME@3 or NAME@1f3a9c22 (prefix of an id)']],
  options: [],
  examples: ['holdout show sft', 'holdout show sft@2 --json'],
  exits: [done],
  json: '{name, version, snapshot, table, schema, setRoot, itemsRoot, rows, role, fields, columns, lineage, sources, …}',
  load: async () => (await import('../commands/show.ts')).show,
};

/** `holdout status`. */
export const status: CommandSpec = {
  name: 'status',
  summary: 'say which source files changed since their snapshot',
  operands: [['[names...]', 'only these datasets']],
  options: [['--exit-code', 'exit 1 when something changed']],
  examples: ['holdout status'],
  exits: [done, [found, 'something changed (with --exit-code)']],
  json: '{sources: [{name, version, path, state, sameAs}]}; state: unchanged, changed, missing, new, gone (standard input)',
  load: async () => (await import('../commands/status.ts')).status,
};

/** `holdout diff`. */
export const diff: CommandSpec = {
  name: 'diff',
  summary: 'rows added, removed and changed between two versions or files',
  operands: [
    ['<a>', 'snapshot, file, folder or quoted glob'],
    ['<b>', 'snapshot, file, folder or quoted glob'],
  ],
  options: [
    ['--key <columns...>', 'columns that name a row; rows of one key that differ are shown as changed'],
    ['--stat', 'counts only'],
    ['--limit <n>', 'rows to show of each kind (default 20)'],
    ['--exit-code', 'exit 1 when they differ'],
  ],
  examples: ['holdout diff sft@1 sft@2', 'holdout diff sft train.jsonl --key id --stat --exit-code'],
  exits: [
    [ok, 'compared (with --exit-code: the same)'],
    [found, 'they differ (with --exit-code)'],
  ],
  json: '{a, b, same, sameValues, sameSchema, reordered, schema, key, counts, added, removed, changed}',
  load: async () => (await import('../commands/diff.ts')).diff,
};

/** `holdout cat`. */
export const cat: CommandSpec = {
  name: 'cat',
  summary: "stream a version's rows as JSONL",
  operands: [['<version>', 'NAME or NAME@VERSION']],
  options: [
    ['--limit <n>', 'at most this many rows'],
    ['--json', 'changes nothing: rows are printed as JSONL either way'],
  ],
  examples: ['holdout cat sft | head -3'],
  exits: [done],
  json: 'the rows as JSONL, one value a line',
  load: async () => (await import('../commands/cat.ts')).cat,
};

/** `holdout sql`. */
export const sql: CommandSpec = {
  name: 'sql',
  summary: 'query snapshots as tables, read-only',
  operands: [['<query>', 'one SELECT; a dataset is a table by its name, a version by "name@2"']],
  options: [['--format <format>', 'table (default), jsonl, csv or json']],
  examples: ['holdout sql "SELECT count(*) FROM sft"', 'holdout sql \'SELECT * FROM "sft@1" LIMIT 5\' --format jsonl'],
  exits: [done],
  json: '{columns: [{name, type}], rows: [[…]]}',
  load: async () => (await import('../commands/sql.ts')).sql,
};

/** `holdout export`. */
export const exportVersion: CommandSpec = {
  name: 'export',
  summary: 'write a version to a file, or its raw files back',
  operands: [['<version>', 'NAME or NAME@VERSION']],
  options: [
    ['--to <file>', 'file.jsonl, .json (one list), .csv, .parquet or .arrow'],
    ['--raw <dir>', 'write the files that were added, byte for byte, where their bytes are kept'],
    ['--verify', 'read the file back and compare its id; nothing is left where it differs'],
    ['--parquet-compat', 'Parquet for old readers: v1 pages, Snappy'],
    ['--force', 'overwrite an existing file'],
  ],
  examples: ['holdout export sft --to train.jsonl --verify', 'holdout export gsm8k@1 --raw originals/'],
  exits: [done],
  json: '{version, files: [{path, bytes, rows}], schema, verified}; with --raw {version, files: [{path}]}',
  load: async () => (await import('../commands/export.ts')).exportVersion,
};

/** `holdout verify`. */
export const verify: CommandSpec = {
  name: 'verify',
  summary: 'check the store: structure, and with --read-data every byte',
  operands: [],
  options: [['--read-data', 'read and re-hash every stored byte and every row']],
  examples: ['holdout verify --read-data'],
  exits: [
    [ok, 'intact'],
    [found, 'damaged'],
    [cannotTell, 'nothing is damaged, but rows of a version could not be recomputed'],
  ],
  json: '{ok, checked: {versions, bytes, rows}, problems: [{kind, id, problem, path, says, touches}]}',
  load: async () => (await import('../commands/verify.ts')).verify,
};
