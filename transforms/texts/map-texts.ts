/**
 * New texts for some columns by a function of one text, done in worker threads a batch at a time. The new columns go
 * into a file of JSON Lines, in the table's order; memory holds a few batches. Writing and storing a column takes many
 * times what mapping it does, so the texts are looked at first, as far as it takes to know which columns change: one with
 * nothing to change stays where it is.
 * @module
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Column, TableSchema } from '../../schemas/table-schema.ts';
import type { ColumnFile } from '../../src/lineage/step-output.ts';
import type { StepContext } from '../../src/lineage/transform.ts';
import { type TextBatch, readTexts, textsOfRow } from './read-texts.ts';
import { type BatchWork, type WorkPlan, forEachBatch } from './worker-pool.ts';

/** A function of texts that counts what it does; one for each thread. */
export interface TextMapper {
  /** How many counts it keeps. */
  readonly counters: number;
  /**
   * The new text.
   * @param text the text of a column
   * @param beside what `beside` of the run gave for it
   */
  map(text: string, counts: Float64Array, beside: string | null): string;
}

/** What a batch came to. */
export interface MappedBatch {
  /** A JSON object a row, UTF-8; nothing where the texts were only looked at. */
  readonly lines: Uint8Array;
  /** For each column 1 where something was changed or counted. */
  readonly changed: Uint8Array;
  readonly counts: Float64Array;
  /** One number: rows with a text that changed. */
  readonly touched: Float64Array;
}

/** Settings of a thread: those of its mapper, and the columns. */
export type MapSettings<S> = S & {
  readonly names: readonly string[];
  /** Whether each text has another beside it. */
  readonly pairs: boolean;
  /** Whether only to say which columns change. */
  readonly looks?: boolean;
};

/** What a whole run came to. */
export interface MappedTexts {
  /** The columns in which something was changed or counted; the others are as they were. */
  readonly changed: readonly string[];
  /** Those columns; null for none. */
  readonly values: ColumnFile | null;
  readonly counts: Float64Array;
  readonly touched: number;
}

/** For a column two VARCHAR expressions: the text to be mapped, and what the mapper is told beside it, '' for nothing. */
export type BesideSql = (column: Column) => readonly [text: string, beside: string];

/**
 * Maps the texts of columns, which are known to hold text.
 * @param counters as the mapper has
 * @throws HoldoutError as the engine does, `INTERRUPTED`
 */
export async function mapTexts<S>(
  context: StepContext,
  columns: readonly Column[],
  plan: WorkPlan<MapSettings<S>, MappedBatch>,
  counters: number,
  beside?: BesideSql,
): Promise<MappedTexts> {
  const { scratch, threads, signal, onProgress } = context;
  const counts = new Float64Array(counters);
  const made = await columnsThatChange(context, columns, plan, beside);
  const changed = made.map(({ name }) => name);
  if (made.length === 0) return { changed, values: null, counts, touched: 0 };
  const path = join(scratch, 'texts.jsonl');
  const file = openSync(path, 'wx');
  let [touched, rows] = [0, 0];
  try {
    const settings = { ...plan.settings, names: changed };
    await forEachBatch(context, textsOf(context, made, beside), { ...plan, settings }, (positions, result) => {
      for (let written = 0; written < result.lines.length;) written += writeSync(file, result.lines, written);
      for (const [index, count] of result.counts.entries()) counts[index]! += count;
      touched += result.touched[0]!;
      onProgress?.((rows += positions.length));
    });
  } finally {
    closeSync(file);
  }
  const schema: TableSchema = {
    type: 'holdout/schema@1',
    columns: changed.map((name) => ({ name, type: 'VARCHAR' })),
  };
  const { readTable } = await import('../../src/tables/read/read-table.ts');
  const table = await readTable([path], { workDirectory: scratch, threads, schema, format: 'jsonl', signal });
  return { changed, values: { kind: 'read', table }, counts, touched };
}

/** Reads no further than to a change of each column. */
async function columnsThatChange<S>(
  context: StepContext,
  columns: readonly Column[],
  plan: WorkPlan<MapSettings<S>, MappedBatch>,
  beside: BesideSql | undefined,
): Promise<readonly Column[]> {
  const changed = new Uint8Array(columns.length);
  const open = async function* (): AsyncGenerator<TextBatch> {
    if (!changed.includes(0)) return;
    for await (const batch of textsOf(context, columns, beside)) {
      yield batch;
      if (!changed.includes(0)) return;
    }
  };
  const settings = { ...plan.settings, looks: true };
  await forEachBatch(context, open(), { ...plan, settings }, (_, result) => {
    for (const [index, one] of result.changed.entries()) changed[index]! |= one;
  });
  return columns.filter((_, index) => changed[index] === 1);
}

function textsOf(
  { input, engine }: StepContext,
  columns: readonly Column[],
  beside: BesideSql | undefined,
): AsyncGenerator<TextBatch> {
  const expressions = beside === undefined ? {} : { expressions: columns.flatMap((column) => beside(column)) };
  return readTexts({ input, engine, columns: columns.map(({ name }) => name), ...expressions });
}

/** What a thread does with a batch. */
export function mapBatches<S>(settings: MapSettings<S>, mapper: TextMapper): BatchWork<MappedBatch> {
  return settings.looks === true ? lookAtBatches(settings, mapper) : writeBatches(settings, mapper);
}

function lookAtBatches<S>({ names, pairs }: MapSettings<S>, mapper: TextMapper): BatchWork<MappedBatch> {
  const width = names.length * (pairs ? 2 : 1);
  return (batch) => {
    const changed = new Uint8Array(names.length);
    for (let row = 0; row < batch.positions.length && changed.includes(0); row++) {
      const texts = textsOfRow(batch, row, width);
      for (let index = 0; index < names.length; index++) {
        if (changed[index] === 1) continue;
        const counts = new Float64Array(mapper.counters);
        const { touches } = mapped(texts, index, pairs, mapper, counts);
        // What is counted need not change the text: a number may stand for itself.
        if (touches || counts.some((count) => count > 0)) changed[index] = 1;
      }
    }
    return { lines: new Uint8Array(0), changed, counts: new Float64Array(0), touched: new Float64Array(1) };
  };
}

function writeBatches<S>({ names, pairs }: MapSettings<S>, mapper: TextMapper): BatchWork<MappedBatch> {
  const keys = names.map((name, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  const width = names.length * (pairs ? 2 : 1);
  return (batch) => {
    const counts = new Float64Array(mapper.counters);
    let [text, touched] = ['', 0];
    for (let row = 0; row < batch.positions.length; row++) {
      const texts = textsOfRow(batch, row, width);
      let changed = false;
      for (const [index, key] of keys.entries()) {
        const { after, touches } = mapped(texts, index, pairs, mapper, counts);
        changed ||= touches;
        text += key;
        text += JSON.stringify(after);
      }
      text += '}\n';
      if (changed) touched += 1;
    }
    const lines = new Uint8Array(Buffer.from(text));
    return { lines, changed: new Uint8Array(names.length).fill(1), counts, touched: Float64Array.of(touched) };
  };
}

function mapped(
  texts: readonly (string | null)[],
  index: number,
  pairs: boolean,
  mapper: TextMapper,
  counts: Float64Array,
): { readonly after: string | null; readonly touches: boolean } {
  const before = texts[pairs ? 2 * index : index] ?? null;
  const told = pairs ? (texts[2 * index + 1] ?? null) : null;
  const after = before === null ? null : mapper.map(before, counts, told);
  return { after, touches: after !== before || (told !== null && told !== '') };
}
