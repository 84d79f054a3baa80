/**
 * Making a pin: the record, its file in the model's folder, its entry in the card.
 * @module
 */
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256Id } from '../../schemas/ids.ts';
import type { LeakReport } from '../../schemas/leak-report.ts';
import { type PinRecord, type PinnedDataset, type PinnedEval, type PinnedScore, pinRecord } from '../../schemas/pin.ts';
import { HoldoutError } from '../errors.ts';
import { recordId } from '../identity/canonical-json.ts';
import { readIfThere } from '../store/read-if-there.ts';
import { cardFileName, hashModelFiles, pinFileName } from './model-files.ts';
import { editCard } from './model-card.ts';
import { describeReport, pinSays, versionName } from './pin-report.ts';

/** A score as given: for a pinned eval, by its name. */
export interface GivenScore {
  readonly eval: string;
  readonly metric: string;
  readonly value: number;
}

/** What is to be pinned. */
export interface PinContent {
  readonly modelDir: string;
  readonly holdoutVersion: string;
  readonly trains: readonly PinnedDataset[];
  readonly evals: readonly PinnedEval[];
  /** The report to state; null when there is none. */
  readonly report: { readonly id: Sha256Id; readonly report: LeakReport } | null;
  readonly scores: readonly GivenScore[];
  readonly onProgress?: (bytes: number) => void;
}

/** A pin that was written. */
export interface WrittenPin {
  readonly pin: PinRecord;
  readonly id: Sha256Id;
  readonly path: string;
  /** Id of the pin that stood there before and was another; null where there was none. */
  readonly replaced: Sha256Id | null;
  /** What became of README.md: written, unchanged, absent, or left alone and why. */
  readonly card: 'written' | 'unchanged' | 'absent' | { readonly left: string };
}

/**
 * Hashes a model's folder and makes the record; writes nothing.
 * @throws HoldoutError INPUT_INVALID, NOT_FOUND for what cannot be pinned.
 */
export async function createPin(content: PinContent): Promise<PinRecord> {
  const pinned = { train: [...content.trains], eval: [...content.evals] };
  const report = content.report === null ? null : describeReport(content.report.id, content.report.report, pinned);
  const scores = content.scores.map((score) => bindScore(score, content.evals));
  const files = await hashModelFiles(content.modelDir, content.onProgress);
  if (files.length === 0) {
    throw new HoldoutError('INPUT_INVALID', 'the folder holds no file to pin', { file: content.modelDir });
  }
  return {
    says: pinSays(report, pinned),
    type: 'holdout/pin@1',
    holdout: content.holdoutVersion,
    files,
    ...pinned,
    report,
    scores,
  };
}

function bindScore(score: GivenScore, evals: readonly PinnedEval[]): PinnedScore {
  const found = evals.filter((each) => each.name === score.eval || versionName(each) === score.eval);
  const [pinned] = found;
  if (pinned === undefined || found.length > 1) {
    const why = pinned === undefined ? 'is not among the pinned evals' : 'names several versions';
    throw new HoldoutError('USAGE', `--score ${score.eval}:${score.metric}: "${score.eval}" ${why}`, {
      hint: `pinned evals: ${evals.map(versionName).join(', ') || 'none (name them by --eval)'}`,
    });
  }
  if (!Number.isFinite(score.value)) throw new RangeError(`"value" expected a finite number, got ${score.value}`);
  return { eval: pinned.name, itemsRoot: pinned.itemsRoot, metric: score.metric, value: score.value };
}

/** Writes a pin into a model's folder: the file, and the entry of the card where there is one. */
export async function writePin(modelDir: string, pin: PinRecord): Promise<WrittenPin> {
  const id = recordId(pin);
  const path = join(modelDir, pinFileName);
  const before = await pinIdAt(path);
  await replaceFile(path, pinFileText(pin));
  return {
    pin,
    id,
    path,
    replaced: before === id ? null : before,
    card: await writeCard(join(modelDir, cardFileName), pin, id),
  };
}

/** Id of the pin in a file; null where there is no file, or no pin in it. */
async function pinIdAt(path: string): Promise<Sha256Id | null> {
  try {
    return (await readPin(path)).id;
  } catch (error) {
    if (error instanceof HoldoutError && ['NOT_FOUND', 'INPUT_INVALID'].includes(error.code)) return null;
    throw error;
  }
}

/** The pin's file: indented JSON whose first line carries `says`. */
function pinFileText(pin: PinRecord): string {
  const { says, ...rest } = pin;
  return `${JSON.stringify({ says, ...rest }, null, 2).replace(/^\{\n {2}/, '{ ')}\n`;
}

/** Reads a pin: a model's folder, or the file itself. @throws HoldoutError NOT_FOUND, INPUT_INVALID. */
export async function readPin(modelDirOrFile: string): Promise<{ pin: PinRecord; id: Sha256Id; path: string }> {
  const path = modelDirOrFile.endsWith('.json') ? modelDirOrFile : join(modelDirOrFile, pinFileName);
  const bytes = await readIfThere(path);
  if (bytes === null) {
    const hint = '`holdout pin MODEL_DIR --train NAME --eval NAME` writes one';
    throw new HoldoutError('NOT_FOUND', 'no pin here', { file: path, hint });
  }
  const parsed = pinRecord.safeParse(parseJson(bytes.toString('utf8'), path));
  if (parsed.success) return { pin: parsed.data, id: recordId(parsed.data), path };
  const issues = parsed.error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`);
  throw new HoldoutError('INPUT_INVALID', `not a pin that this version reads: ${issues.join('; ')}`, { file: path });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HoldoutError('INPUT_INVALID', 'not JSON', { file: path, cause });
  }
}

async function writeCard(path: string, pin: PinRecord, id: Sha256Id): Promise<WrittenPin['card']> {
  const before = await readIfThere(path);
  if (before === null) return 'absent';
  const edit = editCard(before, cardEntry(pin, id));
  if (edit.kind === 'left') return { left: edit.why };
  if (edit.bytes.equals(before)) return 'unchanged';
  await replaceFile(path, edit.bytes);
  return 'written';
}

/** The card's entry, as YAML lines. Strings are written as JSON, which YAML reads alike. */
function cardEntry(pin: PinRecord, id: Sha256Id): string[] {
  const lines = ['holdout:', `  says: ${quoted(pin.says)}`, `  pin: ${quoted(id)}`];
  if (pin.report !== null) lines.push(`  report: ${quoted(pin.report.id)}`, `  verdict: ${pin.report.verdict}`);
  if (pin.train.length > 0) lines.push('  train:');
  for (const each of pin.train)
    lines.push(`    - name: ${quoted(versionName(each))}`, `      table: ${quoted(each.table)}`);
  if (pin.eval.length > 0) lines.push('  eval:');
  for (const each of pin.eval) {
    lines.push(`    - name: ${quoted(versionName(each))}`, `      table: ${quoted(each.table)}`);
    lines.push(`      items: ${quoted(each.itemsRoot)}`);
    const scores = pin.scores.filter((score) => score.eval === each.name && score.itemsRoot === each.itemsRoot);
    if (scores.length > 0) lines.push('      scores:');
    for (const score of scores) lines.push(`        ${quoted(score.metric)}: ${JSON.stringify(score.value)}`);
  }
  return lines;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** Replaces a file as a whole: written beside it, flushed, renamed over it. */
async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const beside = `${path}.holdout-${process.pid}`;
  try {
    const handle = await open(beside, 'wx');
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
