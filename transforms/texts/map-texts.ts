/**
 * New texts for some columns by a function of one text, done in worker threads a batch at a time. The new columns go
 * into a file of JSON Lines, in the table's order; memory holds a few batches.
 * @module
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Column, TableSchema } from '../../schemas/table-schema.ts';
import type { ColumnFile } from '../../src/lineage/step-output.ts';
import type { StepContext } from '../../src/lineage/transform.ts';
import { readTable } from '../../src/tables/read/read-table.ts';
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
  /** A JSON object a row, UTF-8. */
  readonly lines: Uint8Array;
  readonly counts: Float64Array;
  /** One number: rows with a text that changed. */
  readonly touched: Float64Array;
}

/** Settings of a thread: those of its mapper, and the columns. */
export type MapSettings<S> = S & {
  readonly names: readonly string[];
  /** Whether each text has another beside it. */
  readonly pairs: boolean;
};

/** What a whole run came to. */
export interface MappedTexts {
  /** Null for no columns. */
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
  const { input, engine, scratch, threads, signal, onProgress } = context;
  const counts = new Float64Array(counters);
  if (columns.length === 0) return { values: null, counts, touched: 0 };
  const path = join(scratch, 'texts.jsonl');
  const file = openSync(path, 'wx');
  let [touched, rows] = [0, 0];
  try {
    const expressions = beside === undefined ? {} : { expressions: columns.flatMap((column) => beside(column)) };
    const batches = readTexts({ input, engine, columns: columns.map(({ name }) => name), ...expressions });
    await forEachBatch(context, batches, plan, (positions, result) => {
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
    columns: columns.map(({ name }) => ({ name, type: 'VARCHAR' })),
  };
  const table = await readTable([path], { workDirectory: scratch, threads, schema, format: 'jsonl', signal });
  return { values: { kind: 'read', table }, counts, touched };
}

/** What a thread does with a batch. */
export function mapBatches<S>({ names, pairs }: MapSettings<S>, mapper: TextMapper): BatchWork<MappedBatch> {
  const keys = names.map((name, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`);
  const width = names.length * (pairs ? 2 : 1);
  return (batch: TextBatch) => {
    const counts = new Float64Array(mapper.counters);
    let [text, touched] = ['', 0];
    for (let row = 0; row < batch.positions.length; row++) {
      const texts = textsOfRow(batch, row, width);
      let changed = false;
      for (const [index, key] of keys.entries()) {
        const before = texts[pairs ? 2 * index : index] ?? null;
        const told = pairs ? (texts[2 * index + 1] ?? null) : null;
        const after = before === null ? null : mapper.map(before, counts, told);
        changed ||= after !== before || (told !== null && told !== '');
        text += key;
        text += JSON.stringify(after);
      }
      text += '}\n';
      if (changed) touched += 1;
    }
    return { lines: new Uint8Array(Buffer.from(text)), counts, touched: Float64Array.of(touched) };
  };
}
