/**
 * What a thread does with a batch of rows: find for each the first rule that it fails.
 * @module
 */
import { type TextBatch, textsOfRow } from '../texts/read-texts.ts';
import type { BatchWork, WorkPlan } from '../texts/worker-pool.ts';
import { MeasuredText } from './measured-text.ts';
import { PhraseList } from './phrases.ts';
import { rules } from './rules.ts';

/** What is asked of a text. */
export interface QualitySettings {
  /** Bounds of the rules that are on, by name. */
  readonly bounds: Readonly<Record<string, number>>;
  readonly stopWords: readonly string[];
  /** How many of the stop words, at least; 0 for no such rule. */
  readonly stopWordsMin: number;
  /** Words of which none may stand in a text. */
  readonly badWords: readonly string[];
}

/** For each row 0 where it stays, else the number of the reason, from 1 on. */
export interface Verdicts {
  readonly of: Uint8Array;
}

interface Check {
  readonly name: string;
  fails(text: MeasuredText): boolean;
}

/** Why rows go, in the order in which it is looked at: null, then the rules that are on. */
export function reasonsOf(settings: QualitySettings): string[] {
  return ['null', ...checksOf(settings).map(({ name }) => name)];
}

/** The work, here or in other threads. */
export function qualityPlan(settings: QualitySettings): WorkPlan<QualitySettings, Verdicts> {
  return { module: new URL('./worker.js', import.meta.url), settings, work: judgeBatches };
}

/** Judges the rows of batches. */
export function judgeBatches(settings: QualitySettings): BatchWork<Verdicts> {
  const judge = judgeOf(settings);
  return (batch: TextBatch) => ({
    of: Uint8Array.from(batch.positions, (_, row) => judge(textsOfRow(batch, row, 1)[0]!)),
  });
}

/** Judges texts: 0, or the number of the first reason against one. */
export function judgeOf(settings: QualitySettings): (text: string | null) => number {
  const checks = checksOf(settings);
  const measured = new MeasuredText();
  return (text) => {
    if (text === null) return 1;
    measured.take(text);
    const failed = checks.findIndex((check) => check.fails(measured));
    return failed < 0 ? 0 : failed + 2;
  };
}

function checksOf({ bounds, stopWords, stopWordsMin, badWords }: QualitySettings): Check[] {
  const checks: Check[] = rules.flatMap((rule) => {
    const bound = bounds[rule.name];
    return bound === undefined ? [] : [{ name: rule.name, fails: (text: MeasuredText) => rule.fails(text, bound) }];
  });
  if (stopWordsMin > 0) {
    const list = new PhraseList(stopWords);
    checks.push({ name: 'stop_words_min', fails: ({ tokens }) => list.countIn(tokens, stopWordsMin) < stopWordsMin });
  }
  if (badWords.length > 0) {
    const list = new PhraseList(badWords);
    checks.push({ name: 'bad_words', fails: ({ tokens }) => list.countIn(tokens, 1) > 0 });
  }
  return checks;
}
