/**
 * The texts of some columns, a batch at a time, as bytes that can be moved to a worker thread. They are read as bytes,
 * not as strings: a string that begins with U+FEFF would lose it on the way.
 * @module
 */
import type { Engine } from '../../src/engine/engine.ts';
import { quoteIdentifier } from '../../src/identity/sql-text.ts';
import { freeName } from '../../src/tables/sql-types.ts';
import type { TableReader } from '../../src/tables/table-reader.ts';
import { columnTextSql } from './column-text.ts';

/** Texts of some rows, in the table's order. */
export interface TextBatch {
  /** Positions of the rows in the table. */
  readonly positions: Uint32Array;
  /** UTF-8, row by row and within a row column by column. */
  readonly bytes: Uint8Array;
  /** For each text the end in `bytes`. */
  readonly ends: Uint32Array;
  /** For each text 1, or 0 where the value is null. */
  readonly present: Uint8Array;
}

/** What is read. */
export interface TextSource {
  readonly input: TableReader;
  readonly engine: Engine;
  /** Names of the columns; each must hold text or messages. */
  readonly columns: readonly string[];
  /** VARCHAR expressions over these columns, to be read instead of them. */
  readonly expressions?: readonly string[];
  /** Only the rows for which this says true; all without it. */
  readonly wanted?: (position: number) => boolean;
}

/** Size at which a batch is handed out: some milliseconds of work for a thread. */
const batchBytesMax = 4 << 20;
const batchRowsMax = 1 << 14;
/** Rows asked of the engine at a time: more where each block joins scattered rows with all of their file. */
const blockBytesMax = 24 << 20;
const scatteredBlockBytesMax = 128 << 20;
const scatteredBlockRowsMax = 1 << 18;

/**
 * Reads texts in order.
 * @throws HoldoutError `USAGE` for a column that is not there or holds no text; as the engine does.
 */
export async function* readTexts({
  input,
  engine,
  columns,
  expressions,
  wanted,
}: TextSource): AsyncGenerator<TextBatch> {
  const read = expressions ?? columns.map((name) => columnTextSql(input.schema, name));
  const values = read.map((text) => `encode(${text})`).join(', ');
  const number = quoteIdentifier(freeName(input.schema, 'holdout_number'));
  const asked =
    input.orderedSql() === null
      ? { bytesMax: scatteredBlockBytesMax, rowsMax: scatteredBlockRowsMax }
      : { bytesMax: blockBytesMax };
  for await (const { firstRow, rows, sql } of input.blocks({ ...asked, columns })) {
    const positions = wantedOf(wanted, firstRow, rows);
    if (positions.length === 0) continue;
    // Rows that nobody wants stay in the engine: results are freed when the garbage of this thread is.
    const from =
      positions.length === rows
        ? `(${sql})`
        : `(SELECT *, (row_number() OVER ())::INTEGER AS ${number} FROM (${sql})) ` +
          `WHERE get_bit('${bitsOf(positions, firstRow, rows)}'::BIT, ${number} - 1) = 1`;
    const batches: TextBatch[] = [];
    let batch = new BatchBuilder();
    let next = 0;
    await engine.scan(`SELECT ${values} FROM ${from}`, (chunk) => {
      for (let row = 0; row < chunk.rows; row++) {
        batch.position(positions[next++]!);
        for (let column = 0; column < read.length; column++) batch.text(chunk.bytes(column, row));
        if (!batch.full) continue;
        batches.push(batch.finish());
        batch = new BatchBuilder();
      }
    });
    batches.push(batch.finish());
    for (const each of batches) if (each.positions.length > 0) yield each;
  }
}

function wantedOf(wanted: TextSource['wanted'], first: number, rows: number): Uint32Array {
  const all = Uint32Array.from({ length: rows }, (_, row) => first + row);
  return wanted === undefined ? all : all.filter(wanted);
}

/** `0010…`, a digit a row. */
function bitsOf(positions: Uint32Array, first: number, rows: number): string {
  const bits = Buffer.alloc(rows, '0');
  for (const position of positions) bits[position - first] = 0x31;
  return bits.toString('latin1');
}

class BatchBuilder {
  readonly #positions: number[] = [];
  readonly #texts: (Uint8Array | null)[] = [];
  #bytes = 0;

  position(position: number): void {
    this.#positions.push(position);
  }

  text(text: Uint8Array | null): void {
    this.#texts.push(text);
    this.#bytes += text?.length ?? 0;
  }

  get full(): boolean {
    return this.#bytes >= batchBytesMax || this.#positions.length >= batchRowsMax;
  }

  finish(): TextBatch {
    const bytes = new Uint8Array(this.#bytes);
    const ends = new Uint32Array(this.#texts.length);
    const present = new Uint8Array(this.#texts.length);
    let at = 0;
    for (const [index, text] of this.#texts.entries()) {
      if (text !== null) {
        bytes.set(text, at);
        at += text.length;
        present[index] = 1;
      }
      ends[index] = at;
    }
    return { positions: Uint32Array.from(this.#positions), bytes, ends, present };
  }
}

/** The texts of row `row` of a batch of `columns` columns; null for null. */
export function textsOfRow(batch: TextBatch, row: number, columns: number): (string | null)[] {
  const { bytes, ends, present } = batch;
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: columns }, (_, column) => {
    const index = row * columns + column;
    const from = index === 0 ? 0 : ends[index - 1]!;
    return present[index] === 1 ? all.toString('utf8', from, ends[index]) : null;
  });
}
