/**
 * Runs a step once: the derivation says what was asked and is the cache key; a derivation that was realised before is
 * not run again.
 * @module
 */
import type { SetRoot, Sha256Id } from '../../schemas/ids.ts';
import type { RealisationRecord, TableRef } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { recordId } from '../identity/canonical-json.ts';
import { writeScratch } from '../store/scratch-file.ts';
import { type JournalState, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { readLayout } from '../tables/stored-parts.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { putLayout } from '../tables/write-table.ts';
import { type BindRun, type BoundStep, bindStep } from './bind-step.ts';
import { encodeOrigins } from './origins.ts';
import { type EarlierRealisation, findRealisation } from './realised.ts';
import { type RowPlace, placeText } from './row-source.ts';
import { type Origins, type SettledOutput, settleOutput } from './settle-output.ts';
import { type DroppedRows, RowFailure, type StepOutput } from './step-output.ts';
import { type ContextPlace, type TableInHand, layoutOfInput, withStepContext } from './step-context.ts';
import type { PreparedStep } from './transform.ts';

/** What steps run in. */
export interface StepPlace extends BindRun, ContextPlace {
  readonly store: Store;
  readonly holdoutVersion: string;
}

/** A step's own input: the table and how it is read. */
export interface StepInput {
  readonly ref: TableRef;
  readonly reader: TableReader;
  /** Layout of the table where the journal names none yet: that of a step just taken. */
  readonly layout?: Sha256Id;
  /** Where a row came from; asked only for errors and by code that wants to know. */
  readonly sourceOf?: ((position: number) => Promise<RowPlace | null>) | undefined;
  /** The table's set root, where it is known: rows in another order have the same. */
  readonly setRoot?: SetRoot | undefined;
}

/** What a step is run with. */
export interface StepRun extends StepPlace {
  readonly step: PreparedStep;
  readonly input: StepInput;
}

/** What a step came to. */
export interface StepResult extends EarlierRealisation {
  /** Of which rows of the inputs the rows were made; null where an earlier run was taken. */
  readonly origins: Origins | null;
  /** Whether an earlier realisation was taken. */
  readonly reused: boolean;
  /** What the person should know of the values that came out; nothing where an earlier run was taken. */
  readonly notes: readonly string[];
}

/**
 * Runs a step, or takes what an earlier run of the same derivation left, and stores derivation, realisation and
 * layout. The journal is the caller's: nothing refers to them before its entry does.
 * @throws HoldoutError as the step and the store do.
 */
export async function runStep(run: StepRun): Promise<StepResult> {
  const { store, step, input } = run;
  const state = await store.journal();
  const bound = await bindStep(run, step, input.ref);
  const id = recordId(bound.derivation);
  const earlier = await findRealisation(store, state, id);
  if (earlier !== null) return { ...earlier, origins: null, reused: true, notes: [] };
  const layoutId = layoutOfInput(state, input);
  const applied = await applyStep(run, bound, { ...input, layout: await readLayout(store, layoutId), layoutId });
  const realisation: RealisationRecord = {
    type: 'holdout/realisation@1',
    derivation: await store.putRecord(bound.derivation),
    output: applied.output,
    blobs: [],
    engine: {
      holdout: run.holdoutVersion,
      node: process.versions.node,
      duckdb: await run.engine.value<string>('SELECT version()'),
      unicode: process.versions['unicode'] ?? 'unknown',
    },
    counts: { ...applied.counts },
    ...(await originsEvidence(store, applied)),
    ...(applied.kind === 'columns' ? { kept: Object.fromEntries(applied.kept ?? []) } : {}),
    ...(await recordsEvidence(store, applied)),
  };
  const stored = {
    derivation: id,
    realisation: await store.putRecord(realisation),
    // What a step leaves as it was stays where it stands.
    layout: tableKey(applied.output) === tableKey(input.ref) ? layoutId : await knownOrNew(store, state, applied),
  };
  await store.rememberRealisation(stored);
  return {
    ...stored,
    output: realisation.output,
    counts: realisation.counts,
    kept: applied.kind === 'columns' ? applied.kept : null,
    origins: applied.origins,
    reused: false,
    notes: applied.notes,
  };
}

/** What a step gave. */
export interface AppliedStep extends SettledOutput {
  readonly kind: StepOutput['kind'];
  readonly counts: Readonly<Record<string, number>>;
  readonly dropped: DroppedRows | null;
  /** Where nobody knows of which rows its rows were made: why, where the step says. */
  readonly whyUnknown: string | null;
  readonly notes: readonly string[];
  /** What the step found; not stored yet. */
  readonly records: NonNullable<StepOutput['records']>;
  /** Rows of all inputs together: what `origins` count in. */
  readonly inputRows: number;
}

/**
 * Runs a bound step on a table. Of a selection nothing is stored; new values become parts of the store.
 * @throws HoldoutError as the step does; `INPUT_INVALID` with the row, its file and line for a row that it cannot take.
 */
export async function applyStep(
  place: ContextPlace,
  { step, others }: Pick<BoundStep, 'step' | 'others'>,
  input: TableInHand,
): Promise<AppliedStep> {
  return withStepContext(place, others, input, async (context, opened) => {
    const output = await step.run(context).catch(async (error: unknown) => {
      throw error instanceof RowFailure ? await atItsPlace(error, context.sourceOf) : error;
    });
    const settled = await settleOutput(
      {
        store: place.store,
        engine: place.engine,
        scratch: context.scratch,
        inputs: [input.reader, ...opened.map(({ reader }) => reader)],
        schemaId: input.ref.schema,
        setRoot: input.setRoot,
        layouts: [input.layout, ...opened.map(({ layout }) => layout)],
        layoutIds: [input, ...opened].flatMap(({ layoutId }) => layoutId ?? []),
      },
      output,
    );
    return {
      ...settled,
      kind: output.kind,
      counts: output.counts,
      dropped: output.dropped ?? null,
      whyUnknown: output.kind === 'table' ? (output.whyUnknown ?? null) : null,
      notes: output.notes ?? [],
      records: output.records ?? [],
      inputRows: opened.reduce((sum, { reader }) => sum + reader.rows, input.reader.rows),
    };
  });
}

async function atItsPlace(
  failure: RowFailure,
  sourceOf: (position: number) => Promise<RowPlace | null>,
): Promise<HoldoutError> {
  const source = await sourceOf(failure.position).catch(() => null);
  const row = `row ${(failure.position + 1).toLocaleString('en-US')}`;
  // A line is the error's place; a row of a file without lines can only be told.
  const [place, from] =
    source === null
      ? [{}, '']
      : source.line === null
        ? [{}, ` (${placeText(source)})`]
        : [{ file: source.file, line: source.line }, ''];
  return new HoldoutError('INPUT_INVALID', `${row}${from}: ${failure.message}`, {
    ...place,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    cause: failure,
  });
}

/** A table that the store has already is read as it was: a layout over lines gives files back in their spelling. */
async function knownOrNew(store: Store, state: JournalState, { output, layout }: AppliedStep): Promise<Sha256Id> {
  const known = state.layouts.get(tableKey(output));
  if (known !== undefined && (await store.checkFile('layout', known)) === 'ok') return known;
  return (await putLayout(store, layout)).id;
}

async function recordsEvidence(store: Store, { records }: AppliedStep): Promise<Pick<RealisationRecord, 'records'>> {
  const ids: Sha256Id[] = [];
  for (const record of records) ids.push(await store.putRecord(record));
  return ids.length === 0 ? {} : { records: ids };
}

/** A selection needs no evidence of its origins: its rows are those of the input. */
async function originsEvidence(
  store: Store,
  { kind, origins, whyUnknown, inputRows }: AppliedStep,
): Promise<Pick<RealisationRecord, 'origins' | 'whyUnknown'>> {
  if (kind === 'rows') return {};
  if (origins === 'unknown' && whyUnknown !== null) return { origins, whyUnknown };
  if (typeof origins === 'string') return { origins };
  const path = await store.tempPath('.origins');
  await writeScratch(path, encodeOrigins(origins, inputRows));
  return { origins: (await store.putFile('origins', path)).id };
}
