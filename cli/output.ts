/**
 * Everything that a command prints: plain text for people, one JSON value with `--json`, errors on stderr. A reader
 * that goes away (`| head`) ends the program quietly.
 * @module
 */
import { HoldoutError } from '../src/errors.ts';
import { exitStatus, exitStatusOf } from './exit-codes.ts';
import { plural, wrapLine } from './text.ts';

/** Ends quietly when whoever reads our output has had enough. */
export function endQuietlyOnClosedPipe(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(exitStatus.ok);
      throw error;
    });
  }
}

/** Writes to stdout and waits where the reader is slower. */
export async function write(text: string | Uint8Array): Promise<void> {
  if (text.length === 0 || process.stdout.write(text)) return;
  await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
}

/** Columns of the terminal that stdout is; elsewhere those that `COLUMNS` asks for; undefined where nobody says. */
export function outputColumns(): number | undefined {
  const { isTTY, columns } = process.stdout;
  const asked = Number(isTTY ? columns : process.env['COLUMNS']);
  return Number.isSafeInteger(asked) && asked > 0 ? asked : undefined;
}

/** Writes lines to stdout, broken at words to its width where it has one. */
export async function writeLines(lines: readonly string[]): Promise<void> {
  const columns = outputColumns();
  const shown = columns === undefined ? lines : lines.flatMap((line) => wrapLine(line, columns));
  return write(shown.map((line) => `${line}\n`).join(''));
}

/** Writes lines of a table to stdout: they are as wide as they are. */
export async function writeTable(lines: readonly string[]): Promise<void> {
  return write(lines.map((line) => `${line}\n`).join(''));
}

/** Writes one JSON value, indented, to stdout. @throws TypeError for a bigint: say how it is to be written first. */
export async function writeJson(value: unknown): Promise<void> {
  return write(`${JSON.stringify(value, null, 2)}\n`);
}

/** Writes a remark to stderr, broken at words where that is a terminal: never part of the answer. */
export function remark(text: string): void {
  const { isTTY, columns } = process.stderr;
  process.stderr.write(`${remarkText(text, isTTY && columns > 0 ? columns : null)}\n`);
}

/** A remark as a terminal of so many columns gets it; null: what is no terminal. */
export function remarkText(text: string, columns: number | null): string {
  if (columns === null) return text;
  const lines = text.split('\n').flatMap((line) => wrapLine(line, columns));
  return lines.join('\n');
}

/** Says how many values are NaN or infinite and were printed as null. */
export function remarkNotFinite(values: number): void {
  if (values === 0) return;
  const [are, which] = values === 1 ? ['is', 'it'] : ['are', 'them'];
  remark(`(${plural(values, 'value')} ${are} NaN or infinite: JSON does not have ${which}, so null stands there)`);
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

/** Any thrown thing as an error for the person. Errors of the operating system become `IO` or `NOT_FOUND`. */
export function asHoldoutError(error: unknown): HoldoutError | null {
  if (error instanceof HoldoutError) return error;
  if (!isErrno(error)) return null;
  const file = error.path === undefined ? {} : { file: error.path };
  if (error.code === 'ENOENT')
    return new HoldoutError('NOT_FOUND', 'no such file or folder', { ...file, cause: error });
  // The message names the path again at its end.
  const message = error.path === undefined ? error.message : error.message.replace(` '${error.path}'`, '');
  return new HoldoutError('IO', message, { ...file, cause: error });
}

/** `file:line:column: `, where the message does not name the file itself. */
function placeOf({ place, message }: HoldoutError): string {
  if (place.file === undefined || (place.line === undefined && message.includes(place.file))) return '';
  const line = place.line === undefined ? '' : `:${place.line}`;
  const column = place.line === undefined || place.column === undefined ? '' : `:${place.column}`;
  return `${place.file}${line}${column}: `;
}

/** Prints an error (text on stderr; with `json` also `{error: …}` on stdout) and returns the exit status. */
export async function reportError(thrown: unknown, json: boolean): Promise<number> {
  const error = asHoldoutError(thrown);
  if (error === null) {
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    remark(`holdout: an error that should not happen; please report it with this text:\n${stack}`);
    if (json) await writeJson({ error: { code: 'INTERNAL', message: String(thrown) } });
    return exitStatus.failure;
  }
  printError(error);
  if (json) await writeJson({ error: errorJson(error) });
  return exitStatusOf[error.code];
}

/** An error in one line, with its place and what to do. */
export function errorText(error: HoldoutError): string {
  // Behind a semicolon no sentence begins.
  const inside = error.hint?.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());
  const hint = inside === undefined ? '' : `; ${inside}`;
  return withoutControls(`${placeOf(error)}${error.message}${hint}`).replaceAll(/\s*\n\s*/g, ' ');
}

/** Prints an error on stderr, with what it belongs to, and everything else that is wrong with the same input. */
export function printError(error: HoldoutError, of?: string): void {
  for (const each of [error, ...error.others]) {
    remark(withoutControls(`error: ${of === undefined ? '' : `${of}: `}${placeOf(each)}${each.message}`));
    if (each.hint !== undefined) remark(withoutControls(`hint: ${each.hint}`));
  }
}

/** A message can quote data or a person's code: what a terminal would obey becomes visible. */
function withoutControls(text: string): string {
  return text.replaceAll(/(?![\t\n])\p{Cc}/gu, (control) => {
    return `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** An error as `--json` shows it. */
export function errorJson({ code, message, place, hint, others }: HoldoutError): Record<string, unknown> {
  return {
    code,
    message,
    ...place,
    ...(hint === undefined ? {} : { hint }),
    ...(others.length === 0 ? {} : { others: others.map(errorJson) }),
  };
}

const colours = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/** Text in a style where stdout is a terminal and NO_COLOR is unset; otherwise as it is. */
export function styled(style: keyof typeof colours, text: string): string {
  if (!process.stdout.isTTY || (process.env['NO_COLOR'] ?? '') !== '') return text;
  const [on, off] = colours[style];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** Whether stdout shows styles. */
export function stylesShown(): boolean {
  return styled('bold', '') !== '';
}
