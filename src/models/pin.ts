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
import { checkValue, problemText } from '../value-problems.ts';
import { cardFileName, hashModelFiles, pinFileName } from './model-files.ts';
import { type CardPlan, planCard } from './pin-card.ts';
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
  refuseTwice(scores);
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

/** One metric on the same items has one value, however eval and metric are spelled. */
function refuseTwice(scores: readonly PinnedScore[]): void {
  const seen = new Map<string, PinnedScore>();
  for (const score of scores) {
    const key = `${score.itemsRoot} ${score.metric.normalize('NFKC').toLowerCase()}`;
    const other = seen.get(key);
    if (other !== undefined) {
      const both = [other, score].map(({ eval: name, metric, value }) => `${name}:${metric}=${value}`).join(' and ');
      throw new HoldoutError('USAGE', `two scores for one metric on the same items: ${both}`, {
        hint: 'give one --score for each metric of an eval set',
      });
    }
    seen.set(key, score);
  }
}

/** A pin that can be written, and what writing it does. */
export interface PinPlan {
  readonly modelDir: string;
  readonly pin: PinRecord;
  readonly id: Sha256Id;
  readonly card: CardPlan;
}

/** How a pin is written. */
export interface WritePinOptions {
  /** False leaves README.md as it is; true without it. */
  readonly card?: boolean;
}

/**
 * Looks whether a pin can be written; writes nothing.
 * @throws HoldoutError INPUT_INVALID for a card that cannot take its entry
 */
export async function planPin(modelDir: string, pin: PinRecord, options: WritePinOptions = {}): Promise<PinPlan> {
  const id = recordId(pin);
  const card: CardPlan = options.card === false ? { kind: 'left', why: 'as asked' } : await planCard(modelDir, pin, id);
  return { modelDir, pin, id, card };
}

/** Writes what was planned: the pin's file, and the entry of the card where there is one. @throws HoldoutError IO */
export async function executePin({ modelDir, pin, id, card }: PinPlan): Promise<WrittenPin> {
  const path = join(modelDir, pinFileName);
  const before = await pinIdAt(path);
  await replaceFile(path, pinFileText(pin));
  if (card.kind === 'edited') await replaceFile(join(modelDir, cardFileName), card.bytes);
  const outcome = card.kind === 'left' ? { left: card.why } : card.kind === 'edited' ? 'written' : card.kind;
  return { pin, id, path, replaced: before === id ? null : before, card: outcome };
}

/**
 * Writes a pin into a model's folder, or nothing where its card cannot take the entry.
 * @throws HoldoutError INPUT_INVALID, IO
 */
export async function writePin(modelDir: string, pin: PinRecord, options: WritePinOptions = {}): Promise<WrittenPin> {
  return executePin(await planPin(modelDir, pin, options));
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
  const checked = checkValue(pinRecord, parseJson(bytes.toString('utf8'), path), []);
  if (checked.ok) return { pin: checked.value, id: recordId(checked.value), path };
  const wrong = checked.problems.slice(0, 5).map((problem) => problemText(problem, 'the file'));
  throw new HoldoutError('INPUT_INVALID', `not a pin that this version reads: ${wrong.join('; ')}`, { file: path });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HoldoutError('INPUT_INVALID', 'not JSON', { file: path, cause });
  }
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
