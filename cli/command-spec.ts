/**
 * What a command is: its line in the table of commands, and what its action is given. The table is all that
 * `holdout --help` loads; actions are loaded when called.
 * @module
 */
import type { CliContext } from './context.ts';

/** A command's action: does the work and returns the exit status. */
export type Action = (input: Invocation) => Promise<number>;

/** One command as the person meets it. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** Operands in commander's notation, with a description each: `['<name>', 'dataset']`. */
  readonly operands: readonly (readonly [notation: string, text: string])[];
  /** Options in commander's notation, with a description each. */
  readonly options: readonly (readonly [flags: string, text: string])[];
  /** Further sentences of the help, a line a paragraph. */
  readonly details?: string;
  readonly examples: readonly string[];
  /** Exit statuses beside those that every command has: usage and input, failure, interrupted, ended. */
  readonly exits: readonly (readonly [status: number, meaning: string])[];
  /** Shape of `--json`; a line is broken only where it does not fit. */
  readonly json: string;
  readonly load: () => Promise<Action>;
}

/** What was asked for on the command line. */
export interface Invocation {
  readonly context: CliContext;
  readonly operands: readonly string[];
  readonly options: Options;
}

/** Options by their long name (`--read-data` is `readData`). */
export class Options {
  private readonly values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = values;
  }

  /** Whether a flag was given. */
  flag(name: string): boolean {
    return this.values[name] === true;
  }

  /** Whether a flag was given in its `--no-` form. */
  refused(name: string): boolean {
    return this.values[name] === false;
  }

  /** Value of an option that takes one. */
  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** Values of an option that takes many; empty when it was not given. */
  list(name: string): readonly string[] {
    const value = this.values[name];
    if (typeof value === 'string') return [value];
    return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
  }
}
