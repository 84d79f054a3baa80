/**
 * Re-runs the lineage of a version and compares ids step by step: the read step from the raw bytes, every further step
 * on what the step before gave.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { RealisationRecord, TableRef } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';
import { type JournalState, type VersionEntry, tableKey } from '../store/journal-state.ts';
import { Store } from '../store/store.ts';
import type { Layout } from '../tables/layout.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { type TableReader, openLayout, openTable } from '../tables/table-reader.ts';
import { putLayout, storeTable } from '../tables/write-table.ts';
import { type LineageStep, lineageOf, tableInput } from './chain.ts';
import { type ReadAgain, type RawSources, readAgain } from './read-again.ts';
import { boundTables } from './bind-step.ts';
import { type StepPlace, applyStep } from './run-step.ts';
import { identifyDigests } from './select-rows.ts';
import { type Transform, prepareAgain } from './transform.ts';

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
  readonly state: 'same' | 'differs' | 'cannot-tell';
  readonly recorded: RealisationRecord['output'];
  /** What came out now; null where the step could not be run. */
  readonly got: Pick<RealisationRecord['output'], 'table' | 'setRoot' | 'rows'> | null;
  readonly detail: string;
  /** Zero-based; only where the recorded rows are still at hand. */
  readonly firstDifferentRow: number | null;
  /** Engine and versions then and now, where they differ. */
  readonly engineThen: RealisationRecord['engine'];
  /** Whether a lost layout was put back. */
  readonly restored: boolean;
}

/** How a reproduction went. */
export interface Reproduction {
  readonly state: StepOutcome['state'];
  readonly steps: readonly StepOutcome[];
}

/** What a step gave: enough to run the next one and to put a layout back. */
interface Given {
  readonly ref: TableRef;
  readonly reader: TableReader;
  readonly layout: Layout;
}

type Attempt = { readonly given: Given } | { readonly cannot: string };

/**
 * Reproduces a version. Stops at the first step that differs or cannot be run: what follows would say nothing. Without
 * `restore` all is done in a scratch store.
 * @throws HoldoutError as the store and the readers do.
 */
export async function reproduceVersion(run: ReproduceRun): Promise<Reproduction> {
  const state = await run.store.journal();
  const lineage = await lineageOf(run.store, state, run.target);
  const scratch = run.restore ? null : await Store.scratchOver(run.store);
  const place = { store: scratch ?? run.store, engine: run.engine, threads: run.threads };
  const outcomes: StepOutcome[] = [];
  let before: Given | null = null;
  try {
    for (const [index, step] of lineage.entries()) {
      const says = describeStep(run, step);
      const attempt = await attemptStep(run, place, step, before);
      const outcome = await judge(run, state, step, attempt, { step: index + 1, says });
      outcomes.push(outcome);
      await run.onStep?.(outcome);
      await before?.reader.close();
      before = null;
      if ('given' in attempt) before = attempt.given;
      if (outcome.state !== 'same') return { state: outcome.state, steps: outcomes };
    }
    return { state: 'same', steps: outcomes };
  } finally {
    await before?.reader.close();
    await scratch?.close();
  }
}

type Place = Pick<StepPlace, 'store' | 'engine' | 'threads'>;

async function attemptStep(run: ReproduceRun, place: Place, step: LineageStep, before: Given | null): Promise<Attempt> {
  const { store, engine } = place;
  if (tableInput(step.derivation) === null || before === null) {
    const again: ReadAgain = await readAgain(run, step);
    if (again.kind === 'missing') return { cannot: again.says };
    const { table } = again;
    const schema = await store.putRecord(table.schema);
    const candidates = await recordedLayouts(store, await store.journal(), step.realisation.output);
    const layout = await readLayout(store, (await storeTable(store, engine, table, candidates)).layout);
    await again.reader.close();
    const reader = await openLayout(store, engine, table.schema, layout);
    return { given: { ref: { table: table.table, schema }, reader, layout } };
  }
  const prepared = prepareAgain(run.transforms, step.derivation);
  if (prepared === null) {
    const { name, version } = step.derivation.transform;
    return { cannot: `this Holdout has no ${name} version ${version}` };
  }
  const others = await boundTables(store, step.derivation, prepared.datasets);
  const { output, layout, schema } = await applyStep(place, { step: prepared, others }, before);
  return { given: { ref: output, layout, reader: await openLayout(store, engine, schema, layout) } };
}

/** The recorded layout, where the store still has it: rows that are the same again need not be written again. */
async function recordedLayouts(store: Store, state: JournalState, ref: TableRef): Promise<Sha256Id[]> {
  const id = state.layouts.get(tableKey(ref));
  return id === undefined || (await store.checkFile('layout', id)) !== 'ok' ? [] : [id];
}

async function judge(
  run: ReproduceRun,
  state: JournalState,
  { entry, named, derivation, realisation }: LineageStep,
  attempt: Attempt,
  told: { readonly step: number; readonly says: string },
): Promise<StepOutcome> {
  const recorded = realisation.output;
  const base = {
    ...told,
    name: entry.name,
    version: entry.version,
    named,
    transform: `${derivation.transform.name}@${derivation.transform.version}`,
    recorded,
    engineThen: realisation.engine,
  };
  const nothing = { firstDifferentRow: null, restored: false };
  if ('cannot' in attempt) return { ...base, ...nothing, state: 'cannot-tell', got: null, detail: attempt.cannot };
  const digests = await attempt.given.reader.digests();
  const got = identifyDigests(digests);
  if (got.table === recorded.table && attempt.given.ref.schema === recorded.schema) {
    const restored = run.restore && (await restoreLayout(run, state, recorded, attempt.given.layout));
    return { ...base, firstDifferentRow: null, state: 'same', got, detail: '', restored };
  }
  const row = await firstDifference(run, recorded, digests);
  const order = got.setRoot === recorded.setRoot ? 'the same rows in another order' : `${got.rows} rows now`;
  const where = row === null ? '' : `; row ${row + 1} is the first that differs`;
  return { ...base, ...nothing, state: 'differs', got, detail: `${order}${where}`, firstDifferentRow: row };
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

/** The first row in which the recorded table and the new digests differ, where the recorded one can still be read. */
async function firstDifference(run: ReproduceRun, recorded: TableRef, digests: Uint8Array): Promise<number | null> {
  let stored: Uint8Array;
  try {
    stored = await (await openTable(run.store, run.engine, recorded)).digests();
  } catch (error) {
    if (error instanceof HoldoutError && (error.code === 'NOT_FOUND' || error.code === 'STORE_CORRUPT')) return null;
    throw error;
  }
  const rows = Math.min(stored.length, digests.length) / DIGEST_BYTES;
  for (let row = 0; row < rows; row++) {
    const [from, to] = [row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES];
    if (Buffer.compare(stored.subarray(from, to), digests.subarray(from, to)) !== 0) return row;
  }
  return rows;
}

function describeStep(run: ReproduceRun, { entry, derivation }: LineageStep): string {
  if (tableInput(derivation) === null) {
    const files = entry.sources.map(({ path }) => path);
    return files.length <= 3 ? `read ${files.join(' ')}` : `read ${files.length} files`;
  }
  const { name, version } = derivation.transform;
  return prepareAgain(run.transforms, derivation)?.says ?? `${name}@${version}`;
}
