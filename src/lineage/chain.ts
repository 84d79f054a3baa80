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
  readonly entry: VersionEntry;
  readonly derivation: DerivationRecord;
  readonly realisation: RealisationRecord;
}

/**
 * Steps that led to a version, the read step first.
 * @throws HoldoutError STORE_CORRUPT when an input comes from nowhere.
 */
export async function lineageOf(store: Store, state: JournalState, target: VersionEntry): Promise<LineageStep[]> {
  const steps: LineageStep[] = [];
  let entry = target;
  for (;;) {
    const step = await stepOf(store, entry);
    steps.unshift(step);
    const input = tableInput(step.derivation);
    if (input === null) return steps;
    entry = await producerOf(store, state, input, entry);
  }
}

/** The table that a derivation reads, or null for a read step. */
export function tableInput(derivation: DerivationRecord): TableRef | null {
  const input = derivation.inputs.find((each) => each.kind === 'table');
  return input?.kind === 'table' ? { table: input.table, schema: input.schema } : null;
}

async function stepOf(store: Store, entry: VersionEntry): Promise<LineageStep> {
  return {
    entry,
    derivation: await store.getRecord(entry.derivation, derivationRecord),
    realisation: await store.getRecord(entry.realisation, realisationRecord),
  };
}

/** The version before `reader` that holds this table; one of the same name first, the newest first. */
async function producerOf(
  store: Store,
  state: JournalState,
  table: TableRef,
  reader: VersionEntry,
): Promise<VersionEntry> {
  const before = state.entries.filter((each) => each.op === 'version').filter((each) => each.seq < reader.seq);
  const ordered = [
    ...before.filter((each) => each.name === reader.name).toReversed(),
    ...before.filter((each) => each.name !== reader.name).toReversed(),
  ];
  for (const entry of ordered) {
    const { output } = await store.getRecord(entry.realisation, realisationRecord);
    if (output.table === table.table && output.schema === table.schema) return entry;
  }
  throw new HoldoutError('STORE_CORRUPT', `no version says where table ${table.table} came from`);
}
