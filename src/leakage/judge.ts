/**
 * Judges candidates on the tokens of their rows. A pair is passed over only where it cannot change what is reported: its
 * item and its row leak already, or both are known as suspect or worse and its bound is below what a leak needs.
 *
 * A judge may know less than the whole check does. What it knows are findings of rows before, and a standing only
 * rises: so what it passes over, the whole check passes over too, and `isSettled` asked again of what it found, in the
 * order of the rows, leaves what one judge of all rows finds.
 * @module
 */
import type { TableSchema } from '../../schemas/table-schema.ts';
import { type Candidates, candidateWidth } from './candidates.ts';
import { type CheckedRow, classify } from './classify.ts';
import { type Overlap, OverlapMeter } from './coverage.ts';
import type { EvalIndex, Form } from './eval-index.ts';
import { recogniseFields } from './fields.ts';
import type { Item } from './items.ts';
import { type LinePlace, LineReader } from './line-reader.ts';
import { contextRule, contextTokens, leakRules } from './method.ts';
import { RowHits } from './row-hits.ts';
import { parseRow, rowStrings } from './row-text.ts';
import { type RowTokens, readRowTokens } from './row-tokens.ts';
import type { Finding, Tally } from './tally.ts';

/** The least coverage that any rule for a leak asks for. */
const leakCoverageMin = Math.min(contextRule.coverage, ...leakRules.map((rule) => rule.coverage));

/** Rows of a training set with candidates. */
export interface RowsToJudge {
  readonly trainIndex: number;
  readonly schema: TableSchema;
  /** Rows are counted from this one. */
  readonly firstRow: number;
  /** All hits of these rows, as pairs of row and run, by row. */
  readonly hits: Uint32Array;
  readonly candidates: Candidates;
  /** By row. */
  readonly lines: ReadonlyMap<number, LinePlace>;
}

/** What a candidate came to. */
export interface JudgedPair {
  readonly form: number;
  /** The row covers at most so many of the form's tokens. */
  readonly bound: number;
  readonly findings: readonly Finding[];
}

/** What the candidates of a row came to. */
export interface JudgedRow {
  readonly judged: readonly JudgedPair[];
  /** Where the candidates of the next row begin. */
  readonly next: number;
}

/** A judge with its working memory. */
export class Judge {
  readonly #index: EvalIndex;
  readonly #tally: Tally;
  readonly #meter: OverlapMeter;

  /** `tally` is what it knows; its own findings are added. */
  constructor(index: EvalIndex, tally: Tally) {
    this.#index = index;
    this.#tally = tally;
    this.#meter = new OverlapMeter(index.trie.size);
  }

  /** Judges row by row, and tells of each that had to be read. @throws the system's error for a file */
  *judge(rows: RowsToJudge): Generator<JudgedRow> {
    const { candidates, trainIndex, schema, firstRow } = rows;
    const fields = recogniseFields(schema);
    const hits = new RowHits(rows.hits, this.#index);
    const reader = new LineReader();
    try {
      for (let at = 0; at < candidates.length;) {
        const relative = candidates[at]!;
        hits.moveTo(relative);
        const row = firstRow + relative;
        const judged: JudgedPair[] = [];
        // A row is read when the first pair asks for it: most pairs are settled by then, or cannot reach what they need.
        let checked: CheckedRow | null = null;
        for (; candidates[at] === relative; at += candidateWidth) {
          const number = candidates[at + 1]!;
          const form = this.#index.forms[number]!;
          // What is settled at one bound is settled at a lower one, and counting for the lower one costs more than asking.
          if (isSettled(form, candidates[at + 2]!, trainIndex, row, this.#tally)) continue;
          const bound = Math.min(candidates[at + 2]!, hits.coveredAtMost(form));
          if (bound < form.coverageMin * form.length) continue;
          if (isSettled(form, bound, trainIndex, row, this.#tally)) continue;
          if (checked === null) {
            const place = rows.lines.get(relative);
            if (place === undefined) throw new TypeError(`row ${row} has hits but no line`);
            const json = parseRow(reader.read(place));
            checked = { tokens: readRowTokens(rowStrings(json, schema), this.#index), json, fields };
          }
          const findings = this.#findings(form, checked, trainIndex, row);
          for (const finding of findings) this.#tally.add(finding);
          if (findings.length > 0) judged.push({ form: number, bound, findings });
        }
        if (checked !== null) yield { judged, next: at };
      }
    } finally {
      reader.close();
    }
  }

  #findings(form: Form, checked: CheckedRow, trainIndex: number, row: number): Finding[] {
    const overlap = this.#meter.measure(form, checked.tokens, form.coverageMin);
    if (overlap === null) return [];
    const { coverage, longestRun } = overlap;
    const beside = (item: Item): boolean => this.#isBesidePassage(item, overlap, checked.tokens);
    const verdicts = classify(form, overlap, checked, this.#index.vocabulary, beside);
    return verdicts.map(({ item, class: found, leak }) => {
      const pair = { evalIndex: form.evalIndex, item: item.row, trainIndex, row };
      return { ...pair, class: found, leak, coverage, longestRun };
    });
  }

  /** Whether an item's passage stands in a row, near an overlap with its question. */
  #isBesidePassage(item: Item, overlap: Overlap, row: RowTokens): boolean {
    const form = this.#index.passages.get(item);
    if (form === undefined) return false;
    const passage = this.#meter.measure(form, row, form.coverageMin);
    if (passage === null || passage.coverage < form.coverageMin) return false;
    return passage.from <= overlap.to + contextTokens && passage.to >= overlap.from - contextTokens;
  }
}

/** Whether a row that covers at most `bound` of a form's tokens changes nothing that is reported. */
export function isSettled(form: Form, bound: number, trainIndex: number, row: number, tally: Tally): boolean {
  const rowStanding = tally.row(trainIndex, row);
  if (rowStanding !== 'leak' && rowStanding !== 'suspect') return false;
  const couldLeak = bound >= leakCoverageMin * form.length;
  return form.items.every((item) => {
    const standing = tally.item(form.evalIndex, item.row);
    if (standing === 'leak' && rowStanding === 'leak') return true;
    return !couldLeak && (standing === 'leak' || standing === 'suspect');
  });
}
