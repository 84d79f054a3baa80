/**
 * Which step dropped a row, and by which rule: rows are followed forward, and a selecting step that let one go is run
 * again to hear why.
 * @module
 */
import type { TableRef } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { type JournalState, tableKey } from '../store/journal-state.ts';
import { Store } from '../store/store.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { boundTables } from './bind-step.ts';
import type { LineageStep } from './graph.ts';
import { type TableAccess, inputStarts, originsOf, rowAtAddress } from './row-origins.ts';
import { applyStep } from './run-step.ts';
import { type DroppedRows, noRow } from './step-output.ts';
import { type Transform, prepareAgain } from './transform.ts';

/** What following rows needs. */
export interface WhyRun extends TableAccess {
  readonly engine: Engine;
  readonly transforms: readonly Transform[];
  readonly threads: number;
}

/** What became of a row. */
export interface RowFate {
  /** Row of the table that was asked about, from 0. */
  readonly row: number;
  /** Rows of the last step that it is, or that were made of it. */
  readonly stays: readonly number[];
  /** Where it went, on each way through the lineage. */
  readonly dropped: readonly {
    /** Index of the step that let it go. */
    readonly step: number;
    /** Row of that step's input. */
    readonly row: number;
    /** The rule, as the step names it; null where it has but one or does not say. */
    readonly rule: string | null;
    /** Row of the same input that stays in its stead; null where there is none, or nobody says. */
    readonly stays: number | null;
  }[];
  /** Why the way of the row is not known further; null where all is known. */
  readonly unknown: string | null;
}

interface Following {
  readonly row: number;
  readonly stays: number[];
  readonly dropped: RowFate['dropped'][number][];
  unknown: string | null;
}

/** A row of a step's output that is, or was made of, one that is followed. */
interface Alive {
  readonly of: Following;
  readonly row: number;
}

/**
 * Follows rows of step `from` to the last step.
 * @throws HoldoutError as the steps and the store do
 */
export async function whyDropped(
  run: WhyRun,
  steps: readonly LineageStep[],
  from: number,
  rows: readonly number[],
): Promise<readonly RowFate[]> {
  const followed = rows.map((row): Following => ({ row, stays: [], dropped: [], unknown: null }));
  const alive = new Map<number, readonly Alive[]>([[from, followed.map((of) => ({ of, row: of.row }))]]);
  for (const step of steps.slice(from + 1)) {
    const here = step.inputs.flatMap(({ step: index }, input) =>
      (alive.get(index) ?? []).map((each) => ({ ...each, input })),
    );
    if (here.length === 0) continue;
    const passed = await passStep(run, steps, step, here);
    alive.set(step.index, passed);
  }
  for (const { of, row } of alive.get(steps.length - 1) ?? []) of.stays.push(row);
  return followed;
}

async function passStep(
  run: WhyRun,
  steps: readonly LineageStep[],
  step: LineageStep,
  here: readonly (Alive & { readonly input: number })[],
): Promise<readonly Alive[]> {
  const again = step.realisation.origins === undefined ? await selectAgain(run, step) : null;
  const origins = again === null ? await originsOf(run, step) : ({ kind: 'rows', of: again.origins } as const);
  if (origins.kind === 'unknown') {
    for (const { of } of here) of.unknown ??= origins.why;
    return [];
  }
  if (origins.kind === 'same') return here.filter(({ input }) => input === 0).map(({ of, row }) => ({ of, row }));
  const starts = inputStarts(steps, step);
  const wanted = new Map<string, Alive[]>();
  for (const each of here) {
    const key = `${each.input} ${each.row}`;
    wanted.set(key, [...(wanted.get(key) ?? []), each]);
  }
  const passed: Alive[] = [];
  const stayed = new Set<string>();
  for (const [row, address] of origins.of.entries()) {
    const at = address === noRow ? null : rowAtAddress(starts, address);
    const key = at === null ? '' : `${at.input} ${at.row}`;
    for (const { of } of wanted.get(key) ?? []) {
      passed.push({ of, row });
      stayed.add(key);
    }
  }
  for (const { of, row, input } of here) {
    // A selection drops rows of its first input only: the others it merely looks at.
    if (stayed.has(`${input} ${row}`) || (step.realisation.origins === undefined && input > 0)) continue;
    const dropped = input === 0 ? (again?.dropped ?? null) : null;
    const rule = input === 0 ? (ruleOf(dropped, row) ?? onlyRule(steps, step)) : null;
    of.dropped.push({ step: step.index, row, rule, stays: dropped?.insteadOf?.[row] ?? null });
  }
  return passed;
}

function ruleOf(dropped: DroppedRows | null, row: number): string | null {
  const number = dropped?.of[row] ?? 0;
  return dropped?.names[number - 1] ?? null;
}

/** The one count of a step that all rows went for, where it keeps no word of each. */
function onlyRule(steps: readonly LineageStep[], { realisation, inputs }: LineageStep): string | null {
  const gone = (steps[inputs[0]?.step ?? -1]?.realisation.output.rows ?? 0) - realisation.output.rows;
  const fitting = Object.entries(realisation.counts).filter(([, count]) => count === gone);
  return fitting.length === 1 ? fitting[0]![0] : null;
}

/**
 * Runs a selecting step on its recorded input in a scratch store; null where it cannot be run or gives other rows now:
 * then digests say which rows stayed, and nobody says why.
 */
async function selectAgain(
  run: WhyRun,
  step: LineageStep,
): Promise<{ readonly origins: Uint32Array; readonly dropped: DroppedRows | null } | null> {
  const prepared = preparedOrNull(run.transforms, step);
  const [input] = step.inputs;
  if (prepared === null || prepared.code !== null || input === undefined) return null;
  for (const { ref } of step.inputs) await (await run.open(ref)).close();
  const state = await run.store.journal();
  const scratch = await Store.scratchOver(run.store);
  const reader = await run.open(input.ref);
  try {
    const layout = await readLayout(scratch, layoutOf(state, input.ref));
    const others = await boundTables(scratch, step.derivation, prepared.datasets);
    const place = { store: scratch, engine: run.engine, threads: run.threads };
    const applied = await applyStep(place, { step: prepared, others }, { ref: input.ref, reader, layout });
    if (applied.output.table !== step.realisation.output.table || typeof applied.origins === 'string') return null;
    return { origins: applied.origins, dropped: applied.dropped };
  } finally {
    await reader.close();
    await scratch.close();
  }
}

function preparedOrNull(
  transforms: readonly Transform[],
  { derivation }: LineageStep,
): ReturnType<typeof prepareAgain> {
  try {
    return prepareAgain(transforms, derivation);
  } catch (error) {
    if (error instanceof HoldoutError) return null;
    throw error;
  }
}

function layoutOf({ layouts }: JournalState, ref: TableRef): NonNullable<ReturnType<JournalState['layouts']['get']>> {
  const id = layouts.get(tableKey(ref));
  if (id === undefined) throw new HoldoutError('NOT_FOUND', `the store has no rows of table ${ref.table}`);
  return id;
}
