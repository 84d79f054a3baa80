/**
 * What `--help` says below commander's own lists of operands and options, broken to the width of the terminal.
 * @module
 */
import type { CommandSpec } from './command-spec.ts';
import { exitMeaning, exitStatus } from './exit-codes.ts';
import { outputColumns } from './output.ts';
import { wrapLine } from './text.ts';

/** Exits of every command; one that has more to say of them names them itself. */
const everywhere = new Set<number>([
  exitStatus.usage,
  exitStatus.failure,
  exitStatus.interrupted,
  exitStatus.terminated,
]);
/** Where nobody says how wide. */
const listColumnsElsewhere = 80;
const proseColumnsElsewhere = 118;

/** Says of `--json` what holds of nearly every command. */
export const jsonOption = 'print one JSON value instead of text';

/** Columns for commander's lists. */
export function helpColumns(): number {
  return outputColumns() ?? listColumnsElsewhere;
}

/** What stands below the list of commands. */
export function programHelp(): string {
  return [
    '',
    'First minute, without any store:',
    '  $ holdout check train.jsonl --against eval.jsonl',
    '',
    'Exit status:',
    ...exitLines(exitMeaning),
    '',
    '`holdout COMMAND --help` says more about each.',
  ].join('\n');
}

/** What stands below the options of a command. */
export function commandHelp({ details, examples, exits, json }: CommandSpec): string {
  const own = new Set(exits.map(([status]) => status));
  const common = exitMeaning.filter(([status]) => everywhere.has(status) && !own.has(status));
  const paragraphs = details === undefined ? [] : ['', ...details.split('\n').flatMap(prose)];
  return [
    ...paragraphs,
    '',
    // Examples are for pasting, so they are never broken.
    'Examples:',
    ...examples.map((line) => `  $ ${line}`),
    '',
    'Exit status:',
    ...exitLines([...exits, ...common].sort(([a], [b]) => a - b)),
    '',
    '--json prints:',
    ...json.split('\n').flatMap((line) => fitted(`  ${line}`)),
  ].join('\n');
}

function exitLines(exits: CommandSpec['exits']): string[] {
  return exits.flatMap(([status, meaning]) => fitted(`  ${String(status).padEnd(4)}${meaning}`));
}

function prose(paragraph: string): string[] {
  return wrapLine(paragraph, outputColumns() ?? proseColumnsElsewhere);
}

/** Broken only where there is a width to fit. */
function fitted(line: string): string[] {
  const columns = outputColumns();
  return columns === undefined ? [line] : wrapLine(line, columns);
}
