/**
 * What a thread does with a batch of rows: sketch them, or cut them into sets of shingles.
 * @module
 */
import { type TextBatch, textsOfRow } from '../texts/read-texts.ts';
import { type BatchWork, type WorkPlan } from '../texts/worker-pool.ts';
import type { Banding } from './banding.ts';
import { MinHasher } from './min-hash.ts';
import { ShingleReader, WORDS, equalityDigestBytes } from './shingles.ts';

/** How rows are read. */
export interface SketchSettings {
  readonly columns: number;
  /** Words of a shingle. */
  readonly words: number;
}

/** What each row of a batch comes to; bytes of one row follow those of the other. */
export interface Sketches {
  readonly kinds: Uint8Array;
  readonly digests: Uint8Array;
  /** Shingles, equal ones counted again. */
  readonly sizes: Uint32Array;
  /** Characters (code points) of the texts, at most `longestMax`. */
  readonly lengths: Uint32Array;
  /** Keys of the first band, then of the second …; of rows without words they mean nothing. */
  readonly keys: Uint32Array;
}

/** Sets of shingles one after the other, each distinct and ascending. */
export interface ShingleSets {
  readonly lengths: Uint32Array;
  readonly values: Float64Array;
}

/** What a thread is started with: to sketch, or to cut sets. */
export type Settings = SketchSettings & {
  readonly sketch: { readonly banding: Banding; readonly seed: number } | null;
};

/** Longer rows count as that long. A string has fewer than 2^29 characters, so eight full columns would be longer. */
export const longestMax = 2 ** 32 - 1;

const module = new URL('./worker.js', import.meta.url);

/** Sketches rows. */
export function sketchPlan(settings: SketchSettings, banding: Banding, seed: number): WorkPlan<Settings, Sketches> {
  return { module, settings: { ...settings, sketch: { banding, seed } }, work: sketchWork };
}

/** Cuts rows into sets. */
export function setsPlan(settings: SketchSettings): WorkPlan<Settings, ShingleSets> {
  return { module, settings: { ...settings, sketch: null }, work: setsWork };
}

/** The work that a worker's settings ask for. */
export function workOf(settings: Settings): BatchWork<Sketches | ShingleSets> {
  return settings.sketch === null ? setsWork(settings) : sketchWork(settings);
}

function sketchWork({ columns, words, sketch }: Settings): BatchWork<Sketches> {
  if (sketch === null) throw new TypeError('"sketch" expected a banding, got null');
  const { banding, seed } = sketch;
  const reader = new ShingleReader(words);
  const hasher = new MinHasher(banding, seed);
  return (batch: TextBatch) => {
    const rows = batch.positions.length;
    const kinds = new Uint8Array(rows);
    const digests = new Uint8Array(rows * equalityDigestBytes);
    const sizes = new Uint32Array(rows);
    const lengths = new Uint32Array(rows);
    const keys = new Uint32Array(rows * banding.bands);
    const own = new Uint32Array(banding.bands);
    for (let row = 0; row < rows; row++) {
      const texts = textsOfRow(batch, row, columns);
      kinds[row] = reader.read(texts);
      digests.set(reader.equalityDigest(), row * equalityDigestBytes);
      sizes[row] = reader.count;
      let length = 0;
      for (const text of texts) length += text === null ? 0 : codePoints(text);
      lengths[row] = Math.min(length, longestMax);
      if (kinds[row] !== WORDS) continue;
      hasher.keys(reader.low, reader.count, own, 0);
      for (let band = 0; band < own.length; band++) keys[band * rows + row] = own[band]!;
    }
    return { kinds, digests, sizes, lengths, keys };
  };
}

function setsWork({ columns, words }: Settings): BatchWork<ShingleSets> {
  const reader = new ShingleReader(words);
  return (batch) => {
    const sets = Array.from(batch.positions, (_, row) => {
      reader.read(textsOfRow(batch, row, columns));
      return reader.sortedSet();
    });
    const lengths = Uint32Array.from(sets, (set) => set.length);
    const values = new Float64Array(lengths.reduce((sum, length) => sum + length, 0));
    let at = 0;
    for (const set of sets) {
      values.set(set, at);
      at += set.length;
    }
    return { lengths, values };
  };
}

function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) count -= 1;
  return count;
}
