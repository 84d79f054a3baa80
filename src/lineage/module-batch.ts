/**
 * Runs a person's function over the rows of a batch, in the process of a module. What it gives leaves in pieces, so that
 * neither this process nor Holdout holds all that a row, or a batch, comes to.
 * @module
 */
import { LINE_BYTES_MAX } from '../tables/json-scan/read-blocks.ts';
import { type BatchPiece, type ModuleBatch, type OnError, rowState } from './module-messages.ts';
import { type Row, type WrittenRow, lineOf, readRow, writeMembers } from './row-json.ts';

/** The function. */
export type RowFunction = (row: Row, context: { readonly row: number; readonly args: unknown }) => unknown;

/** How it is run. */
export interface BatchRun {
  readonly transform: RowFunction;
  readonly args: unknown;
  readonly onError: OnError;
  /** Columns of the input in which any new row has had another value: added to from batch to batch. */
  readonly changed: Set<string>;
  /** Told of each row before it is run, and again where its pieces had to wait. */
  readonly atRow: (row: number) => void;
  /** Takes the pieces in order; ends when the next may come. */
  readonly give: (piece: BatchPiece) => Promise<void>;
  /** What is said of an error, and its place in the person's code. */
  readonly failureOf: (error: unknown) => { readonly says: string; readonly at: string | null };
}

/** A piece leaves when its text has so many characters, or it names so many rows; so much of one row is held, too. */
const pieceCharsMax = 4 << 20;
const pieceRowsMax = 1 << 20;
const valueCharsMax = 200;
const bytesPerCharMax = 3;

interface Written {
  readonly members: WrittenRow;
  readonly line: string;
}

/** Runs all rows of a batch, or those before the one that stops it. */
export async function runBatch(run: BatchRun, { firstRow, bytes }: ModuleBatch): Promise<void> {
  const lines = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).split('\n');
  lines.pop();
  const states = new Uint8Array(lines.length);
  const pieces = new Pieces(run, firstRow);
  let stop: BatchPiece['stop'] = null;
  for (const [index, line] of lines.entries()) {
    run.atRow(firstRow + index);
    let begun = false;
    try {
      const result = run.transform(readRow(line), { row: firstRow + index, args: run.args });
      const made: unknown = isPromise(result) ? await result : result;
      const rows: readonly unknown[] = Array.isArray(made) ? made : made === null || made === undefined ? [] : [made];
      if (rows.length === 0) states[index] = rowState.returnedNothing;
      const held = writeAll(rows);
      begun = held === null;
      const given = new GivenRow(line);
      for (const [which, row] of rows.entries()) {
        pieces.add(index, given, held?.[which] ?? write(row));
        if (!pieces.full) continue;
        await pieces.send();
        run.atRow(firstRow + index);
      }
    } catch (error) {
      // Of a row that has begun to leave nothing can be taken back.
      if (run.onError === 'fail' || begun) {
        stop = { row: firstRow + index, ...run.failureOf(error), value: cut(line, valueCharsMax) };
        break;
      }
      states[index] = rowState.failed;
      if (run.onError === 'keep') pieces.keep(index);
    }
  }
  await pieces.send({ states, stop });
}

/**
 * A row's rows as they are written: all or none, as the last one may be what cannot be written.
 * @returns null where they are many, or long: they were tried, and are written again one by one
 */
function writeAll(rows: readonly unknown[]): readonly Written[] | null {
  const written: Written[] = [];
  let chars = 0;
  for (const row of rows) {
    const one = write(row);
    chars += one.line.length;
    if (chars > pieceCharsMax) written.length = 0;
    else written.push(one);
  }
  return written.length === rows.length ? written : null;
}

function write(row: unknown): Written {
  try {
    const members = writeMembers(row);
    const line = lineOf(members);
    const mayBeLong = line.length * bytesPerCharMax > LINE_BYTES_MAX;
    if (!mayBeLong || Buffer.byteLength(line) <= LINE_BYTES_MAX) return { members, line };
  } catch (error) {
    // What V8 says of text past its own limit, which is higher.
    if (!(error instanceof RangeError) || !error.message.includes('string length')) throw error;
  }
  throw new Error(`a row that it gave is longer than ${LINE_BYTES_MAX >> 20} MB as JSON, the most that a row may have`);
}

/** A row of the input as it would be written if it were given back. */
class GivenRow {
  readonly line: string;
  #written: Written | null = null;

  constructor(line: string) {
    this.line = line;
  }

  written(): Written {
    return (this.#written ??= write(readRow(this.line)));
  }
}

/** What leaves next. */
class Pieces {
  readonly #run: BatchRun;
  readonly #firstRow: number;
  readonly #known: Set<string>;
  #outputs: number[] = [];
  #texts: string[] = [];
  #chars = 0;

  constructor(run: BatchRun, firstRow: number) {
    this.#run = run;
    this.#firstRow = firstRow;
    this.#known = new Set(run.changed);
  }

  get full(): boolean {
    return this.#chars >= pieceCharsMax || this.#outputs.length >= pieceRowsMax;
  }

  /** The row of the input as it is. */
  keep(index: number): void {
    this.#outputs.push(index * 2);
  }

  add(index: number, given: GivenRow, { line, members }: Written): void {
    const same = line === given.line || line === given.written().line;
    if (same) return this.keep(index);
    this.#outputs.push(index * 2 + 1);
    this.#texts.push(line, '\n');
    this.#chars += line.length;
    for (const [key, text] of given.written().members) {
      if (text !== (members.get(key) ?? 'null')) this.#run.changed.add(key);
    }
  }

  /** @param end what became of each row, behind the last of them */
  async send(end: Pick<BatchPiece, 'states' | 'stop'> = { states: null, stop: null }): Promise<void> {
    const changed = [...this.#run.changed].filter((name) => !this.#known.has(name));
    for (const name of changed) this.#known.add(name);
    const text = new TextEncoder().encode(this.#texts.join(''));
    const outputs = Uint32Array.from(this.#outputs);
    [this.#outputs, this.#texts, this.#chars] = [[], [], 0];
    await this.#run.give({ firstRow: this.#firstRow, outputs, text, changed, ...end });
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** At most so many characters. */
export function cut(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`;
}
