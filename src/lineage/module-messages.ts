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

/** What a batch came to. */
export interface BatchDone {
  readonly firstRow: number;
  /** For each row what became of it, as `rowState` numbers it. */
  readonly states: Uint8Array;
  /** For each row of the output, in order: twice the number of its row in the batch, and 1 more where it is new. */
  readonly outputs: Uint32Array;
  /** The new rows as lines, in order. */
  readonly text: Uint8Array;
  /** Columns of the input in which a new row has another value, less those that the process named before. */
  readonly changed: readonly string[];
  /** Where it stopped, where the module threw and that counts. */
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
  | DoneHead;

/** The head of a batch that is done; states, outputs and text are the bytes beside it. */
interface DoneHead extends Pick<BatchDone, 'firstRow' | 'changed' | 'stop'> {
  readonly kind: 'done';
  readonly rows: number;
  readonly outputs: number;
}

const outputBytes = 4;

/** A batch that is done as the head and the bytes of a message. */
export function packDone({ states, outputs, text, firstRow, changed, stop }: BatchDone): {
  readonly head: DoneHead;
  readonly body: readonly Uint8Array[];
} {
  const head = { kind: 'done', firstRow, changed, stop, rows: states.length, outputs: outputs.length } as const;
  return { head, body: [states, new Uint8Array(outputs.buffer, outputs.byteOffset, outputs.byteLength), text] };
}

/** The batch of such a message. */
export function unpackDone({ firstRow, changed, stop, rows, outputs: count }: DoneHead, body: Uint8Array): BatchDone {
  const textStart = rows + count * outputBytes;
  // A copy: numbers of four bytes begin where four divides.
  const outputs = new Uint32Array(new Uint8Array(body.subarray(rows, textStart)).buffer);
  return { firstRow, changed, stop, states: body.subarray(0, rows), outputs, text: body.subarray(textStart) };
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
