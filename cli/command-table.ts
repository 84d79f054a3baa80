/**
 * The table of commands: what `--help` knows. Actions are loaded when called.
 * @module
 */
import type { CommandSpec } from './command-spec.ts';
import { exitStatus } from './exit-codes.ts';

const { ok, found, cannotTell, notDeterministic } = exitStatus;
const done = [ok, 'done'] as const;

const fieldsOption = [
  '--fields <roles...>',
  'which columns play which role: question=prompt,answer=gold (roles: question, passage, choices, answer, id)',
] as const;
const formatOption = [
  '--format <format>',
  'format of the files, where neither content nor name says it: jsonl, json, csv, tsv, parquet, arrow-file, arrow-stream',
] as const;
const readOptions = [
  ['--schema <schema>', "declared types: a file, or text such as 'a BIGINT, b VARCHAR'"],
  ['--infer', 'infer the types of CSV columns (they are text otherwise)'],
  formatOption,
] as const;

/** Every command, in the order in which help lists them. */
export const commands: readonly CommandSpec[] = [
  {
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
    load: async () => (await import('./commands/check.ts')).check,
  },
  {
    name: 'id',
    summary: 'print the identity of files, without a store',
    operands: [['<files...>', 'files, folders, quoted globs or -; together they are one table']],
    options: readOptions,
    examples: ['holdout id train.jsonl', 'holdout id part-*.parquet --json'],
    exits: [done],
    json: '{table, schema, setRoot, rows}',
    load: async () => (await import('./commands/id.ts')).id,
  },
  {
    name: 'init',
    summary: 'make a store in this folder',
    operands: [],
    options: [],
    examples: ['holdout init'],
    exits: [done],
    json: '{store}',
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
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
    load: async () => (await import('./commands/add.ts')).add,
  },
  {
    name: 'ls',
    summary: 'list datasets',
    operands: [],
    options: [],
    examples: ['holdout ls'],
    exits: [done],
    json: '{datasets: [{name, version, role, rows, table, …}]}',
    load: async () => (await import('./commands/ls.ts')).ls,
  },
  {
    name: 'log',
    summary: 'list what happened, newest first',
    operands: [['[name]', 'only this dataset']],
    options: [['-n, --limit <n>', 'entries to show (default: all)']],
    examples: ['holdout log', 'holdout log sft -n 5'],
    exits: [done],
    json: '{entries: [{seq, time, op, …}]}, newest first',
    load: async () => (await import('./commands/log.ts')).log,
  },
  {
    name: 'show',
    summary: 'describe a version: ids, columns, size, lineage',
    operands: [['<version>', 'NAME, NAME@3 or NAME@1f3a9c22 (prefix of an id)']],
    options: [],
    examples: ['holdout show sft', 'holdout show sft@2 --json'],
    exits: [done],
    json: '{name, version, snapshot, table, schema, setRoot, itemsRoot, rows, role, fields, columns, lineage, sources, …}',
    load: async () => (await import('./commands/show.ts')).show,
  },
  {
    name: 'status',
    summary: 'say which source files changed since their snapshot',
    operands: [['[names...]', 'only these datasets']],
    options: [['--exit-code', 'exit 1 when something changed']],
    examples: ['holdout status'],
    exits: [done, [found, 'something changed (with --exit-code)']],
    json: '{sources: [{name, version, path, state, sameAs}]}; state: unchanged, changed, missing, new, gone (standard input)',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
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
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  {
    name: 'cat',
    summary: "stream a version's rows as JSONL",
    operands: [['<version>', 'NAME or NAME@VERSION']],
    options: [['--limit <n>', 'at most this many rows']],
    examples: ['holdout cat sft | head -3'],
    exits: [done],
    json: 'the rows as JSONL, as without it',
    load: async () => (await import('./commands/cat.ts')).cat,
  },
  {
    name: 'sql',
    summary: 'query snapshots as tables, read-only',
    operands: [['<query>', 'one SELECT; a dataset is a table by its name, a version by "name@2"']],
    options: [['--format <format>', 'table (default), jsonl, csv or json']],
    examples: [
      'holdout sql "SELECT count(*) FROM sft"',
      'holdout sql \'SELECT * FROM "sft@1" LIMIT 5\' --format jsonl',
    ],
    exits: [done],
    json: '{columns: [{name, type}], rows: [[…]]}',
    load: async () => (await import('./commands/sql.ts')).sql,
  },
  {
    name: 'export',
    summary: 'write a version to a file, or its raw files back',
    operands: [['<version>', 'NAME or NAME@VERSION']],
    options: [
      ['--to <file>', 'file.jsonl, .csv, .parquet or .arrow'],
      ['--raw <dir>', 'write the files that were added, byte for byte, where their bytes are kept'],
      ['--verify', 'read the file back and compare its id; nothing is left where it differs'],
      ['--parquet-compat', 'Parquet for old readers: v1 pages, Snappy'],
      ['--force', 'overwrite an existing file'],
    ],
    examples: ['holdout export sft --to train.jsonl --verify', 'holdout export gsm8k@1 --raw originals/'],
    exits: [done],
    json: '{version, files: [{path, bytes, rows}], schema, verified}; with --raw {version, files: [{path}]}',
    load: async () => (await import('./commands/export.ts')).exportVersion,
  },
  {
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
    load: async () => (await import('./commands/verify.ts')).verify,
  },
  {
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
    ].join('\n'),
    examples: ['holdout run', 'holdout run train --dry-run', 'holdout init && holdout run --frozen   # in CI'],
    exits: [
      [ok, 'everything is up to date, and no check fails'],
      [found, 'a check found a leak; with --frozen: an id is not the one in holdout.lock'],
      [cannotTell, 'a check is incomplete'],
    ],
    json: [
      '{file, dryRun, frozen, datasets: [{name, section, action, reason, new, version, snapshot, table, schema, rows,',
      ' steps: [{transform, name, says, derivation, table, rowsBefore, rows, counts}]}], checks: [{check, action, verdict,',
      ' report, says}], lock: {file, written}, difference}; action: add, run, check, up-to-date, failed {error},',
      ' skipped {because}; with --dry-run also unknown {until}',
    ].join('\n'),
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
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
    exits: [done],
    json: [
      '{name, version, snapshot, table, schema, setRoot, itemsRoot, rows, new, dryRun: false, steps: [{transform, says,',
      ' rowsBefore, rows, dropped: {…}, table}]}; with --dry-run {name, table, rows, dryRun: true, steps}',
    ].join('\n'),
    load: async () => (await import('./commands/transform.ts')).transform,
  },
  {
    name: 'transforms',
    summary: 'list and document the steps that "transform" takes',
    operands: [['[name]', 'only this step, with its parameters']],
    options: [],
    examples: ['holdout transforms', 'holdout transforms split'],
    exits: [done],
    json: '{transforms: [{name, version, kind, summary, parameters: [{name, type, required, default, description}], example}]}',
    load: async () => (await import('./commands/transforms.ts')).transforms,
  },
  {
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
    load: async () => (await import('./commands/remove.ts')).removeRows,
  },
  {
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
    load: async () => (await import('./commands/pin.ts')).pin,
  },
  {
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
    ].join('\n'),
    examples: ['holdout lineage sft', 'holdout lineage sft@2 --output sft.svg'],
    exits: [done],
    json: [
      '{type: "holdout/lineage@1", version, steps: [{step, transform, kind, says, version, inputs: [{step, rows}], rows,',
      ' counts, table, schema, setRoot, derivation, realisation, output: stored|dropped|lost, code, files}]}',
    ].join('\n'),
    load: async () => (await import('./commands/lineage.ts')).lineage,
  },
  {
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
    ].join('\n'),
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
    load: async () => (await import('./commands/reproduce.ts')).reproduce,
  },
];
