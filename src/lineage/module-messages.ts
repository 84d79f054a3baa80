/**
 * What the main process and the processes of a module tell each other.
 * @module
 */
import { readSync, writeSync } from 'node:fs';
import type { ModuleSource } from './module-graph.ts';

/** What is done with a row that the module throws on. */
export type OnError = 'fail' | 'drop' | 'keep';

/** The descriptors that a module's process finds open: a pipe for messages, and a file for its pulse. */
export const moduleChannel = 3;
export const beatFile = 4;

/** What a process is started with. */
export interface ModuleSetup {
  readonly entry: string;
  readonly exportName: string;
  readonly args: unknown;
  readonly sources: readonly ModuleSource[];
  readonly onError: OnError;
  /** Whether the module sees a clock of its own, a year ahead: what hangs on the clock then differs. */
  readonly clockAhead: boolean;
  /** What the process may take beside what it takes before the module is loaded. */
  readonly memoryMb: number;
  /** Holdout's process id; the process asks nobody, as Holdout may be gone before it begins. */
  readonly parent: number;
}

/** Rows in order, as lines of canonical JSON. */
export interface ModuleBatch {
  readonly firstRow: number;
  readonly bytes: Uint8Array;
}

/** What goes to a process; the lines of a batch are the bytes beside it. */
export type ModuleRequest =
  | { readonly kind: 'setup'; readonly setup: ModuleSetup }
  | { readonly kind: 'batch'; readonly firstRow: number }
  | { readonly kind: 'end' };

/** What became of a row. */
export const rowState = { stays: 0, returnedNothing: 1, failed: 2 } as const;

/** A piece of what a batch came to. */
export interface BatchPiece {
  readonly firstRow: number;
  /** For each row of the piece, in order: twice the number of its row in the batch, and 1 more where it is new. */
  readonly outputs: Uint32Array;
  /** The new rows as lines, in order. */
  readonly text: Uint8Array;
  /** Columns of the input in which a new row has another value, less those that the process named before. */
  readonly changed: readonly string[];
  /** For each row of the batch what became of it, as `rowState` numbers it; null but for the last piece. */
  readonly states: Uint8Array | null;
  /** Where it stopped, where the module threw and that counts; the last piece says so. */
  readonly stop: RowStop | null;
}

/** A row that the module threw on. */
export interface RowStop {
  /** Position in the table. */
  readonly row: number;
  readonly says: string;
  /** Place in the person's code: URL:line:column; null where it is not in it. */
  readonly at: string | null;
  /** The row, cut short. */
  readonly value: string;
}

/** What comes from a process. */
export type ModuleReply =
  | { readonly kind: 'unusable'; readonly says: string; readonly at: string | null }
  /** An error that nobody caught, after which the process ends. */
  | { readonly kind: 'crash'; readonly says: string }
  | PieceHead;

/** The head of a piece; states, outputs and text are the bytes beside it. */
interface PieceHead extends Pick<BatchPiece, 'firstRow' | 'changed' | 'stop'> {
  readonly kind: 'piece';
  /** How many states there are; null where they come later. */
  readonly rows: number | null;
  readonly outputs: number;
}

const outputBytes = 4;

/** A piece as the head and the bytes of a message. */
export function packPiece({ states, outputs, text, firstRow, changed, stop }: BatchPiece): {
  readonly head: PieceHead;
  readonly body: readonly Uint8Array[];
} {
  const rows = states === null ? null : states.length;
  const head = { kind: 'piece', firstRow, changed, stop, rows, outputs: outputs.length } as const;
  const outputsAsBytes = new Uint8Array(outputs.buffer, outputs.byteOffset, outputs.byteLength);
  return { head, body: [states ?? new Uint8Array(), outputsAsBytes, text] };
}

/** The piece of such a message. */
export function unpackPiece(
  { firstRow, changed, stop, rows, outputs: count }: PieceHead,
  body: Uint8Array,
): BatchPiece {
  const outputsStart = rows ?? 0;
  const textStart = outputsStart + count * outputBytes;
  // A copy: numbers of four bytes begin where four divides.
  const outputs = new Uint32Array(new Uint8Array(body.subarray(outputsStart, textStart)).buffer);
  const states = rows === null ? null : body.subarray(0, rows);
  return { firstRow, changed, stop, states, outputs, text: body.subarray(textStart) };
}

/** The pulse of a process, in a file, so that it is there also when the process is not. */
export interface Beat {
  /** The row that it is at; −1 while it loads the module. */
  readonly row: number;
  readonly busy: boolean;
  /** Rows begun. */
  readonly count: number;
  /** Whether it ended itself for taking too much memory. */
  readonly tooLarge: boolean;
}

const beatNumbers = 4;
const numberBytes = 4;

/** Writes all of it but `tooLarge`. Takes less than a microsecond. */
export function writeBeat(file: number, numbers: Int32Array): void {
  writeSync(file, numbers, 0, (beatNumbers - 1) * numberBytes, 0);
}

/** Says that the process took too much. */
export function writeTooLarge(file: number): void {
  writeSync(file, Int32Array.of(1), 0, numberBytes, (beatNumbers - 1) * numberBytes);
}

/** The pulse that a file holds. */
export function readBeat(file: number): Beat {
  const numbers = new Int32Array(beatNumbers);
  const bytes = readSync(file, numbers, 0, beatNumbers * numberBytes, 0);
  if (bytes === 0) return { row: -1, busy: false, count: 0, tooLarge: false };
  const [row = 0, busy = 0, count = 0, tooLarge = 0] = numbers;
  return { row, busy: busy === 1, count, tooLarge: tooLarge === 1 };
}
