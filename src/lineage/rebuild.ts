/**
 * Dropping a derived version and making it again: its rows go, its records stay; whoever reads it has it rebuilt and
 * checked against its id.
 * @module
 */
import { type TableRef, realisationRecord, snapshotRecord } from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { rawTables } from '../snapshots/raw-tables.ts';
import { type TableKey, type VersionEntry, tableKey } from '../store/journal-state.ts';
import { Store } from '../store/store.ts';
import { putLayout } from '../tables/write-table.ts';
import { isVouchedFor } from './code-identity.ts';
import { versionName } from './describe-step.ts';
import { shortStepName } from './find-step.ts';
import { type LineageStep, isReadStep, lineageGraph } from './graph.ts';
import { type AttemptRun, type Given, attemptStep, recordedTable } from './reproduce-step.ts';
import { identifyDigests } from './select-rows.ts';
import { sameRowsAs } from './table-holders.ts';
import { type Transform, prepareAgain } from './transform.ts';

/** What rebuilding needs. */
export interface RebuildRun {
  readonly store: Store;
  /** Able to read the store and to read and write its temporary folder. */
  readonly engine: Engine;
  readonly transforms: readonly Transform[];
  readonly threads: number;
  readonly now: Date;
  /** Whether a replay before a drop may run the person's own code. Reading never does. */
  readonly runCode?: boolean | undefined;
  /** Called before a dropped table is made again. */
  readonly onRebuild?: (() => void) | undefined;
}

/**
 * Makes a dropped table again, and the dropped ones that it is made of, and puts them back.
 * @param entry the version that is meant, or one that is made of it: several may hold the table
 * @returns whether there was anything to do
 * @throws HoldoutError `STORE_CORRUPT` when it cannot be made, or another table comes out; `CONFLICT` when that takes
 * code of the person's own
 */
export async function rebuildDropped(run: RebuildRun, ref: TableRef, entry?: VersionEntry): Promise<boolean> {
  if (!(await run.store.journal()).dropped.has(tableKey(ref))) return false;
  const steps = await lineageOf(run.store, ref, entry);
  refuseCode(run.transforms, steps, (await run.store.journal()).dropped, [ref]);
  run.onRebuild?.();
  return rebuildFrom(run, steps, ref);
}

/**
 * Refuses a version whose rows reading does not make again.
 * @throws HoldoutError `CONFLICT` where its rows were dropped, and code of the person's own makes them
 */
export async function assertReadable(
  store: Store,
  transforms: readonly Transform[],
  entry: VersionEntry,
): Promise<void> {
  const { dropped } = await store.journal();
  if (dropped.size === 0) return;
  const ref = await store.getRecord(entry.snapshot, snapshotRecord);
  if (dropped.has(tableKey(ref))) refuseCode(transforms, await lineageOf(store, ref, entry), dropped, [ref]);
}

/**
 * Of a table the version whose step runs code of the person's own, of those that would have to run to make it again were
 * `dropped` the tables without rows: the first of them. Null where reading makes it, or has it.
 * @param entry the version that is meant, as for `rebuildDropped`
 */
export async function codeBefore(
  store: Store,
  transforms: readonly Transform[],
  ref: TableRef,
  entry?: VersionEntry,
): Promise<(dropped: ReadonlySet<TableKey>) => VersionEntry | null> {
  const steps = await lineageOf(store, ref, entry);
  return (dropped) => ownCodeStep(transforms, steps, dropped, ref)?.entry ?? null;
}

async function rebuildFrom(run: RebuildRun, steps: readonly LineageStep[], ref: TableRef): Promise<boolean> {
  const { store, engine, threads, now } = run;
  if (!(await store.journal()).dropped.has(tableKey(ref))) return false;
  // The first that gives it: a later one may have been given this very table, and would wait for itself.
  const step = steps.find((each) => keyOf(each) === tableKey(ref))!;
  for (const input of step.inputs) await rebuildFrom(run, steps, input.ref);
  const given = await recordedInputs(run, step);
  try {
    const state = await store.journal();
    const attempt = await attemptStep(await attemptRun(run), { store, engine, threads }, state, step, given);
    if ('cannot' in attempt) throw cannotRebuild(step, attempt.cannot);
    given.set(step.index, attempt.given);
    await assertSame(step, attempt.given);
    const { id } = await putLayout(store, attempt.given.layout);
    const { table, schema } = ref;
    await store.commit(
      (latest) => (latest.dropped.has(tableKey(ref)) ? { op: 'layout', table, schema, layout: id } : null),
      now,
    );
    return true;
  } finally {
    for (const { reader } of given.values()) await reader.close();
  }
}

/** Tables that a drop of a version frees: its own, and those of steps on the way to it. */
export interface DropPlan {
  readonly tables: readonly TableRef[];
  /** Whether the person's own code makes one of them, so that reading does not. */
  readonly code: boolean;
}

/**
 * Says what a drop would free, after every step of it was run again in a scratch store with the same ids.
 * @throws HoldoutError `CONFLICT` with the reason where the version could not be rebuilt
 */
export async function planDrop(run: RebuildRun, entry: VersionEntry): Promise<DropPlan> {
  const { store, engine, threads } = run;
  const state = await store.journal();
  const steps = await lineageGraph(store, state, entry);
  const own = steps.filter((step) => step.entry.seq === entry.seq);
  const last = own.at(-1)!;
  const name = `${entry.name}@${entry.version}`;
  const refuse = (why: string, hint?: string): HoldoutError =>
    new HoldoutError('CONFLICT', `${name} is not dropped: ${why}`, hint === undefined ? {} : { hint });
  if (state.dropped.has(keyOf(last))) {
    const others = await sameRowsAs(store, entry, [last.realisation.output]);
    const names = others.map((each) => `${each.name}@${each.version}`).join(', ');
    const [hold, were] = others.length === 1 ? ['holds', 'was'] : ['hold', 'were'];
    const which = names === '' ? '' : `; ${names} ${hold} the same rows, and ${were} dropped with it`;
    throw refuse(`it is dropped already${which}`);
  }
  const others = new Map(steps.filter((each) => each.entry.seq !== entry.seq).map((each) => [keyOf(each), each]));
  const held = others.get(keyOf(last));
  if (held !== undefined) throw refuse(`its rows are those of ${versionName(held) ?? 'a step before it'}, stored once`);
  const raw = await rawTables(store);
  if (raw.has(keyOf(last))) throw refuse('its rows are the only copy of a raw file');
  for (const step of own) {
    const why = whyNot(run.transforms, step);
    if (why !== null) throw refuse(why);
    const code = whyNotCode(run, step);
    if (code !== null) throw refuse(code.why, code.hint);
    for (const { ref, step: index } of step.inputs) {
      if (!state.dropped.has(tableKey(ref))) continue;
      const before = versionName(steps[index]!) ?? 'what it is made of';
      throw refuse(`${before} is dropped, and it is made of that`, 'drop a version before those that it is made of');
    }
  }
  const scratch = await Store.scratchOver(store);
  const given = new Map<number, Given>();
  try {
    for (const step of own) {
      for (const input of step.inputs) {
        if (!given.has(input.step)) given.set(input.step, await recordedTable({ store, engine }, state, input.ref));
      }
      const replay = { ...(await attemptRun(run)), runCode: run.runCode === true };
      const attempt = await attemptStep(replay, { store: scratch, engine, threads }, state, step, given);
      if ('cannot' in attempt) throw refuse(attempt.cannot);
      given.set(step.index, attempt.given);
      try {
        await assertSame(step, attempt.given);
      } catch (cause) {
        if (!(cause instanceof HoldoutError)) throw cause;
        throw refuse(cause.message, `\`holdout reproduce ${name}\` shows what differs`);
      }
    }
  } finally {
    for (const { reader } of given.values()) await reader.close();
    await scratch.close();
  }
  const free = own.filter((step) => !others.has(keyOf(step)) && !raw.has(keyOf(step)));
  const tables = new Map(free.map((step) => [keyOf(step), step.realisation.output]));
  const code = own.some((step) => runsCode(run.transforms, step));
  return { tables: [...tables.values()].map(({ table, schema }) => ({ table, schema })), code };
}

/** Journals a drop. The rows go when the store is swept. @throws HoldoutError as the store does */
export async function executeDrop({ store, now }: RebuildRun, { tables }: Pick<DropPlan, 'tables'>): Promise<void> {
  for (const ref of tables) {
    await store.commit((state) => (state.layouts.has(tableKey(ref)) ? { op: 'drop', ...ref } : null), now);
  }
}

/** Why a step could not be run again by whoever reads its output; null where it could. */
function whyNot(transforms: readonly Transform[], step: LineageStep): string | null {
  const { name, version } = step.derivation.transform;
  if (isReadStep(step.derivation)) return 'it was read from files, and its rows are what the store keeps of them';
  const prepared = prepareAgain(transforms, step.derivation);
  if (prepared === null) return `this Holdout has no ${name} version ${version}`;
  if (prepared.determinism === 'declared-not') return `${shortStepName(name)} is declared not deterministic`;
  return null;
}

/** The same for the person's own code: it must be known as a whole, and may run only when they say so. */
function whyNotCode({ transforms, runCode }: RebuildRun, step: LineageStep): { why: string; hint: string } | null {
  if (!runsCode(transforms, step)) return null;
  const name = shortStepName(step.derivation.transform.name);
  if (!isVouchedFor(step.derivation.code)) {
    const hint = 'a command needs `fingerprint`, a module must import nothing that its identity does not cover';
    return { why: `nothing vouches for the code that ${name} runs`, hint };
  }
  if (runCode === true) return null;
  const hint = '--run-code lets it run now; whoever wants the rows later must let it run again';
  return { why: `${name} runs code of your own, which reading must not`, hint };
}

function runsCode(transforms: readonly Transform[], { derivation }: LineageStep): boolean {
  return !isReadStep(derivation) && (prepareAgain(transforms, derivation)?.code ?? null) !== null;
}

/**
 * Refuses tables of a lineage that were dropped where code of the person's own makes them, or what they are made of.
 * @throws HoldoutError `CONFLICT` with the way back
 */
export function refuseCode(
  transforms: readonly Transform[],
  steps: readonly LineageStep[],
  dropped: ReadonlySet<TableKey>,
  refs: readonly TableRef[],
): void {
  for (const ref of refs) {
    const step = ownCodeStep(transforms, steps, dropped, ref);
    if (step === null) continue;
    const version = `${step.entry.name}@${step.entry.version}`;
    throw new HoldoutError(
      'CONFLICT',
      `${version} was dropped, and code of your own makes it: reading does not run that`,
      {
        hint: `\`holdout reproduce ${version} --run-code --restore\` runs it and puts the rows back`,
      },
    );
  }
}

/** The first step with code of the person's own that must run to make a table again. */
function ownCodeStep(
  transforms: readonly Transform[],
  steps: readonly LineageStep[],
  dropped: ReadonlySet<TableKey>,
  ref: TableRef,
): LineageStep | null {
  if (!dropped.has(tableKey(ref))) return null;
  const step = steps.find((each) => keyOf(each) === tableKey(ref))!;
  for (const input of step.inputs) {
    const before = ownCodeStep(transforms, steps, dropped, input.ref);
    if (before !== null) return before;
  }
  return runsCode(transforms, step) ? step : null;
}

/**
 * Steps that give the table, each behind those that it reads: those of the version that is meant, else of the newest one
 * whose own steps give it.
 */
async function lineageOf(store: Store, ref: TableRef, meant?: VersionEntry): Promise<readonly LineageStep[]> {
  const state = await store.journal();
  const steps = meant === undefined ? [] : await lineageGraph(store, state, meant);
  if (steps.some((step) => keyOf(step) === tableKey(ref))) return steps;
  for (const entry of state.entries.toReversed()) {
    if (entry.op !== 'version') continue;
    const { output } = await store.getRecord(entry.realisation, realisationRecord);
    if (![output, ...(entry.through ?? [])].some((each) => tableKey(each) === tableKey(ref))) continue;
    return lineageGraph(store, state, entry);
  }
  throw new HoldoutError('STORE_CORRUPT', `no version says where table ${ref.table} came from`);
}

async function recordedInputs({ store, engine }: RebuildRun, { inputs }: LineageStep): Promise<Map<number, Given>> {
  const state = await store.journal();
  const given = new Map<number, Given>();
  for (const { ref, step } of inputs) given.set(step, await recordedTable({ store, engine }, state, ref));
  return given;
}

async function attemptRun(run: RebuildRun): Promise<AttemptRun> {
  const { store, engine, transforms, threads } = run;
  return { store, engine, transforms, threads, raw: { files: [] }, workDirectory: await store.tempDirectory() };
}

async function assertSame(step: LineageStep, { ref, reader }: Given): Promise<void> {
  const { output } = step.realisation;
  const { table } = identifyDigests(await reader.digests());
  if (table !== output.table || ref.schema !== output.schema) throw cannotRebuild(step, `${table} came out`);
}

function cannotRebuild({ realisation, derivation }: LineageStep, why: string): HoldoutError {
  const { name } = derivation.transform;
  return new HoldoutError('STORE_CORRUPT', `${name} does not give ${realisation.output.table} again: ${why}`);
}

function keyOf({ realisation }: LineageStep): TableKey {
  return tableKey(realisation.output);
}
