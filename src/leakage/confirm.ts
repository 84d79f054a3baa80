/**
 * Confirms candidates on the tokens of their rows. A pair is passed over only where it cannot change what is reported:
 * its item and its row leak already, or both are known as suspect or worse and its bound is below what a leak needs.
 * @module
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Candidate } from './candidates.ts';
import { classify } from './classify.ts';
import type { CheckedRow } from './classify.ts';
import type { OverlapMeter } from './coverage.ts';
import type { EvalIndex, Form } from './eval-index.ts';
import { recogniseFields } from './fields.ts';
import { contextRule, leakRules, suspectCoverage } from './method.ts';
import { readRowTokens } from './row-tokens.ts';
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
  try {
    for (let first = 0; first < candidates.length;) {
      const relative = candidates[first]?.row ?? 0;
      let end = first + 1;
      while (candidates[end]?.row === relative) end++;
      const pairs = candidates.slice(first, end);
      first = end;
      const row = batch.firstRow + relative;
      if (pairs.every((pair) => isSettled(pair, index.forms[pair.form], trainIndex, row, tally))) continue;
      const place = batch.lines.get(relative);
      if (place === undefined) throw new TypeError(`row ${row} has hits but no line`);
      const json = parseRow(await lines.read(place));
      const checked: CheckedRow = { tokens: readRowTokens(rowStrings(json, train.reader.schema), index), json, fields };
      for (const pair of pairs) {
        const form = index.forms[pair.form];
        if (form === undefined || isSettled(pair, form, trainIndex, row, tally)) continue;
        const overlap = meter.measure(form, checked.tokens, suspectCoverage(form.length));
        if (overlap === null) continue;
        for (const { item, class: found, leak } of classify(form, overlap, checked, index.vocabulary)) {
          const { coverage, longestRun } = overlap;
          const finding = { evalIndex: form.evalIndex, item: item.row, trainIndex, row };
          tally.add({ ...finding, class: found, leak, coverage, longestRun });
        }
      }
    }
  } finally {
    await lines.close();
  }
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

/** Reads lines of files, or takes those that were kept. */
class LineReader {
  #path: string | null = null;
  #file: FileHandle | null = null;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  async read(place: LinePlace): Promise<string> {
    if (place.kind === 'bytes') return this.#decoder.decode(place.bytes);
    if (this.#file === null || this.#path !== place.path) {
      await this.close();
      this.#file = await open(place.path, 'r');
      this.#path = place.path;
    }
    const bytes = Buffer.alloc(place.length);
    await this.#file.read(bytes, 0, place.length, place.offset);
    // A byte order mark at the head of a file is no part of its first row.
    return this.#decoder.decode(bytes).replace(/^\ufeff/, '');
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }
}
