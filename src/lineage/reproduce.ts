/**
 * Re-runs the lineage of a version and compares ids step by step: read steps from the raw bytes, every further step on
 * what the steps before it gave.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { RealisationRecord } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { type JournalState, type VersionEntry, tableKey } from '../store/journal-state.ts';
import { Store } from '../store/store.ts';
import type { Layout } from '../tables/layout.ts';
import { putLayout } from '../tables/write-table.ts';
import { stepFacts } from './describe-step.ts';
import { type LineageStep, lineageGraph } from './graph.ts';
import type { RawSources } from './read-again.ts';
import { type Attempt, type Given, attemptStep, isLost, recordedTable } from './reproduce-step.ts';
import { type DifferentRow, type VersionChange, compareTables, versionChanges } from './reproduce-compare.ts';
import type { Transform } from './transform.ts';

/** What a reproduction is run with. */
export interface ReproduceRun {
  readonly store: Store;
  /** Able to read the store and to read and write its temporary folder and `workDirectory`. */
  readonly engine: Engine;
  readonly transforms: readonly Transform[];
  readonly target: VersionEntry;
  readonly raw: RawSources;
  /** Scratch space; nothing of it is kept. */
  readonly workDirectory: string;
  readonly threads: number;
  readonly now: Date;
  /** Whether layouts that the store has lost are put back. */
  readonly restore: boolean;
  /** Whether steps may run code of the person's own; otherwise such a step cannot be told of. */
  readonly runCode?: boolean;
  /** Number of the only step that is run, on its recorded inputs: 1, 2, 3 … */
  readonly only?: number | undefined;
  /** Version of the Holdout that runs, to be told beside the recorded one. */
  readonly holdoutVersion?: string;
  readonly onStep?: (outcome: StepOutcome) => void | Promise<void>;
}

/** How one step went. */
export interface StepOutcome {
  /** 1, 2, 3 … */
  readonly step: number;
  readonly name: string;
  readonly version: number;
  /** Whether the step's output is that version; otherwise it stands on the way to it. */
  readonly named: boolean;
  readonly transform: string;
  readonly says: string;
  readonly state: 'same' | 'differs' | 'cannot-tell' | 'not-deterministic';
  readonly recorded: RealisationRecord['output'];
  /** What came out now; null where the step could not be run. */
  readonly got: Pick<RealisationRecord['output'], 'table' | 'setRoot' | 'rows'> | null;
  readonly detail: string;
  /** Zero-based; only where the recorded rows are still at hand. */
  readonly firstDifferentRow: number | null;
  /** The first rows that differ, where both can be read. */
  readonly rows: readonly DifferentRow[];
  /** Engine and versions when the step was recorded. */
  readonly engineThen: RealisationRecord['engine'];
  /** What is not as it was then. */
  readonly changes: readonly VersionChange[];
  /** Whether the recorded output was taken in place of a run. */
  readonly taken: boolean;
  /** Whether a lost layout was put back. */
  readonly restored: boolean;
}

/** How a reproduction went. */
export interface Reproduction {
  readonly state: StepOutcome['state'];
  readonly steps: readonly StepOutcome[];
}

/**
 * Reproduces a version. Stops at the first step that differs or cannot be run: what follows would say nothing. Without
 * `restore` all is done in a scratch store.
 * @throws RangeError for a step that the lineage does not have
 * @throws HoldoutError as the store and the readers do.
 */
export async function reproduceVersion(run: ReproduceRun): Promise<Reproduction> {
  const state = await run.store.journal();
  const steps = await lineageGraph(run.store, state, run.target);
  const wanted = run.only === undefined ? steps : steps.filter(({ index }) => index + 1 === run.only);
  if (wanted.length === 0) throw new RangeError(`"only" expected 1 to ${steps.length}, got ${run.only}`);
  const scratch = run.restore ? null : await Store.scratchOver(run.store);
  const place = { store: scratch ?? run.store, engine: run.engine, threads: run.threads };
  const given = new Map<number, Given>();
  const outcomes: StepOutcome[] = [];
  try {
    for (const step of wanted) {
      if (run.only !== undefined) {
        for (const { ref, step: index } of step.inputs) given.set(index, await recordedTable(place, state, ref));
      }
      const tried = await attemptStep(run, place, state, step, given);
      const stored = run.restore && 'cannot' in tried ? await rowsOfGoneFiles(place, state, step) : null;
      const attempt = stored === null ? tried : { given: stored };
      const outcome = await judge(run, state, steps, step, attempt);
      outcomes.push(outcome);
      await run.onStep?.(outcome);
      if ('given' in attempt) given.set(step.index, attempt.given);
      if (outcome.state !== 'same') return { state: outcome.state, steps: outcomes };
      await closeUnneeded(given, steps, step.index);
    }
    return { state: 'same', steps: outcomes };
  } finally {
    for (const { reader } of given.values()) await reader.close();
    await scratch?.close();
  }
}

/** The rows that were read from files that are gone: to make again what was made of them, those that are stored will do. */
async function rowsOfGoneFiles(
  place: Pick<ReproduceRun, 'store' | 'engine'>,
  state: JournalState,
  { inputs, realisation }: LineageStep,
): Promise<Given | null> {
  if (inputs.length > 0) return null;
  try {
    return await recordedTable(place, state, realisation.output);
  } catch (error) {
    if (isLost(error)) return null;
    throw error;
  }
}

/** Closes tables that no later step reads. */
async function closeUnneeded(given: Map<number, Given>, steps: readonly LineageStep[], done: number): Promise<void> {
  const needed = new Set(steps.slice(done + 1).flatMap(({ inputs }) => inputs.map(({ step }) => step)));
  for (const [index, { reader }] of given) {
    if (needed.has(index)) continue;
    given.delete(index);
    await reader.close();
  }
}

async function judge(
  run: ReproduceRun,
  state: JournalState,
  steps: readonly LineageStep[],
  step: LineageStep,
  attempt: Attempt,
): Promise<StepOutcome> {
  const { entry, named, derivation, realisation } = step;
  const recorded = realisation.output;
  const base = {
    step: step.index + 1,
    name: entry.name,
    version: entry.version,
    named,
    transform: `${derivation.transform.name}@${derivation.transform.version}`,
    says: stepFacts(run.transforms, steps, step).says,
    recorded,
    engineThen: realisation.engine,
    changes: await versionChanges(run, step),
    firstDifferentRow: null,
    rows: [],
    taken: false,
    restored: false,
  };
  if ('cannot' in attempt) return { ...base, state: attempt.state, got: null, detail: attempt.cannot };
  const { ref, reader, layout, taken } = attempt.given;
  const compared = await compareTables(run, recorded, { ref, reader });
  if (!compared.same) {
    const { got, detail, rows, firstDifferentRow } = compared;
    return { ...base, state: 'differs', got, detail, rows, firstDifferentRow };
  }
  const restored = run.restore && (await restoreLayout(run, state, recorded, layout));
  const why =
    step.inputs.length === 0
      ? 'its files are gone: the rows that the store has are taken as they are'
      : 'declared not deterministic: its stored output is taken as it is, like raw data';
  const detail = taken ? why : '';
  return { ...base, state: 'same', got: compared.got, detail, taken, restored };
}

/** Puts a lost layout back. @returns whether there was anything to do */
async function restoreLayout(
  run: ReproduceRun,
  state: JournalState,
  ref: RealisationRecord['output'],
  layout: Layout,
): Promise<boolean> {
  const { store } = run;
  const recorded = state.layouts.get(tableKey(ref));
  if (recorded !== undefined && (await store.checkFile('layout', recorded)) === 'ok') return false;
  const { id }: { id: Sha256Id } = await putLayout(store, layout);
  await store.commit(
    (now) =>
      now.layouts.get(tableKey(ref)) === id ? null : { op: 'layout', table: ref.table, schema: ref.schema, layout: id },
    run.now,
  );
  return true;
}
