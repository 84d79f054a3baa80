/**
 * The one error class for operating failures and bad input. Caller mistakes inside the program are
 * `TypeError`/`RangeError`; everything that a person can cause or mend is a `HoldoutError` with a code of this
 * closed union. `cli/exit-codes.ts` maps code → exit status.
 * @module
 */

/** Why an operation failed, as a closed set. */
export type ErrorCode =
  /** Bad command line or option. */
  | 'USAGE'
  /** Input data, or a configuration, cannot be read as what it should be. */
  | 'INPUT_INVALID'
  /** A named file, dataset, version, record or report does not exist. */
  | 'NOT_FOUND'
  /** The store was not found, or is of a format that this version does not read. */
  | 'STORE_UNUSABLE'
  /** Stored bytes do not match their id. */
  | 'STORE_CORRUPT'
  /** What is asked for contradicts what is there (a schema that would narrow, a name of another role). */
  | 'CONFLICT'
  /** The operating system refused or failed: disk full, permission, I/O. */
  | 'IO'
  /** A limit (nesting, line length, memory, time) was met. */
  | 'LIMIT'
  /** A step that is declared deterministic gave two results. */
  | 'NOT_DETERMINISTIC'
  /** Interrupted by the user. */
  | 'INTERRUPTED';

/** Where in an input a failure lies. Lines and columns count from 1; columns count characters. */
export interface ErrorPlace {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** What a `HoldoutError` carries besides its message. */
export interface HoldoutErrorOptions extends ErrorPlace {
  /** What the person can do about it; one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** What else is wrong with the same input, where all of it is said at once. */
  readonly others?: readonly HoldoutError[];
}

/** An operating failure or bad input, written for the person who meets it. */
export class HoldoutError extends Error {
  readonly code: ErrorCode;
  readonly place: ErrorPlace;
  readonly hint: string | undefined;
  readonly others: readonly HoldoutError[];

  constructor(code: ErrorCode, message: string, options: HoldoutErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HoldoutError';
    this.code = code;
    this.place = {
      ...(options.file === undefined ? {} : { file: options.file }),
      ...(options.line === undefined ? {} : { line: options.line }),
      ...(options.column === undefined ? {} : { column: options.column }),
    };
    this.hint = options.hint;
    this.others = options.others ?? [];
  }
}
