/**
 * Runs a person's module over a table: row by row, in processes of their own, the output in the order of the input. Rows that it gives
 * back as they were are named, not written again.
 * @module
 */
import { join } from 'node:path';
import { HoldoutError } from '../errors.ts';
import { recordId } from '../identity/canonical-json.ts';
import { FileWriter } from './file-writer.ts';
import { GrowingNumbers } from './growing-numbers.ts';
import { type ModuleGraph, readModuleGraph } from './module-graph.ts';
import { type ModuleBatch, type OnError, rowState } from './module-messages.ts';
import { ModulePool } from './module-pool.ts';
import type { ModuleRun } from './module-process.ts';
import { checkModuleSample } from './module-sample.ts';
import { firstConflict } from './new-row-conflict.ts';
import { jsonNotes } from './mixed-columns.ts';
import { readNewRows, unchangedColumns } from './new-rows.ts';
import { placeText } from './row-source.ts';
import { takeSample } from './sample-check.ts';
import { type DroppedRows, RowFailure, type StepOutput } from './step-output.ts';
import type { StepContext } from './transform.ts';

/** A module as a step names it. */
export interface ModuleStep {
  /** From the project's folder. */
  readonly path: string;
  readonly exportName: string;
  readonly args: unknown;
  /** Files that it reads. */
  readonly files: readonly string[];
  readonly onError: OnError;
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly deterministic: boolean;
}

const batchRows = 512;
const batchBytesMax = 1 << 20;

/**
 * Runs it.
 * @throws RowFailure for a row that it throws on, where that counts, or that takes too long or too much memory
 * @throws HoldoutError NOT_DETERMINISTIC; as reading the module and its rows does
 */
export async function runModule(context: StepContext, step: ModuleStep): Promise<StepOutput> {
  const { projectRoot, signal } = context;
  const graph = await readModuleGraph(projectRoot, step.path, step.files.length > 0);
  const { path, exportName, args, onError, timeoutMs, memoryMb } = step;
  const run: ModuleRun = {
    graph,
    path,
    projectRoot,
    exportName,
    args,
    onError,
    timeoutMs,
    memoryMb,
    scratch: context.scratch,
    signal,
  };
  if (step.deterministic && context.input.rows > 0) await checkModuleSample(run, await takeSample(inputLines(context)));
  // A module that keeps something from row to row sees them all, in order.
  const workers = step.deterministic ? Math.min(context.threads, Math.ceil(context.input.rows / batchRows)) : 1;
  const pool = new ModulePool(run, { name: 'module', workers: Math.max(1, workers) });
  try {
    const output = await collect(context, pool);
    await pool.finish();
    await checkUnchanged(projectRoot, step, graph);
    return output;
  } finally {
    await pool.close();
  }
}

async function* inputLines({ input }: StepContext): AsyncGenerator<string> {
  for await (const { bytes } of input.jsonLines({ canonical: true, bytesMax: batchBytesMax })) {
    yield* Buffer.from(bytes).toString().split('\n').slice(0, -1);
  }
}

/** The input in batches of some hundred rows, each with bytes of its own. */
async function* batchesOf({ input }: StepContext): AsyncGenerator<ModuleBatch> {
  for await (const { firstRow, rows, bytes } of input.jsonLines({ canonical: true })) {
    let [from, first] = [0, firstRow];
    while (first < firstRow + rows) {
      let [to, count] = [from, 0];
      do {
        to = bytes.indexOf(10, to) + 1;
        count += 1;
      } while (count < batchRows && to - from < batchBytesMax && first + count < firstRow + rows);
      yield { firstRow: first, bytes: new Uint8Array(bytes.subarray(from, to)) };
      [from, first] = [to, first + count];
    }
  }
}

async function collect(context: StepContext, pool: ModulePool): Promise<StepOutput> {
  const { input } = context;
  const rows = new GrowingNumbers();
  const madeOf = new GrowingNumbers();
  const states = new Uint8Array(input.rows);
  const file = new FileWriter(join(context.scratch, 'module.jsonl'));
  let [selecting, last] = [true, -1];
  const changed = new Set<string>();
  try {
    for await (const { firstRow, outputs, text, states: of, ...batch } of pool.runAll(batchesOf(context))) {
      states.set(of ?? [], firstRow);
      for (const output of outputs) {
        const row = firstRow + (output >>> 1);
        const isNew = output % 2 === 1;
        rows.push(isNew ? input.rows + madeOf.length : row);
        if (isNew) madeOf.push(row);
        selecting &&= !isNew && row > last;
        last = row;
      }
      for (const name of batch.changed) changed.add(name);
      await file.write(text);
      if (of !== null) context.onProgress?.(firstRow + of.length);
    }
  } finally {
    await file.close();
  }
  const counts = countStates(states, madeOf.length);
  const [output, origins] = [rows.finish(), madeOf.finish()];
  const dropped = droppedRows(states, output, origins, input.rows);
  if (selecting) return { kind: 'rows', keep: output, counts, dropped };
  if (origins.length === 0) {
    const { schema } = input;
    return { kind: 'table', schema, rows: output, added: null, madeOf: null, counts, dropped };
  }
  const besideInput = origins.length < output.length;
  const read = readNewRows({ context, path: file.path, besideInput });
  const { table, schema } = await read.catch(async (error: unknown) => {
    if (besideInput) await refuseConflict(context, { path: file.path, origins, rows: output }, error);
    return atItsRow(error, origins);
  });
  const stay = input.schema.columns.flatMap(({ name }) => (changed.has(name) ? [] : [[name, name] as const]));
  const notes = await jsonNotes(context, { path: file.path, schema, madeOf: origins });
  const unchanged = unchangedColumns(input.schema, schema, new Map(stay));
  return { kind: 'table', schema, rows: output, added: table, madeOf: origins, unchanged, counts, dropped, notes };
}

/** A value that the rows beside it do not take is told with both rows. @throws RowFailure */
async function refuseConflict(
  { input, sourceOf }: StepContext,
  made: { readonly path: string; readonly origins: Uint32Array; readonly rows: Uint32Array },
  error: unknown,
): Promise<void> {
  if (!(error instanceof HoldoutError) || error.code !== 'CONFLICT') return;
  const found = await firstConflict(made.path, input.schema);
  const beside = made.rows.find((address) => address < input.rows);
  if (found === null || beside === undefined) return;
  const source = await sourceOf(beside).catch(() => null);
  const place = source === null ? '' : ` (${placeText(source)})`;
  const row = `row ${(beside + 1).toLocaleString('en-US')}${place}`;
  throw new RowFailure(made.origins[found.row]!, `${found.says} ${row}, which the module gave back as it was`, {
    hint: 'Give new values of another kind a column of their own, or give all rows values of one kind.',
    cause: error,
  });
}

/** What was wrong with new rows is told by the row that they were made of, not by the scratch file that they stood in. */
function atItsRow(error: unknown, madeOf: Uint32Array): never {
  if (!(error instanceof HoldoutError) || !['INPUT_INVALID', 'CONFLICT', 'LIMIT'].includes(error.code)) throw error;
  const { line } = error.place;
  const row = line === undefined ? undefined : madeOf[line - 1];
  const says = `of what the module gave: ${error.message}`;
  if (row !== undefined) throw new RowFailure(row, says, error.hint === undefined ? {} : { hint: error.hint });
  throw new HoldoutError(error.code, says, {
    hint: 'Rows that it gives back unchanged keep their types: give new values of another kind a column of their own.',
    cause: error,
  });
}

function countStates(states: Uint8Array, changed: number): Record<string, number> {
  const count = (wanted: number): number => states.reduce((sum, state) => sum + (state === wanted ? 1 : 0), 0);
  return { returnedNothing: count(rowState.returnedNothing), failed: count(rowState.failed), changed };
}

/** Rows of which nothing came, by reason; a failed row that was kept has not gone. */
function droppedRows(states: Uint8Array, rows: Uint32Array, madeOf: Uint32Array, inputRows: number): DroppedRows {
  const of = states.slice();
  for (const address of rows) of[address < inputRows ? address : madeOf[address - inputRows]!] = rowState.stays;
  return { names: ['returnedNothing', 'failed'], of };
}

/** The identity was taken before the run: what ran must still be what it names. */
async function checkUnchanged(projectRoot: string, step: ModuleStep, { code }: ModuleGraph): Promise<void> {
  const now = await readModuleGraph(projectRoot, step.path, step.files.length > 0).catch(() => null);
  if (now !== null && recordId(now.code) === recordId(code)) return;
  throw new HoldoutError('CONFLICT', `${step.path} or a file that it imports was changed while it ran`, {
    hint: 'Run it again.',
  });
}
