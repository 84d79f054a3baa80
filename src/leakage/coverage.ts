/**
 * How much of a field stands in a row: the share of its tokens that runs cover inside one window, and the longest run.
 * @module
 */
import type { Form } from './eval-index.ts';
import { windowTokens } from './method.ts';
import type { RowTokens } from './row-tokens.ts';

/** What of a form a row holds. */
export interface Overlap {
  /** Share of the form's tokens that runs inside the best window cover. */
  readonly coverage: number;
  /** The same, each token weighted by how few of the set's items have it. */
  readonly tellingCoverage: number;
  /** Share of the form's numbers that are covered; 1 where it has fewer than two. */
  readonly numbers: number;
  /** Longest run of tokens that form and row share, anywhere in the row; 0 below the length of a run. */
  readonly longestRun: number;
  /** Tokens of the row, from the first run in the window to the end of the last. */
  readonly from: number;
  readonly to: number;
}

/** Measures forms against rows; keeps its working memory from pair to pair. */
export class OverlapMeter {
  /** First position of each run in the form at hand, and each position's next one; -1 is none. */
  readonly #head: Int32Array;
  #next = new Int32Array(0);
  /** The form's runs in the row at hand: at which token, and their first position in the form. */
  readonly #sightings: Sightings = { count: 0, places: [], positions: [] };

  constructor(trieSize: number) {
    this.#head = new Int32Array(trieSize).fill(-1);
  }

  /** What of a form a row holds; null where all of the row together covers less of it than `coverageMin`. */
  measure(form: Form, row: RowTokens, coverageMin = 0): Overlap | null {
    this.#sight(form, row);
    const all = coveredBy(form, this.#sightings, this.#next, 0, this.#sightings.count - 1);
    if (all.size < coverageMin * form.length) return null;
    const { first, last, covered } = bestWindow(form, this.#sightings, this.#next);
    const best = coveredBy(form, this.#sightings, this.#next, first, last);
    return {
      coverage: covered / form.length,
      tellingCoverage: weightShare(form, best.tokens),
      numbers: numbersShare(form, best.tokens),
      longestRun: longestRunOf(form, this.#sightings, this.#next),
      from: this.#sightings.places[best.firstNeeded] ?? 0,
      to: (this.#sightings.places[last] ?? -form.n) + form.n,
    };
  }

  /** Which tokens of the form, and which of the row, the runs between two of the row's tokens cover. */
  sharedTokens(form: Form, row: RowTokens, from: number, to: number): { item: Set<number>; row: Set<number> } {
    this.#sight(form, row);
    const shared = { item: new Set<number>(), row: new Set<number>() };
    for (let i = 0; i < this.#sightings.count; i++) {
      const place = this.#sightings.places[i] ?? 0;
      if (place < from || place + form.n > to) continue;
      for (let token = 0; token < form.n; token++) shared.row.add(place + token);
      for (let at = this.#sightings.positions[i] ?? -1; at !== -1; at = this.#next[at] ?? -1) {
        for (let token = 0; token < form.n; token++) shared.item.add(at + token);
      }
    }
    return shared;
  }

  #sight(form: Form, row: RowTokens): void {
    const { grams } = form;
    if (this.#next.length < grams.length) this.#next = new Int32Array(grams.length * 2);
    // Ascending, so that a list of positions runs downwards: see longestRunOf.
    for (let position = 0; position < grams.length; position++) {
      const gram = grams[position] ?? 0;
      this.#next[position] = this.#head[gram] ?? -1;
      this.#head[gram] = position;
    }
    const { places, positions } = this.#sightings;
    let count = 0;
    for (let i = 0; i < row.grams.length; i++) {
      const position = this.#head[row.grams[i] ?? 0] ?? -1;
      if (position === -1) continue;
      places[count] = row.places[i] ?? 0;
      positions[count++] = position;
    }
    this.#sightings.count = count;
    for (let position = 0; position < grams.length; position++) this.#head[grams[position] ?? 0] = -1;
  }
}

interface Sightings {
  count: number;
  readonly places: number[];
  readonly positions: number[];
}

interface Window {
  readonly first: number;
  readonly last: number;
  readonly covered: number;
}

/** Slides the window over the sightings; the first of the best wins. */
function bestWindow(form: Form, sightings: Sightings, next: Int32Array): Window {
  const width = windowTokens(form.length);
  const cover = new Uint32Array(form.length);
  let covered = 0;
  let best: Window = { covered: 0, first: 0, last: -1 };
  const change = (sighting: number, by: 1 | -1): void => {
    for (let position = sightings.positions[sighting] ?? -1; position !== -1; position = next[position] ?? -1) {
      for (let token = position; token < position + form.n; token++) {
        const before = cover[token] ?? 0;
        cover[token] = before + by;
        if (before === (by === 1 ? 0 : 1)) covered += by;
      }
    }
  };
  let first = 0;
  for (let last = 0; last < sightings.count; last++) {
    change(last, 1);
    const end = (sightings.places[last] ?? 0) + form.n;
    while (end - (sightings.places[first] ?? end) > width) change(first++, -1);
    if (covered > best.covered) best = { covered, first, last };
  }
  return best;
}

/** Tokens of the form that sightings cover, and the last sighting that they may start with and cover as many. */
function coveredBy(
  form: Form,
  sightings: Sightings,
  next: Int32Array,
  first: number,
  last: number,
): { readonly tokens: Uint8Array; readonly size: number; readonly firstNeeded: number } {
  const tokens = new Uint8Array(form.length);
  let size = 0;
  let firstNeeded = last;
  for (let i = last; i >= first; i--) {
    const before = size;
    for (let position = sightings.positions[i] ?? -1; position !== -1; position = next[position] ?? -1) {
      for (let token = position; token < position + form.n; token++) {
        if (tokens[token] === 0) size++;
        tokens[token] = 1;
      }
    }
    if (size > before) firstNeeded = i;
  }
  return { tokens, size, firstNeeded };
}

function weightShare(form: Form, covered: Uint8Array): number {
  let all = 0;
  let share = 0;
  for (let token = 0; token < form.length; token++) {
    const weight = form.weights[token] ?? 0;
    all += weight;
    if (covered[token] === 1) share += weight;
  }
  return all === 0 ? 0 : share / all;
}

function numbersShare(form: Form, covered: Uint8Array): number {
  if (form.numbers.length < 2) return 1;
  let count = 0;
  for (const token of form.numbers) count += covered[token] ?? 0;
  return count / form.numbers.length;
}

/** Runs that follow each other in form and row alike make one longer run. */
function longestRunOf(form: Form, sightings: Sightings, next: Int32Array): number {
  const lastPlace = new Int32Array(form.grams.length).fill(-2);
  const length = new Int32Array(form.grams.length);
  let longest = 0;
  for (let i = 0; i < sightings.count; i++) {
    const place = sightings.places[i] ?? 0;
    // Positions run downwards, so that the one before is still as the place before left it.
    for (let position = sightings.positions[i] ?? -1; position !== -1; position = next[position] ?? -1) {
      const follows = position > 0 && lastPlace[position - 1] === place - 1;
      length[position] = follows ? (length[position - 1] ?? 0) + 1 : 1;
      lastPlace[position] = place;
      longest = Math.max(longest, length[position] ?? 0);
    }
  }
  return longest === 0 ? 0 : longest + form.n - 1;
}
