/**
 * Traces rows of a version to the raw files that they came from: all of them at once, or a few with every step on the
 * way.
 * @module
 */
import type { Engine } from '../engine/engine.ts';
import { type JournalState, type VersionEntry, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { openTable, tableDigests } from '../tables/table-reader.ts';
import { type LineageStep, isReadStep, lineageGraph } from './graph.ts';
import { type BlobPlace, filesRead, placeOf } from './read-files.ts';
import { type TableAccess, inputStarts, originsOf, rowAtAddress } from './row-origins.ts';
import { groupAt } from './row-groups.ts';
import type { RowSource } from './row-source.ts';
import { noRow } from './step-output.ts';

/**
 * The lines that the rows of a version stood in. The answer is null for a row whose file has no known lines (arrays,
 * Parquet, unpacked text), and for one that a step made anew.
 * @throws HoldoutError as the store does.
 */
export async function traceRows(
  store: Store,
  engine: Engine,
  entry: VersionEntry,
): Promise<(row: number) => RowSource | null> {
  const locate = await tracePlaces(store, engine, entry);
  return (row) => {
    const { file, line = null } = locate(row) ?? {};
    return file === undefined || line === null ? null : { file, line };
  };
}

/**
 * Where the rows of a version stood. The answer is null for a row that a step made anew.
 * @throws HoldoutError as the store does.
 */
export async function tracePlaces(
  store: Store,
  engine: Engine,
  entry: VersionEntry,
): Promise<(row: number) => BlobPlace | null> {
  const state = await store.journal();
  const steps = await lineageGraph(store, state, entry);
  const access: TableAccess = {
    store,
    open: (ref) => openTable(store, engine, ref),
    digests: (ref) => tableDigests(store, ref),
  };
  const starts: number[] = [];
  const reads: { readonly start: number; readonly locate: (row: number) => BlobPlace | null }[] = [];
  let rawRows = 0;
  for (const step of steps) {
    starts.push(rawRows);
    if (!isReadStep(step.derivation)) continue;
    const files = await filesRead(store, step);
    reads.push({ start: rawRows, locate: (row) => placeOf(files, row) });
    rawRows += step.realisation.output.rows;
  }
  const lastUse = steps.map(
    (_, index) => steps.findLast(({ inputs }) => inputs.some(({ step }) => step === index))?.index,
  );
  const rawOf = new Map<number, RawRows>();
  for (const step of steps) {
    const own = isReadStep(step.derivation)
      ? (row: number): number => starts[step.index]! + row
      : isDropped(state, step)
        ? (): number => noRow
        : await rawRowsOf(access, steps, step, rawOf);
    rawOf.set(step.index, own);
    for (const index of rawOf.keys()) if (lastUse[index] === step.index) rawOf.delete(index);
  }
  const last = rawOf.get(steps.length - 1)!;
  return (row) => {
    const raw = last(row);
    const read = raw === noRow ? undefined : reads.findLast(({ start }) => start <= raw);
    return read === undefined ? null : read.locate(raw - read.start);
  };
}

/** Whether a table that tells of the step's rows was dropped; nothing is rebuilt for a trace that nobody asked for. */
function isDropped({ dropped }: JournalState, { inputs, realisation }: LineageStep): boolean {
  const tables = [realisation.output, ...inputs.map(({ ref }) => ref)];
  return realisation.origins === undefined && tables.some((ref) => dropped.has(tableKey(ref)));
}

/** The raw row of each row of a table, raw tables laid end to end; `noRow` where there is none. */
type RawRows = (row: number) => number;

async function rawRowsOf(
  access: TableAccess,
  steps: readonly LineageStep[],
  step: LineageStep,
  rawOf: ReadonlyMap<number, RawRows>,
): Promise<RawRows> {
  const origins = await originsOf(access, step);
  const before = step.inputs.map(({ step: index }) => rawOf.get(index)!);
  if (origins.kind === 'same') return before[0]!;
  if (origins.kind === 'unknown') return () => noRow;
  // A row made of many has no one place.
  if (!(origins.of instanceof Uint32Array)) return () => noRow;
  const starts = inputStarts(steps, step);
  // 4 bytes a row, whatever the number of steps before.
  const raw = origins.of.map((address): number => {
    const at = rowAtAddress(starts, address);
    return at === null ? noRow : before[at.input]!(at.row);
  });
  return (row) => raw[row] ?? noRow;
}

/** A row on its way back: it is row `row` (from 0) of what step `step` gave. */
export interface TracedHop {
  readonly step: number;
  readonly row: number;
}

/** The way of a row back, the version's own step first. */
export interface TracedRow {
  readonly row: number;
  readonly hops: readonly TracedHop[];
  /** Why the way ends before a raw file; null where it ends in one, the last hop being the read step, or in many rows. */
  readonly stops: string | null;
  /** The rows that the row of the last hop was made of, where it was made of any number of them; else null. */
  readonly madeOf: RowsBefore | null;
}

/** Rows that one row was made of. */
export interface RowsBefore {
  /** The first of them, each on its way back from the step before. */
  readonly rows: readonly TracedRow[];
  /** How many others there are. */
  readonly more: number;
}

interface Path extends TracedRow {
  readonly hops: TracedHop[];
  stops: string | null;
  madeOf: RowsBefore | null;
  /** Ways that it may part into. */
  readonly waysMax: number;
}

/**
 * Follows rows of the last step back, as far as what is recorded leads. Where a row was made of many, the way parts:
 * into at most `waysMax` for each row that is asked for.
 * @throws HoldoutError as the store does.
 */
export async function traceBack(
  access: TableAccess,
  steps: readonly LineageStep[],
  rows: readonly number[],
  waysMax: number,
): Promise<readonly TracedRow[]> {
  const asked = rows.map((row) => startPath({ step: steps.length - 1, row }, waysMax));
  const paths = [...asked];
  for (const step of steps.toReversed()) {
    const here = paths.filter(({ hops, stops, madeOf }) => {
      return stops === null && madeOf === null && hops.at(-1)!.step === step.index;
    });
    if (here.length === 0 || isReadStep(step.derivation)) continue;
    const origins = await originsOf(access, step);
    const of = origins.kind === 'rows' ? origins.of : null;
    const starts = inputStarts(steps, step);
    const hopTo = (address: number): TracedHop | null => {
      const at = rowAtAddress(starts, address);
      return at === null ? null : { step: step.inputs[at.input]!.step, row: at.row };
    };
    for (const path of here) {
      const { row } = path.hops.at(-1)!;
      if (origins.kind === 'unknown') {
        path.stops = origins.why;
      } else if (of === null || of instanceof Uint32Array) {
        const hop = hopTo(of === null ? row : (of[row] ?? noRow));
        if (hop === null) path.stops = madeOfNone(step);
        else path.hops.push(hop);
      } else {
        const group = groupAt(of, row);
        const hops = Array.from(group.subarray(0, path.waysMax)).flatMap((address) => hopTo(address) ?? []);
        const ways = Math.max(1, Math.floor(path.waysMax / Math.max(1, hops.length)));
        const before = hops.map((hop) => startPath(hop, ways));
        paths.push(...before);
        if (before.length === 0) path.stops = madeOfNone(step);
        else path.madeOf = { rows: before, more: group.length - before.length };
      }
    }
  }
  return asked;
}

function startPath(hop: TracedHop, waysMax: number): Path {
  return { row: hop.row, hops: [hop], stops: null, madeOf: null, waysMax };
}

function madeOfNone({ derivation }: LineageStep): string {
  return `${derivation.transform.name} made this row of no row before it`;
}
