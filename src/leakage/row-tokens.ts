/**
 * A training row as the check sees it: the tokens of its strings one after the other, and the places where runs of the
 * eval items stand. Runs never cross a string; windows may.
 * @module
 */
import type { EvalIndex } from './eval-index.ts';
import { gramLong } from './method.ts';
import { ROOT } from './gram-trie.ts';
import type { RowString } from './row-text.ts';
import { visitTokens } from './tokens.ts';

/** Tokens of a row and where they were read. */
export interface RowTokens {
  readonly strings: readonly RowString[];
  /** Number of each token in the eval sets' vocabulary; -1 where they do not have it. */
  readonly tokens: readonly number[];
  /** For each token the string that holds it. */
  readonly stringOf: readonly number[];
  /** Its place there; empty where nobody asked for places. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Number of tokens in each string. */
  readonly counts: readonly number[];
  /** Sightings of runs, by place: token number of the run's start, and its number in the trie. */
  readonly places: readonly number[];
  readonly grams: readonly number[];
}

/** Reads a row's strings; evidence needs the places of tokens, a verdict does not. */
export function readRowTokens(strings: readonly RowString[], index: EvalIndex, withPlaces = false): RowTokens {
  const tokens: number[] = [];
  const stringOf: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const counts: number[] = [];
  const places: number[] = [];
  const grams: number[] = [];
  for (const [number, { text }] of strings.entries()) {
    const first = tokens.length;
    visitTokens(text, (token, start, end) => {
      tokens.push(index.vocabulary.find(token));
      stringOf.push(number);
      if (!withPlaces) return;
      starts.push(start);
      ends.push(end);
    });
    counts.push(tokens.length - first);
    sightRuns(index, tokens, first, places, grams);
  }
  return { strings, tokens, stringOf, starts, ends, counts, places, grams };
}

function sightRuns(
  index: EvalIndex,
  tokens: readonly number[],
  first: number,
  places: number[],
  grams: number[],
): void {
  const { trie, kernelRun } = index;
  for (let place = first; place < tokens.length; place++) {
    let gram = ROOT;
    for (let i = place; i < tokens.length && i < place + gramLong; i++) {
      const token = tokens[i] ?? -1;
      if (token === -1) break;
      gram = trie.step(gram, token);
      if (gram === -1) break;
      if ((kernelRun[gram] ?? -1) === -1) continue;
      places.push(place);
      grams.push(gram);
    }
  }
}
