/**
 * Runs a person's command over a table: a row a line in, a row a line out. Which row a line was made of is known only
 * where the command passes a row number through.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { carriedRows, rowOfBrokenLine } from './carried-rows.ts';
import { type CommandLine, type CommandRun, runCommand } from './child-process.ts';
import { digestCodeFiles } from './code-identity.ts';
import { FileWriter } from './file-writer.ts';
import { jsonNotes } from './mixed-columns.ts';
import { readNewRows } from './new-rows.ts';
import { checkSameLines, sampleRows, takeSample } from './sample-check.ts';
import { RowFailure, type StepOutput } from './step-output.ts';
import type { StepContext } from './transform.ts';
import { formatBytes } from '../size-text.ts';

/** A command as a step names it. */
export interface CommandStep {
  readonly command: CommandLine;
  /** Files that it is made of or reads. */
  readonly files: readonly string[];
  /** Columns of the output, where they are declared. */
  readonly schema: TableSchema | null;
  /** The member of each line that holds the row number and that the command passes through; null for none. */
  readonly carry: string | null;
  readonly timeoutMs: number;
  readonly deterministic: boolean;
}

/** The second run of the sample begins in another second. */
const betweenRunsMs = 1100;
/** The second run of the sample stands in another time zone, the farthest east. */
const otherZone = { TZ: 'Etc/GMT-14' };
const pieceBytes = 777;
const sampleBytesMax = 256 << 20;

/**
 * Runs it.
 * @throws HoldoutError INPUT_INVALID when the command fails, or prints what is no row (with the line of its output);
 *   NOT_DETERMINISTIC; as running a command and reading rows do
 */
export async function runCommandStep(context: StepContext, step: CommandStep): Promise<StepOutput> {
  const { projectRoot, input, signal } = context;
  const files = await digestCodeFiles(projectRoot, step.files);
  const run: CommandRun = { command: step.command, folder: projectRoot, timeoutMs: step.timeoutMs, signal };
  if (step.deterministic && input.rows > 0) await checkSample(context, step, run);
  const file = new FileWriter(join(context.scratch, 'command.jsonl'));
  try {
    await runCommand(run, inputLines(context, step.carry), (bytes) => file.write(bytes));
  } finally {
    await file.close();
  }
  const after = await digestCodeFiles(projectRoot, step.files);
  if (JSON.stringify(after) !== JSON.stringify(files)) {
    throw new HoldoutError('CONFLICT', 'a file of the command was changed while it ran', { hint: 'Run it again.' });
  }
  return readOutput(context, step, file.path);
}

async function readOutput(context: StepContext, step: CommandStep, path: string): Promise<StepOutput> {
  const { input } = context;
  const read = { context, path, besideInput: false, ...(step.schema === null ? {} : { declared: step.schema }) };
  const made = await readNewRows({ ...read, ...(step.carry === null ? {} : { hidden: step.carry }) }).catch(
    (error: unknown) => refuseOutput(context, step, path, error),
  );
  const { table, schema } = made;
  if (table.rows === 0) {
    const none = new Uint32Array();
    const schema = step.schema ?? input.schema;
    return { kind: 'table', schema, rows: none, added: null, madeOf: null, counts: { dropped: input.rows } };
  }
  const rows = Uint32Array.from({ length: table.rows }, (_, row) => input.rows + row);
  // Declared types come as no surprise.
  const written = { path, schema: step.schema === null ? schema : { ...schema, columns: [] } };
  if (step.carry === null) {
    const notes = await jsonNotes(context, { ...written, madeOf: null });
    return { kind: 'table', schema, rows, added: table, madeOf: null, counts: {}, notes };
  }
  const madeOf = await carriedRows(context, { table, path, carry: step.carry });
  const counts = countOrigins(madeOf, input.rows);
  const notes = await jsonNotes(context, { ...written, madeOf });
  return { kind: 'table', schema, rows, added: table, madeOf, unchanged: 'compare', counts, notes };
}

function countOrigins(madeOf: Uint32Array, inputRows: number): Record<string, number> {
  const seen = new Uint8Array(inputRows);
  let [reordered, repeated] = [0, 0];
  for (const [index, row] of madeOf.entries()) {
    if (index > 0 && row < madeOf[index - 1]!) reordered += 1;
    repeated += seen[row]!;
    seen[row] = 1;
  }
  const kept = seen.reduce((sum, one) => sum + one, 0);
  return { dropped: inputRows - kept, repeated, reordered };
}

/**
 * What was wrong with the output is told by its line, not by the scratch file that it stood in; and by the row that the
 * line was made of, where it says so.
 */
async function refuseOutput(
  { input }: StepContext,
  { carry }: CommandStep,
  path: string,
  error: unknown,
): Promise<never> {
  if (!(error instanceof HoldoutError) || !['INPUT_INVALID', 'CONFLICT', 'LIMIT'].includes(error.code)) throw error;
  const { line, column } = error.place;
  const where = line === undefined ? '' : `, line ${line.toLocaleString('en-US')}`;
  const says = `the command's output${where}${column === undefined ? '' : `, column ${column}`}: ${error.message}`;
  const isBroken = error.code === 'INPUT_INVALID' && line !== undefined;
  // What reading says of files that somebody wrote once is no help with a program that can be run again.
  const hint =
    error.hint === undefined || error.hint.includes('what wrote this file')
      ? 'It prints one JSON object a line and nothing else; messages go to standard error.'
      : error.hint;
  const row = isBroken && carry !== null ? await rowOfBrokenLine({ path, carry }, line, input.rows) : null;
  if (row !== null) throw new RowFailure(row, says, { hint, cause: error });
  throw new HoldoutError(error.code, says, { hint, cause: error });
}

async function checkSample(context: StepContext, step: CommandStep, run: CommandRun): Promise<void> {
  const lines = await takeSample(linesOf(inputLines(context, step.carry)));
  const text = lines.map((line) => `${line}\n`).join('');
  const apart = sleep(betweenRunsMs);
  const first = await outputOf({ ...run, quiet: true }, [text]);
  await apart;
  const second = await outputOf({ ...run, quiet: true, environment: otherZone }, pieces(text));
  checkSameLines(first, second, 'the same rows in smaller pieces, in another second and another time zone (TZ)');
}

async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const text of texts) yield* text.split('\n').slice(0, -1);
}

function* pieces(text: string): Generator<Uint8Array> {
  const bytes = Buffer.from(text);
  for (let from = 0; from < bytes.length; from += pieceBytes) yield bytes.subarray(from, from + pieceBytes);
}

async function outputOf(run: CommandRun, input: Iterable<Uint8Array | string>): Promise<string[]> {
  const output: Uint8Array[] = [];
  let size = 0;
  await runCommand(run, input, (bytes) => {
    size += bytes.length;
    if (size > sampleBytesMax) {
      throw new HoldoutError(
        'LIMIT',
        `the command gives more than ${formatBytes(sampleBytesMax)} for ${sampleRows} rows`,
      );
    }
    output.push(bytes);
  });
  return Buffer.concat(output).toString().split('\n');
}

/** The input as lines, with row numbers where they are carried. */
async function* inputLines({ input, onProgress }: StepContext, carry: string | null): AsyncGenerator<string> {
  for await (const { firstRow, rows, bytes } of input.jsonLines({ canonical: true })) {
    onProgress?.(firstRow + rows);
    const text = Buffer.from(bytes).toString();
    if (carry === null) {
      yield text;
      continue;
    }
    const name = JSON.stringify(carry);
    const lines = text.split('\n').slice(0, -1);
    yield lines
      .map((line, index) => `{${name}:${firstRow + index}${line === '{}' ? '' : ','}${line.slice(1)}\n`)
      .join('');
  }
}
