/**
 * The numbers of the leak check: all that decides an outcome beside the data. They are printed in every report; a
 * change of any of them, or of a rule in classify.ts, raises the version.
 * @module
 */

/** Version of the method. */
export const methodVersion = 1;

/** Tokens of a run that is looked for; shorter fields are looked for as one whole run. */
export const gramLong = 5;
/** The same for fields of fewer than `shortBelowTokens` tokens (not for Chinese, Japanese and Korean). */
export const gramShort = 3;
export const shortBelowTokens = 20;
/** Fields of fewer tokens say too little on their own: they count with an answer or options near by. */
export const wholeAtLeastTokens = 5;

/**
 * Coverage from which a pair is reported at all, by the length of the field; the guarantee speaks of it. Half of a
 * question of nine words is four common ones, which unrelated text holds often.
 */
export const suspectRules: readonly { readonly tokensAtLeast: number; readonly coverage: number }[] = [
  { tokensAtLeast: 20, coverage: 0.5 },
  { tokensAtLeast: 12, coverage: 0.6 },
  { tokensAtLeast: 8, coverage: 0.7 },
  { tokensAtLeast: 0, coverage: 0.8 },
];

/** Coverage from which a field of so many tokens is reported. */
export function suspectCoverage(fieldTokens: number): number {
  return suspectRules.find((rule) => fieldTokens >= rule.tokensAtLeast)?.coverage ?? 1;
}

/**
 * The same for a question whose passage stands in the row near by: with the text that it is about, half of a question
 * is no chance.
 */
export const besidePassageCoverage = 0.5;

/** Tokens on each side of a match in which answer and options are looked for. */
export const contextTokens = 50;

/** Window of the training row in which a field's tokens must stand. */
export function windowTokens(fieldTokens: number): number {
  return 3 * fieldTokens + 16;
}

/** What makes a leak of a field that does not stand there as a whole, by its length. */
export interface LeakRule {
  readonly tokensAtLeast: number;
  /** Share of the field's tokens that is covered in the window. */
  readonly coverage: number;
  /** The same, each token weighted by ln(1 + items / items that have it). */
  readonly tellingCoverage: number;
  /** Longest run, in tokens. */
  readonly run: number;
}

/**
 * Of a field's numbers at least this share must be covered for a leak, where it has two or more: the same story with
 * other numbers is another problem.
 */
export const numbersShare = 0.5;

/** Longest fields first; shorter ones than the last need the whole field or its context. */
export const leakRules: readonly LeakRule[] = [
  { tokensAtLeast: 20, coverage: 0.6, tellingCoverage: 0.5, run: 8 },
  { tokensAtLeast: 12, coverage: 0.75, tellingCoverage: 0.75, run: 6 },
  { tokensAtLeast: 8, coverage: 0.8, tellingCoverage: 0.8, run: 6 },
];

/** With options near by, for fields of at least `wholeAtLeastTokens`. */
export const contextRule: LeakRule = {
  tokensAtLeast: wholeAtLeastTokens,
  coverage: 0.6,
  tellingCoverage: 0.5,
  run: 4,
};

/** With an answer near by: one text is found by chance more easily than half of the options. */
export const answerRule: LeakRule = { ...contextRule, coverage: 0.75, tellingCoverage: 0.6 };

/** Below this weighted coverage, a short field's overlap is commonplace words: shown as `short`, not as suspect. */
export const commonplaceCoverage = 0.65;

/** A stem of fewer tokens that goes with choices is a phrase, and counts with its context or as a whole string. */
export const stemTokens = 8;

/** Words and symbols that make a field of few words telling, where it is quoted with its symbols. */
export const puzzleUnits = 8;

const unit = /[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu;

/** Words and symbols of a text. */
export function symbolUnits(text: string): number {
  return text.match(unit)?.length ?? 0;
}

/** A run that stands in as many of a set's own items is a template. */
export function templateItems(items: number): number {
  return Math.max(3, Math.ceil(items / 100));
}

/** Hits of one item that a report names beyond those that name a leaking row. */
export const hitsPerItemMax = 10;
