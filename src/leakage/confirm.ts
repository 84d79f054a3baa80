/**
 * Confirms candidates on the tokens of their rows. A pair is passed over only where it cannot change what is reported:
 * its item and its row leak already, or both are known as suspect or worse and its bound is below what a leak needs.
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Candidate } from './candidates.ts';
import { classify } from './classify.ts';
import type { CheckedRow } from './classify.ts';
import type { Overlap, OverlapMeter } from './coverage.ts';
import type { EvalIndex, Form } from './eval-index.ts';
import { recogniseFields } from './fields.ts';
import { wayGiver } from './give-way.ts';
import type { Item } from './items.ts';
import { contextRule, contextTokens, leakRules } from './method.ts';
import { RowHits } from './row-hits.ts';
import { readRowTokens } from './row-tokens.ts';
import type { RowTokens } from './row-tokens.ts';
import { parseRow, rowStrings } from './row-text.ts';
import type { HitBatch, LinePlace } from './scan.ts';
import type { Tally } from './tally.ts';
import type { NamedTable } from './types.ts';

/** The least coverage that any rule for a leak asks for. */
const leakCoverageMin = Math.min(contextRule.coverage, ...leakRules.map((rule) => rule.coverage));

/** Judges the candidates of a batch, row by row. */
export async function confirm(
  train: NamedTable,
  trainIndex: number,
  batch: HitBatch,
  candidates: readonly Candidate[],
  index: EvalIndex,
  meter: OverlapMeter,
  tally: Tally,
): Promise<void> {
  const fields = recogniseFields(train.reader.schema);
  const lines = new LineReader();
  const giveWay = wayGiver();
  const hits = new RowHits(batch.hits, index);
  try {
    for (let first = 0; first < candidates.length;) {
      const relative = candidates[first]?.row ?? 0;
      let end = first + 1;
      while (candidates[end]?.row === relative) end++;
      hits.moveTo(relative);
      const row = batch.firstRow + relative;
      // A row is read when the first pair asks for it: most pairs are settled by then, or cannot reach what they need.
      let checked: CheckedRow | null = null;
      for (; first < end; first++) {
        const pair = candidates[first];
        const form = index.forms[pair?.form ?? -1];
        // What is settled at one bound is settled at a lower one, and counting for the lower one costs more than asking.
        if (pair === undefined || form === undefined || isSettled(pair, form, trainIndex, row, tally)) continue;
        const bound = Math.min(pair.bound, hits.coveredAtMost(form));
        if (bound < form.coverageMin * form.length) continue;
        if (isSettled({ ...pair, bound }, form, trainIndex, row, tally)) continue;
        if (checked === null) {
          const place = batch.lines.get(relative);
          if (place === undefined) throw new TypeError(`row ${row} has hits but no line`);
          await giveWay();
          const json = parseRow(lines.read(place));
          checked = { tokens: readRowTokens(rowStrings(json, train.reader.schema), index), json, fields };
        }
        const { tokens } = checked;
        const overlap = meter.measure(form, tokens, form.coverageMin);
        if (overlap === null) continue;
        const beside = (item: Item): boolean => isBesidePassage(item, overlap, tokens, index, meter);
        for (const { item, class: found, leak } of classify(form, overlap, checked, index.vocabulary, beside)) {
          const { coverage, longestRun } = overlap;
          const finding = { evalIndex: form.evalIndex, item: item.row, trainIndex, row };
          tally.add({ ...finding, class: found, leak, coverage, longestRun });
        }
      }
    }
  } finally {
    lines.close();
  }
}

/** Whether an item's passage stands in a row, near an overlap with its question. */
function isBesidePassage(item: Item, overlap: Overlap, row: RowTokens, index: EvalIndex, meter: OverlapMeter): boolean {
  const form = index.passages.get(item);
  if (form === undefined) return false;
  const passage = meter.measure(form, row, form.coverageMin);
  if (passage === null || passage.coverage < form.coverageMin) return false;
  return passage.from <= overlap.to + contextTokens && passage.to >= overlap.from - contextTokens;
}

function isSettled(pair: Candidate, form: Form | undefined, trainIndex: number, row: number, tally: Tally): boolean {
  if (form === undefined) return true;
  const rowStanding = tally.row(trainIndex, row);
  if (rowStanding !== 'leak' && rowStanding !== 'suspect') return false;
  const couldLeak = pair.bound >= leakCoverageMin * form.length;
  return form.items.every((item) => {
    const standing = tally.item(form.evalIndex, item.row);
    if (standing === 'leak' && rowStanding === 'leak') return true;
    return !couldLeak && (standing === 'leak' || standing === 'suspect');
  });
}

/** Reads lines of files, or takes those that were kept. Waiting for a promise for each line costs more than reading it. */
class LineReader {
  #path: string | null = null;
  #file: number | null = null;
  #memory = Buffer.alloc(1 << 16);
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  read(place: LinePlace): string {
    if (place.kind === 'bytes') return this.#decoder.decode(place.bytes);
    const { path, offset, length } = place;
    if (this.#file === null || this.#path !== path) {
      this.close();
      this.#file = openSync(path, 'r');
      this.#path = path;
    }
    if (this.#memory.length < length) this.#memory = Buffer.alloc(length * 2);
    let read = 0;
    while (read < length) {
      const more = readSync(this.#file, this.#memory, read, length - read, offset + read);
      if (more === 0) break;
      read += more;
    }
    // A byte order mark at the head of a file is no part of its first row.
    return this.#decoder.decode(this.#memory.subarray(0, read)).replace(/^\ufeff/, '');
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}
