/**
 * Takes several steps at once: each is a derivation of its own, the last one's output becomes a version. `planChain`
 * runs them and keeps nothing.
 * @module
 */
import { type TableId, datasetName } from '../../schemas/ids.ts';
import { type Role, snapshotRecord } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { Store } from '../store/store.ts';
import { type TableReader, openTable } from '../tables/table-reader.ts';
import { type DerivedVersion, type VersionRun, deriveVersion } from './derive-version.ts';
import { type StepInput, type StepResult, runStep } from './run-step.ts';
import { sourceAfter } from './source-after.ts';
import type { PreparedStep } from './transform.ts';

/** Steps from a version to the next version of a name. */
export interface ChainRun extends Omit<VersionRun, 'step' | 'through'> {
  /** At least one. */
  readonly steps: readonly PreparedStep[];
  /** Called before each step with the rows of its input. */
  readonly onStep?: ((step: PreparedStep, rows: number) => void) | undefined;
}

/** What one step of a chain came to. */
export interface ChainStep {
  readonly step: PreparedStep;
  readonly rowsBefore: number;
  readonly rows: number;
  readonly table: TableId;
  readonly counts: Readonly<Record<string, number>>;
  /** Whether it was taken from an earlier run. */
  readonly reused: boolean;
  /** What the person should know of the values that came out; nothing where an earlier run was taken. */
  readonly notes: readonly string[];
}

/** The version that a chain made, or found. */
export interface DerivedChain {
  readonly version: DerivedVersion;
  readonly steps: readonly ChainStep[];
}

/**
 * Runs the steps and journals the last output as one version; a step that fails leaves nothing registered.
 * @throws HoldoutError `USAGE` for a bad name, `CONFLICT` for a name of another role; as the steps and the store do.
 */
export async function deriveChain(run: ChainRun): Promise<DerivedChain> {
  const { steps, ...rest } = run;
  const last = lastOf(steps);
  await checkTarget(run);
  const opened: TableReader[] = [];
  try {
    const { input, through, done } = await passSteps(run, steps.slice(0, -1), opened);
    run.onStep?.(last, input.reader.rows);
    const version = await naming(last, deriveVersion({ ...rest, step: last, input, through }));
    return { version, steps: [...done, chainStep(last, input, version.step)] };
  } finally {
    for (const reader of opened) await reader.close();
  }
}

/**
 * Runs the steps and says what they would come to; nothing is stored.
 * @throws HoldoutError as `deriveChain` does.
 */
export async function planChain(run: ChainRun): Promise<readonly ChainStep[]> {
  lastOf(run.steps);
  await checkTarget(run);
  const opened: TableReader[] = [];
  const store = await Store.scratchOver(run.store);
  try {
    return (await passSteps({ ...run, store }, run.steps, opened)).done;
  } finally {
    for (const reader of opened) await reader.close();
    await store.close();
  }
}

/** Takes steps one after the other, each on what the one before gave. */
async function passSteps(
  run: ChainRun,
  steps: readonly PreparedStep[],
  opened: TableReader[],
): Promise<{
  readonly input: StepInput;
  readonly through: readonly StepResult[];
  readonly done: readonly ChainStep[];
}> {
  const { store, engine } = run;
  const done: ChainStep[] = [];
  const through: StepResult[] = [];
  let input: StepInput = run.input;
  for (const step of steps) {
    run.onStep?.(step, input.reader.rows);
    const result = await naming(step, runStep({ ...run, step, input }));
    done.push(chainStep(step, input, result));
    through.push(result);
    const reader = await openTable(store, engine, result.output, result.layout);
    opened.push(reader);
    const { setRoot } = result.output;
    input = {
      ref: result.output,
      setRoot,
      reader,
      layout: result.layout,
      sourceOf: sourceAfter(store, { input, result, reader }),
    };
  }
  return { input, through, done };
}

function lastOf(steps: readonly PreparedStep[]): PreparedStep {
  const last = steps.at(-1);
  if (last === undefined) throw new RangeError('"steps" expected at least one step');
  return last;
}

function chainStep(step: PreparedStep, input: StepInput, { output, counts, reused, notes }: StepResult): ChainStep {
  return { step, rowsBefore: input.reader.rows, rows: output.rows, table: output.table, counts, reused, notes };
}

/** Puts the step's name before what a person can mend in it. */
async function naming<T>({ name }: PreparedStep, running: Promise<T>): Promise<T> {
  try {
    return await running;
  } catch (error) {
    if (!(error instanceof HoldoutError) || !['USAGE', 'INPUT_INVALID'].includes(error.code)) throw error;
    if (error.message.startsWith(`${name}: `)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new HoldoutError(error.code, `${name}: ${error.message}`, { ...error.place, ...hint, cause: error });
  }
}

async function checkTarget({ store, base, name = base.name }: ChainRun): Promise<void> {
  const named = datasetName.safeParse(name);
  if (!named.success) {
    throw new HoldoutError('USAGE', `"${name}" cannot name a dataset: ${named.error.issues[0]?.message ?? 'bad name'}`);
  }
  const newest = (await store.journal()).names.get(name)?.at(-1);
  if (newest === undefined) return;
  const [has, gets] = [await roleOf(store, newest.snapshot), await roleOf(store, base.snapshot)];
  if (has === gets) return;
  throw new HoldoutError('CONFLICT', `"${name}" is a dataset with role ${has}, not ${gets}`, {
    hint: 'Give the result another name.',
  });
}

async function roleOf(store: Store, snapshot: VersionRun['base']['snapshot']): Promise<Role> {
  return (await store.getRecord(snapshot, snapshotRecord)).role;
}
