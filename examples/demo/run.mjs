// The main job from end to end, on example files of the project's own: `npm run demo`.
// Works in a temporary folder, prints each command as a person would type it, and stops where an exit status is not
// the one expected.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'holdout-demo-'));
const colour = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);

const say = (text) => console.log(`\n${paint('36', `# ${text}`)}`);
const shown = (word) => (/^[\w@./:=,-]+$/.test(word) ? word : `'${word}'`);

const run = (words, { expect = 0, quiet = false } = {}) => {
  if (!quiet) console.log(paint('1', `$ holdout ${words.map(shown).join(' ')}`));
  const { HOLDOUT_DIR: _, ...env } = process.env;
  const result = spawnSync(process.execPath, [main, ...words], { cwd: folder, encoding: 'utf8', env });
  if (!quiet) process.stdout.write(result.stdout + result.stderr);
  if (result.status !== expect) {
    if (quiet) process.stdout.write(result.stdout + result.stderr);
    throw new Error(`holdout ${words[0]} ended with ${result.status}, expected ${expect}`);
  }
  if (!quiet && expect !== 0) console.log(paint('2', `(exit status ${expect})`));
  return result.stdout;
};
const json = (words, options) => JSON.parse(run([...words, '--json'], { ...options, quiet: true }));
const remove = (path) => {
  console.log(paint('1', `$ rm ${path}`));
  rmSync(join(folder, path));
};

try {
  cpSync(join(here, 'data'), folder, { recursive: true });
  cpSync(join(here, 'model'), join(folder, 'model'), { recursive: true });
  // Stands for weights: the pin needs bytes, not a model.
  const weights = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 2_654_435_761) >>> 24);
  writeFileSync(join(folder, 'model', 'model.safetensors'), weights);

  say('Snapshot the training set and two eval sets.');
  run(['init']);
  run(['add', 'sft', 'instructions.jsonl', '--role', 'train']);
  run(['add', 'word-problems', 'word-problems.jsonl', '--role', 'eval']);
  run(['add', 'trivia', 'trivia.jsonl', '--role', 'eval']);
  run(['ls']);

  say('Did any eval item leak into the training set? Where did it come from?');
  run(['check', 'sft', '--against', 'word-problems', 'trivia', '--evidence', '--limit', '3'], { expect: 1 });
  const { entries } = json(['log', '--limit', '1']);
  const report = entries[0].report.slice('sha256:'.length, 'sha256:'.length + 12);

  say('Remove those rows, as a recorded step, and look again.');
  run(['remove', 'sft', '--hits', report]);
  run(['diff', 'sft@1', 'sft@2', '--stat']);
  run(['check', 'sft', '--against', 'word-problems', 'trivia']);

  say('Pin what the model was made of and measured on, in its folder and its card.');
  const scores = ['word-problems:exact_match=0.53', 'trivia:accuracy=0.8'];
  run(['pin', 'model', '--train', 'sft', '--eval', 'word-problems', 'trivia', '--score', ...scores]);
  console.log(paint('1', '$ cat model/README.md'));
  console.log(readFileSync(join(folder, 'model', 'README.md'), 'utf8').trimEnd());

  say('Export the cleaned set for training, then lose it: the file, and what the store derived.');
  run(['export', 'sft@2', '--to', 'clean.jsonl', '--verify']);
  const before = json(['id', 'clean.jsonl']);
  remove('clean.jsonl');
  remove(json(['show', 'sft@2']).layoutPath);
  run(['export', 'sft@2', '--to', 'clean.jsonl'], { expect: 5 });

  say('Rebuild it from its lineage: every step is run again, and the ids are compared.');
  run(['reproduce', 'sft@2', '--restore']);
  run(['export', 'sft@2', '--to', 'clean.jsonl']);
  run(['id', 'clean.jsonl']);
  const after = json(['id', 'clean.jsonl']);
  if (after.table !== before.table) throw new Error(`rebuilt ${after.table}, had ${before.table}`);
  run(['pin', '--verify', 'model']);

  say(`Done: the same table before and after, ${after.table}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
