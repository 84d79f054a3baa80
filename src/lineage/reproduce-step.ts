/**
 * Runs one step of a lineage again, on tables in hand.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { TableRef } from '../../schemas/records.ts';
import { type TableSchema, tableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { type JournalState, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import type { Layout } from '../tables/layout.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { type TableReader, openLayout } from '../tables/table-reader.ts';
import { storeTable } from '../tables/write-table.ts';
import { boundTables } from './bind-step.ts';
import { shortStepName } from './find-step.ts';
import { type LineageStep, isReadStep } from './graph.ts';
import { type ReadAgainRun, readAgain } from './read-again.ts';
import { codeFolderOf } from './code-folder.ts';
import { applyStep } from './run-step.ts';
import { type Transform, prepareAgain } from './transform.ts';

/** A table in hand: enough to run the next step on it, and to put its layout back. */
export interface Given {
  readonly ref: TableRef;
  readonly reader: TableReader;
  readonly layout: Layout;
  /** Whether it is the recorded output, taken in place of a run. */
  readonly taken: boolean;
}

/** What came of running a step: a table, or why there is none. */
export type Attempt =
  { readonly given: Given } | { readonly cannot: string; readonly state: 'cannot-tell' | 'not-deterministic' };

/** What running a step again needs beside its inputs. */
export interface AttemptRun extends ReadAgainRun {
  readonly transforms: readonly Transform[];
  readonly runCode?: boolean;
}

/** Where its output goes: a scratch store, or the store itself. */
export interface AttemptPlace {
  readonly store: Store;
  readonly engine: Engine;
  readonly threads: number;
}

/**
 * Runs a step again. `given` holds the tables of its inputs by the index of the step that gave them.
 * @throws HoldoutError as the step, the readers and the store do.
 */
export async function attemptStep(
  run: AttemptRun,
  place: AttemptPlace,
  state: JournalState,
  step: LineageStep,
  given: ReadonlyMap<number, Given>,
): Promise<Attempt> {
  if (isReadStep(step.derivation)) return readStep(run, place, state, step);
  const prepared = prepareAgain(run.transforms, step.derivation);
  if (prepared === null) {
    const { name, version } = step.derivation.transform;
    return cannot(`this Holdout has no ${name} version ${version}`);
  }
  if (prepared.determinism === 'declared-not') {
    try {
      return { given: { ...(await recordedTable(place, state, step.realisation.output)), taken: true } };
    } catch (error) {
      if (!isLost(error)) throw error;
      const cause = 'the step is declared not deterministic, and its stored output is no longer there';
      return { cannot: cause, state: 'not-deterministic' };
    }
  }
  if (prepared.code !== null && run.runCode !== true) {
    return cannot(`${shortStepName(prepared.name)} runs code of your own; --run-code lets it run`);
  }
  const [input, ...others] = step.inputs.map(({ step: index }) => given.get(index));
  if (input === undefined) return cannot('the table that it reads is not at hand');
  const bound = await boundTables(place.store, step.derivation, prepared.datasets);
  const { output, layout, schema } = await applyStep(
    { ...place, folder: codeFolderOf(run.store, step.entry), withoutOrigins: true },
    { step: prepared, others: bound.map((table, index) => ({ ...table, layout: others[index]?.layout })) },
    input,
  );
  const reader = await openLayout(place.store, place.engine, schema, layout);
  return { given: { ref: output, layout, reader, taken: false } };
}

/**
 * The stored table of a record.
 * @throws HoldoutError `NOT_FOUND`, `STORE_CORRUPT` where the store does not have it.
 */
export async function recordedTable(
  { store, engine }: Pick<AttemptPlace, 'store' | 'engine'>,
  state: JournalState,
  ref: TableRef,
): Promise<Given> {
  const id = state.layouts.get(tableKey(ref));
  if (id === undefined) throw new HoldoutError('NOT_FOUND', `the store has no rows of table ${ref.table}`);
  const schema: TableSchema = await store.getRecord(ref.schema, tableSchema);
  const layout = await readLayout(store, id);
  return { ref, layout, reader: await openLayout(store, engine, schema, layout), taken: true };
}

function cannot(says: string): Attempt {
  return { cannot: says, state: 'cannot-tell' };
}

/** Whether an error says that the store lacks something. */
export function isLost(error: unknown): boolean {
  return error instanceof HoldoutError && (error.code === 'NOT_FOUND' || error.code === 'STORE_CORRUPT');
}

async function readStep(
  run: AttemptRun,
  { store, engine }: AttemptPlace,
  state: JournalState,
  step: LineageStep,
): Promise<Attempt> {
  const again = await readAgain(run, step);
  if (again.kind === 'missing') return { cannot: again.says, state: 'cannot-tell' };
  const { table } = again;
  const schema = await store.putRecord(table.schema);
  const ref = { table: table.table, schema };
  await again.reader.close();
  const recorded =
    tableKey(ref) === tableKey(step.realisation.output) ? await stillThere({ store, engine }, state, ref) : null;
  if (recorded !== null) return { given: { ...recorded, taken: false } };
  const candidates = await recordedLayouts(store, state, step.realisation.output);
  const layout = await readLayout(store, (await storeTable(store, engine, table, candidates)).layout);
  const reader = await openLayout(store, engine, table.schema, layout);
  return { given: { ref, reader, layout, taken: false } };
}

/** The stored rows of a table that came out again: what has its id is the table, and need not be compared row by row. */
async function stillThere(
  place: Pick<AttemptPlace, 'store' | 'engine'>,
  state: JournalState,
  ref: TableRef,
): Promise<Given | null> {
  try {
    return await recordedTable(place, state, ref);
  } catch (error) {
    if (isLost(error)) return null;
    throw error;
  }
}

/** The recorded layout, where the store still has it: rows that are the same again need not be written again. */
async function recordedLayouts(store: Store, state: JournalState, ref: TableRef): Promise<Sha256Id[]> {
  const id = state.layouts.get(tableKey(ref));
  return id === undefined || (await store.checkFile('layout', id)) !== 'ok' ? [] : [id];
}
