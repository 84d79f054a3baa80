/**
 * What the main thread and the workers of a module tell each other.
 * @module
 */
import type { ModuleSource } from './module-graph.ts';

/** What is done with a row that the module throws on. */
export type OnError = 'fail' | 'drop' | 'keep';

/** What a worker is started with. */
export interface ModuleSetup {
  readonly entry: string;
  readonly exportName: string;
  readonly args: unknown;
  readonly sources: readonly ModuleSource[];
  readonly onError: OnError;
  /** See `beatOf`. */
  readonly beat: SharedArrayBuffer;
  /** Whether the module sees a clock of its own, a year ahead: what hangs on the clock then differs. */
  readonly clockAhead: boolean;
}

/** Rows in order, as lines of canonical JSON. */
export interface ModuleBatch {
  readonly firstRow: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

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
  /** Columns of the input in which a new row has another value, less those that an earlier batch of the worker named. */
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

/** What comes from a worker. */
export type ModuleReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unusable'; readonly says: string; readonly at: string | null }
  | { readonly kind: 'done'; readonly done: BatchDone };

/** A worker's pulse: the row that it is at (−1 while it loads the module), whether it works, and a count of rows begun. */
export function beatOf(buffer: SharedArrayBuffer): { row: number; busy: boolean; count: number } {
  const [row = 0, busy = 0, count = 0] = new Int32Array(buffer);
  return { row, busy: busy === 1, count };
}
export const beatBytes = 12;
