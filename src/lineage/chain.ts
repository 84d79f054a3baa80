/**
 * The lineage of a version as a chain: from the read step to the version, each step with what was asked and what came
 * out.
 * @module
 */
import {
  type DerivationRecord,
  type RealisationRecord,
  type TableRef,
  derivationRecord,
  realisationRecord,
} from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import type { JournalState, VersionEntry } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';

/** One step of a lineage. */
export interface LineageStep {
  /** The version that the step made, or on whose way it was taken. */
  readonly entry: VersionEntry;
  /** Whether the step's output is that version; otherwise it has no name of its own. */
  readonly named: boolean;
  readonly derivation: DerivationRecord;
  readonly realisation: RealisationRecord;
}

/** Where a step stands: the entry, and its number among the entry's steps, the version's own the last. */
interface Place {
  readonly entry: VersionEntry;
  readonly index: number;
}

/**
 * Steps that led to a version, the read step first.
 * @throws HoldoutError STORE_CORRUPT when an input comes from nowhere.
 */
export async function lineageOf(store: Store, state: JournalState, target: VersionEntry): Promise<LineageStep[]> {
  const steps: LineageStep[] = [];
  let place: Place = { entry: target, index: target.through?.length ?? 0 };
  for (;;) {
    const step = await stepOf(store, place);
    steps.unshift(step);
    const input = tableInput(step.derivation);
    if (input === null) return steps;
    place = await producerOf(store, state, input, place);
  }
}

/** The table that a derivation reads, or null for a read step. */
export function tableInput(derivation: DerivationRecord): TableRef | null {
  const input = derivation.inputs.find((each) => each.kind === 'table');
  return input?.kind === 'table' ? { table: input.table, schema: input.schema } : null;
}

async function stepOf(store: Store, { entry, index }: Place): Promise<LineageStep> {
  const { derivation, realisation } = entry.through?.[index] ?? entry;
  return {
    entry,
    named: index === (entry.through?.length ?? 0),
    derivation: await store.getRecord(derivation, derivationRecord),
    realisation: await store.getRecord(realisation, realisationRecord),
  };
}

/**
 * The step before `reader` that gave this table: one on the way to the same version, else a version before it, of the
 * same name first, the newest first; a step on the way to another version last.
 */
async function producerOf(store: Store, state: JournalState, table: TableRef, reader: Place): Promise<Place> {
  const own = passedBefore(reader.entry, reader.index, table);
  if (own !== null) return own;
  const before = state.entries.filter((each) => each.op === 'version').filter((each) => each.seq < reader.entry.seq);
  const ordered = [
    ...before.filter((each) => each.name === reader.entry.name).toReversed(),
    ...before.filter((each) => each.name !== reader.entry.name).toReversed(),
  ];
  for (const entry of ordered) {
    const { output } = await store.getRecord(entry.realisation, realisationRecord);
    if (sameTable(output, table)) return { entry, index: entry.through?.length ?? 0 };
  }
  for (const entry of ordered) {
    const passed = passedBefore(entry, Infinity, table);
    if (passed !== null) return passed;
  }
  throw new HoldoutError('STORE_CORRUPT', `no version says where table ${table.table} came from`);
}

function passedBefore(entry: VersionEntry, end: number, table: TableRef): Place | null {
  const index = (entry.through ?? []).findLastIndex((step, at) => at < end && sameTable(step, table));
  return index < 0 ? null : { entry, index };
}

function sameTable(a: TableRef, b: TableRef): boolean {
  return a.table === b.table && a.schema === b.schema;
}
