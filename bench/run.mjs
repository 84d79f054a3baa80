// The benchmarks of README's "Speed" section, as ratios against a peer measured in the same run.
//   node bench/run.mjs [--rows 1000000] [--runs 5] [--data FOLDER] [--keep FOLDER]
// Needs: a built project (npm run build), `restic` on PATH, GNU /usr/bin/time. FOLDER holds gsm8k/test.jsonl,
// mmlu/mmlu_test.jsonl and humaneval/HumanEval.jsonl.gz for the check. Prints the median of each figure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '5' },
    data: { type: 'string' },
    keep: { type: 'string' },
  },
});
const runs = Number(values.runs);
const holdout = [process.execPath, fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))];
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'holdout-bench-'));
mkdirSync(folder, { recursive: true });
const file = join(folder, `synthetic-${values.rows}.jsonl`);
if (!existsSync(file)) {
  const made = spawnSync(process.execPath, [
    fileURLToPath(new URL('generate.mjs', import.meta.url)),
    file,
    values.rows,
  ]);
  if (made.status !== 0) throw new Error(String(made.stderr));
}
const megabytes = statSync(file).size / 1e6;

/** Runs a command to its end: wall seconds and peak resident MiB of the largest process. */
const measure = (command, { allow = [0], env = {} } = {}) => {
  const report = join(folder, 'time.txt');
  const result = spawnSync('/usr/bin/time', ['-f', '%e %M', '-o', report, ...command], {
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (!allow.includes(result.status)) throw new Error(`${command.join(' ')}: ${result.stderr}`);
  const [seconds, kib] = readFileSync(report, 'utf8').trim().split('\n').at(-1).split(' ').map(Number);
  return { seconds, mib: kib / 1024, out: String(result.stdout) };
};
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const figures = new Map();
const note = (name, { seconds, mib }) => {
  const entry = figures.get(name) ?? { seconds: [], mib: [] };
  entry.seconds.push(seconds);
  entry.mib.push(mib);
  figures.set(name, entry);
};

const store = join(folder, 'store');
const repository = join(folder, 'restic');
const resticEnv = { RESTIC_PASSWORD: 'bench', RESTIC_CACHE_DIR: join(folder, 'restic-cache') };
for (let i = 0; i < runs; i++) {
  rmSync(repository, { recursive: true, force: true });
  measure(['restic', '-q', '-r', repository, 'init'], { env: resticEnv });
  note('restic backup', measure(['restic', '-q', '-r', repository, 'backup', file], { env: resticEnv }));
  rmSync(store, { recursive: true, force: true });
  mkdirSync(store);
  measure([...holdout, '-C', store, 'init']);
  note('add', measure([...holdout, '-C', store, 'add', 'synthetic', file, '--role', 'train']));
  note('add again', measure([...holdout, '-C', store, 'add', 'synthetic', file, '--role', 'train']));
  note('id', measure([...holdout, 'id', file]));
  note('--help', measure([...holdout, '--help']));
  if (values.data) {
    const evals = ['gsm8k/test.jsonl', 'mmlu/mmlu_test.jsonl', 'humaneval/HumanEval.jsonl.gz'];
    const against = evals.map((path) => join(values.data, path));
    note('check', measure([...holdout, 'check', file, '--against', ...against], { allow: [0, 1, 3] }));
  }
}

const restic = median(figures.get('restic backup').seconds);
console.log(
  `${megabytes.toFixed(0)} MB of JSONL, ${values.rows} rows, ${cpus().length} cores, Node ${process.version}, medians of ${runs}`,
);
for (const [name, { seconds, mib }] of figures) {
  const s = median(seconds);
  const per = name === 'check' ? `  ${(megabytes / s).toFixed(0)} MB/s` : '';
  console.log(
    `${name.padEnd(14)} ${s.toFixed(2).padStart(7)} s  ×${(s / restic).toFixed(2)} of restic  ${median(mib).toFixed(0).padStart(5)} MiB${per}`,
  );
}
if (!values.keep) rmSync(folder, { recursive: true, force: true });
