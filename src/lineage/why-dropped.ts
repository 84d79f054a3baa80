/**
 * Which step dropped a row, and by which rule: rows are followed forward, a selecting step that let one go is run again to
 * see which of equal rows that was, and the step is asked why.
 * @module
 */
import type { TableRef } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { Store } from '../store/store.ts';
import { readLayout } from '../tables/stored-parts.ts';
import { type BoundTable, boundTables } from './bind-step.ts';
import { shortStepName } from './find-step.ts';
import type { LineageStep } from './graph.ts';
import { type TableAccess, inputStarts, originsOf, rowAtAddress } from './row-origins.ts';
import { type RowGroups, eachAddress } from './row-groups.ts';
import { applyStep } from './run-step.ts';
import { setBit } from './row-values.ts';
import { type ContextPlace, type TableInHand, layoutOfInput, withStepContext } from './step-context.ts';
import { type DroppedRows, noRow } from './step-output.ts';
import { type PreparedStep, type Transform, preparedOrNull } from './transform.ts';

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
    /** The rule, as the step counts it; null where it has but one or does not say. */
    readonly rule: string | null;
    /** Why, in words that end no sentence; null where nobody can know. */
    readonly why: string | null;
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

/** Tables that following a row of step `from` to the end reads for sure, as no file says of which rows a step made its own. */
export function tablesFollowed(steps: readonly LineageStep[], from: number): readonly TableRef[] {
  const reached = new Set([from]);
  const tables: TableRef[] = [];
  for (const step of steps.slice(from + 1)) {
    if (!step.inputs.some((input) => reached.has(input.step))) continue;
    reached.add(step.index);
    if (step.realisation.origins !== undefined) continue;
    tables.push(...step.inputs.map(({ ref }) => ref));
    // Code of the person's own is not run again: digests say which rows stayed.
    if (step.derivation.code !== undefined) tables.push(step.realisation.output);
  }
  return tables;
}

async function passStep(
  run: WhyRun,
  steps: readonly LineageStep[],
  step: LineageStep,
  here: readonly Gone[],
): Promise<readonly Alive[]> {
  const again = step.realisation.origins === undefined ? await selectAgain(run, step) : null;
  const origins = again === null ? await originsOf(run, step) : ({ kind: 'rows', of: again.origins } as const);
  if (origins.kind === 'unknown') {
    for (const { of } of here) of.unknown ??= origins.why;
    return [];
  }
  if (origins.kind === 'same') {
    for (const { of, input } of here) if (input > 0) of.unknown ??= valuesTaken(step);
    return here.filter(({ input }) => input === 0).map(({ of, row }) => ({ of, row }));
  }
  const starts = inputStarts(steps, step);
  const wanted = new Map<string, Alive[]>();
  for (const each of here) {
    const key = `${each.input} ${each.row}`;
    wanted.set(key, [...(wanted.get(key) ?? []), each]);
  }
  const passed: Alive[] = [];
  const stayed = new Set<string>();
  eachAddress(origins.of, (row, address) => {
    const at = address === noRow ? null : rowAtAddress(starts, address);
    const key = at === null ? '' : `${at.input} ${at.row}`;
    for (const { of } of wanted.get(key) ?? []) {
      passed.push({ of, row });
      stayed.add(key);
    }
  });
  const gone: Gone[] = [];
  for (const { of, row, input } of here) {
    // A selection drops rows of its first input only: the others it merely looks at.
    if (stayed.has(`${input} ${row}`) || (step.realisation.origins === undefined && input > 0)) continue;
    if (step.realisation.kept !== undefined && input > 0) {
      of.unknown ??= valuesTaken(step);
      continue;
    }
    gone.push({ of, row, input });
  }
  const says = await whyGone(run, step, gone, stayingRows(origins.of, starts));
  for (const { of, row, input } of gone) {
    const dropped = input === 0 ? (again?.dropped ?? null) : null;
    const rule = input === 0 ? (ruleOf(dropped, row) ?? onlyRule(steps, step)) : null;
    const why = says.get(`${input} ${row}`) ?? null;
    of.dropped.push({ step: step.index, row, rule, why, stays: dropped?.insteadOf?.[row] ?? null });
  }
  return passed;
}

type Gone = Alive & { readonly input: number };

/** A mapping makes its rows of those of its first input, whatever it takes from others. */
function valuesTaken({ derivation }: LineageStep): string {
  return `${shortStepName(derivation.transform.name)} takes values of it, and keeps no word of the rows that got them`;
}

/** Whether a row of the step's first input stays, or something was made of it. */
function stayingRows(origins: Uint32Array | RowGroups, starts: readonly number[]): (row: number) => boolean {
  const rows = starts[1] ?? 0;
  const bitmap = new Uint8Array(Math.ceil(rows / 8));
  eachAddress(origins, (_, address) => {
    if (address < rows) setBit(bitmap, address);
  });
  return (row) => ((bitmap[row >>> 3]! >>> (row & 7)) & 1) === 1;
}

/** What the step says of rows that it let go, by `input row`. */
async function whyGone(
  run: WhyRun,
  step: LineageStep,
  gone: readonly Gone[],
  stays: (row: number) => boolean,
): Promise<ReadonlyMap<string, string | null>> {
  const says = new Map<string, string | null>();
  const prepared = preparedOrNull(run.transforms, step.derivation);
  if (gone.length === 0 || prepared === null || prepared.whyGone === null) return says;
  await onItsInputs(run, step, prepared, async (place, others, input) => {
    for (const index of new Set(gone.map((each) => each.input))) {
      const rows = [...new Set(gone.filter((each) => each.input === index).map(({ row }) => row))];
      const asked = { rows, input: index, stays, realisation: step.realisation };
      const told = await withStepContext(place, others, input, (context) => prepared.whyGone!(context, asked));
      for (const [at, row] of rows.entries()) says.set(`${index} ${row}`, told[at] ?? null);
    }
  });
  return says;
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
): Promise<{ readonly origins: Uint32Array | RowGroups; readonly dropped: DroppedRows | null } | null> {
  const prepared = preparedOrNull(run.transforms, step.derivation);
  if (prepared === null || prepared.code !== null || step.inputs.length === 0) return null;
  return onItsInputs(run, step, prepared, async (place, others, input) => {
    const applied = await applyStep(place, { step: prepared, others }, input);
    if (applied.output.table !== step.realisation.output.table || typeof applied.origins === 'string') return null;
    return { origins: applied.origins, dropped: applied.dropped };
  });
}

/** Opens the recorded inputs of a step over a scratch store. */
async function onItsInputs<T>(
  run: WhyRun,
  step: LineageStep,
  prepared: PreparedStep,
  work: (place: ContextPlace, others: readonly BoundTable[], input: TableInHand) => Promise<T>,
): Promise<T> {
  for (const { ref } of step.inputs) await (await run.open(ref)).close();
  const state = await run.store.journal();
  const scratch = await Store.scratchOver(run.store);
  const { ref } = step.inputs[0]!;
  const reader = await run.open(ref);
  try {
    const layout = await readLayout(scratch, layoutOfInput(state, { ref }));
    const others = await boundTables(scratch, step.derivation, prepared.datasets);
    const place = { store: scratch, engine: run.engine, threads: run.threads };
    return await work(place, others, { ref, reader, layout });
  } finally {
    await reader.close();
    await scratch.close();
  }
}
