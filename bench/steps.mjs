// What steps cost: time against DuckDB evaluating the same over the same Parquet file in the same run, and bytes
// against the parent's.
//   node bench/steps.mjs [--rows 1000000] [--runs 5] [--keep FOLDER]
// Needs: a built project (npm run build), GNU /usr/bin/time. Prints medians. `allowed` is DuckDB's time and 1.5 µs a
// row; both sides are whole processes, from start to end, on all cores.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '5' },
    keep: { type: 'string' },
    duckdb: { type: 'string' },
  },
});

if (values.duckdb !== undefined) {
  // The peer: one statement over one file, in a process of its own.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create(':memory:', { memory_limit: '2GB' })).connect();
  await connection.run(values.duckdb);
  process.exit(0);
}

const runs = Number(values.runs);
const here = fileURLToPath(import.meta.url);
const holdout = [process.execPath, fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))];
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'holdout-bench-'));
mkdirSync(folder, { recursive: true });
const file = join(folder, `synthetic-${values.rows}.jsonl`);
const run = (command) => {
  const result = spawnSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] });
  if (result.status !== 0) throw new Error(`${command.join(' ')}: ${result.stderr}`);
};
if (!existsSync(file)) {
  run([process.execPath, fileURLToPath(new URL('generate.mjs', import.meta.url)), file, values.rows]);
}

/** Runs a command to its end: wall seconds and peak resident MiB. */
const measure = (command) => {
  const report = join(folder, 'time.txt');
  run(['/usr/bin/time', '-f', '%e %M', '-o', report, ...command]);
  const [seconds, kib] = readFileSync(report, 'utf8').trim().split('\n').at(-1).split(' ').map(Number);
  return { seconds, mib: kib / 1024 };
};
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const stored = ['parts', 'digests', 'layouts', 'origins', 'records'];
const bytesIn = (path) =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true }).reduce(
        (sum, each) =>
          sum + (each.isDirectory() ? bytesIn(join(path, each.name)) : statSync(join(path, each.name)).size),
        0,
      )
    : 0;
const storedBytes = (root) => stored.reduce((sum, kind) => sum + bytesIn(join(root, '.holdout', kind)), 0);

const store = join(folder, 'store');
rmSync(store, { recursive: true, force: true });
mkdirSync(store);
run([...holdout, '-C', store, 'init']);
run([...holdout, '-C', store, 'add', 'base', file]);
const parent = storedBytes(store);
const part = readdirSync(join(store, '.holdout', 'parts'), { recursive: true }).find((name) =>
  String(name).endsWith('.parquet'),
);
const rows = `read_parquet('${join(store, '.holdout', 'parts', String(part))}', file_row_number = true)`;
const score = `(from_json(line, '{"score":"DOUBLE"}')).score`;
const numbers = (select) => `CREATE TABLE kept AS ${select}`;

/** @type {[string, (run: number) => string, string, number][]} Name, the step (another in each run: the same is not run twice), what DuckDB does instead, the share of the parent's bytes that it may store. */
const steps = [
  [
    'filter',
    (i) => `filter: {where: "score > ${0.1 - i / 1e3}"}`,
    numbers(`SELECT file_row_number FROM ${rows} WHERE ${score} > 0.1`),
    0.002,
  ],
  [
    'dedupe',
    (i) => `dedupe: {keep: ${['first', 'last', 'longest'][i % 3]}}`,
    numbers(`SELECT min(file_row_number) FROM ${rows} GROUP BY sha256(line) ORDER BY 1`),
    0.002,
  ],
  [
    'sample',
    (i) => `sample: {fraction: 0.1, seed: ${i}}`,
    numbers(`SELECT file_row_number FROM ${rows} WHERE hash(line) % 10 = 0`),
    0.002,
  ],
  [
    'split',
    (i) => `split: {shares: {train: 0.9, valid: 0.1}, which: train, seed: ${i}}`,
    numbers(`SELECT file_row_number FROM ${rows} WHERE hash(line) % 10 <> 0`),
    0.002,
  ],
  ['shuffle', (i) => `shuffle: {seed: ${i}}`, numbers(`SELECT file_row_number FROM ${rows} ORDER BY hash(line)`), 0.01],
  [
    'sort',
    (i) => `sort: {by: [{column: score, order: ${i % 2 === 0 ? 'asc' : 'desc'}}${i > 1 ? ', id' : ''}]}`,
    numbers(`SELECT file_row_number FROM ${rows} ORDER BY ${score}, hash(line)`),
    0.01,
  ],
];

console.log(
  `${values.rows} rows, ${(statSync(file).size / 1e6).toFixed(0)} MB of JSONL, stored in ${(parent / 1e6).toFixed(0)} MB, ${cpus().length} cores, Node ${process.version}, medians of ${runs}`,
);
for (const [name, step, sql, share] of steps) {
  const [mine, peer] = [[], []];
  let bytes = 0;
  for (let i = 0; i < runs; i++) {
    peer.push(measure([process.execPath, here, '--duckdb', sql]));
    const before = storedBytes(store);
    mine.push(measure([...holdout, '-C', store, 'transform', 'base', `${name}-out`, '--step', step(i)]));
    bytes = storedBytes(store) - before;
  }
  const seconds = median(mine.map((each) => each.seconds));
  const duckdb = median(peer.map((each) => each.seconds));
  const allowed = duckdb + (1.5 * Number(values.rows)) / 1e6;
  console.log(
    `${name.padEnd(8)} ${seconds.toFixed(2)} s, DuckDB ${duckdb.toFixed(2)} s, allowed ${allowed.toFixed(2)} s (×${(seconds / allowed).toFixed(2)}); ` +
      `${((100 * bytes) / parent).toFixed(3)} % of the parent, allowed ${100 * share} %; ${median(mine.map((each) => each.mib)).toFixed(0)} MiB`,
  );
}

/** Five variants of one dataset in a store of their own, against the first alone. */
const five = join(folder, 'five');
rmSync(five, { recursive: true, force: true });
mkdirSync(five);
const inFive = (...words) => run([...holdout, '-C', five, ...words]);
inFive('init');
inFive('add', 'base', file);
const first = storedBytes(five);
const longer = join(folder, 'longer.jsonl');
const more = Math.ceil(Number(values.rows) * 1.01);
if (!existsSync(longer)) {
  run([process.execPath, fileURLToPath(new URL('generate.mjs', import.meta.url)), longer, String(more)]);
}
/** @type {[string, () => void][]} */
const variants = [
  ['filtered to 90 %', () => inFive('transform', 'base', 'filtered', '--step', 'filter: {where: "score > 0.1"}')],
  [
    'augmented: 2 % of the rows again, perturbed',
    () => {
      inFive(
        'transform',
        'base',
        'copies',
        '--step',
        'sample: {fraction: 0.02}',
        '--step',
        'perturb: {columns: [prompt], kinds: [typo], rate: 0.1, keep_original: false}',
      );
      inFive('transform', 'base', 'augmented', '--step', 'concat: {with: [copies]}');
    },
  ],
  ['appended: 1 % more rows', () => inFive('add', 'base', longer)],
  [
    'one column changed',
    () => inFive('transform', 'base@1', 'changed', '--step', 'derive: {columns: {score: "round(score * 100) / 100"}}'),
  ],
];
for (const [name, make] of variants) {
  const before = storedBytes(five);
  make();
  console.log(`variant, ${name}: ${((100 * (storedBytes(five) - before)) / first).toFixed(2)} % of the first`);
}
console.log(`five variants together: ×${(storedBytes(five) / first).toFixed(3)} of the first, allowed ×1.25`);

/** Rows through ten filters, and the same rows added anew. */
const ten = Array.from({ length: 10 }, (_, i) => ['--step', `filter: {where: "score > ${(i + 1) / 100}"}`]).flat();
inFive('transform', 'base@1', 'ten', ...ten);
const rowsOfTen = join(folder, 'ten.jsonl');
inFive('export', 'ten', '--to', rowsOfTen, '--force');
const compacted = join(folder, 'compacted');
rmSync(compacted, { recursive: true, force: true });
mkdirSync(compacted);
run([...holdout, '-C', compacted, 'init']);
run([...holdout, '-C', compacted, 'add', 'ten', rowsOfTen]);
const reads = [
  ['cat', 'ten'],
  ['sql', 'SELECT count(*), avg(length(response)), avg(score) FROM ten'],
];
for (const command of reads) {
  const [stacked, flat] = [[], []];
  for (let i = 0; i < runs; i++) {
    stacked.push(measure([...holdout, '-C', five, ...command]).seconds);
    flat.push(measure([...holdout, '-C', compacted, ...command]).seconds);
  }
  const ratio = median(stacked) / median(flat);
  console.log(
    `${command[0]} through ten filters ${median(stacked).toFixed(2)} s, compacted ${median(flat).toFixed(2)} s: ×${ratio.toFixed(2)}, allowed ×1.20`,
  );
}
if (!values.keep) rmSync(folder, { recursive: true, force: true });
