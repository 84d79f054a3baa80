/**
 * The lineage of a version as a graph: the steps that led to it, each with what was asked, what came out, and the steps
 * that gave the tables it read. A step that several others read stands in it once.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import {
  type DerivationRecord,
  type RealisationRecord,
  type TableRef,
  derivationRecord,
  realisationRecord,
} from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { type JournalState, type TableKey, type VersionEntry, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';

/** A table that a step read. */
export interface StepSource {
  readonly ref: TableRef;
  /** Index of the step that gave it. */
  readonly step: number;
}

/** One step of a lineage. */
export interface LineageStep {
  /** 0, 1, 2 …: each step stands after those that it reads. */
  readonly index: number;
  /** The version that the step made, or on whose way it was taken. */
  readonly entry: VersionEntry;
  /** Whether the step's output is that version; otherwise it has no name of its own. */
  readonly named: boolean;
  readonly derivation: DerivationRecord;
  readonly realisation: RealisationRecord;
  readonly ids: { readonly derivation: Sha256Id; readonly realisation: Sha256Id };
  /** The tables that it read, in the order in which its rows' origins are counted; none for a read step. */
  readonly inputs: readonly StepSource[];
}

/** Where a step stands: the entry, and its number among the entry's steps, the version's own the last. */
interface Place {
  readonly entry: VersionEntry;
  readonly index: number;
}

/** What is known of who gave which table, for one walk. */
interface Producers {
  /** Versions by the table that is theirs, oldest first. */
  readonly named: ReadonlyMap<TableKey, readonly VersionEntry[]>;
  readonly passed: ReadonlyMap<TableKey, readonly Place[]>;
  /** The place chosen for a table before, so that it is one node for all that read it. */
  readonly chosen: Map<TableKey, Place>;
}

/**
 * The steps that led to a version, read steps first, the version's own the last.
 * @throws HoldoutError STORE_CORRUPT when an input comes from nowhere.
 */
export async function lineageGraph(
  store: Store,
  state: JournalState,
  target: VersionEntry,
): Promise<readonly LineageStep[]> {
  return versionsGraph(store, state, [target]);
}

/**
 * The steps that led to any of these versions, each once, after those that it reads.
 * @throws HoldoutError STORE_CORRUPT when an input comes from nowhere.
 */
export async function versionsGraph(
  store: Store,
  state: JournalState,
  targets: readonly VersionEntry[],
): Promise<readonly LineageStep[]> {
  const producers = await producersOf(store, state);
  const steps: LineageStep[] = [];
  const done = new Map<string, number>();
  const visit = async (place: Place): Promise<number> => {
    const key = `${place.entry.seq} ${place.index}`;
    const known = done.get(key);
    if (known !== undefined) return known;
    const records = await recordsAt(store, place);
    const inputs: StepSource[] = [];
    const tables = await tablesOf(store, records.derivation);
    const read = await entriesRead(store, place);
    for (const [at, { ref, snapshot }] of tables.entries()) {
      inputs.push({ ref, step: await visit(producerOf(producers, { ref, snapshot, read: read[at] }, place)) });
    }
    const named = place.index === (place.entry.through?.length ?? 0);
    const index = steps.push({ index: steps.length, entry: place.entry, named, ...records, inputs }) - 1;
    done.set(key, index);
    return index;
  };
  for (const entry of targets) await visit({ entry, index: entry.through?.length ?? 0 });
  return steps;
}

/** Whether a derivation reads raw files. */
export function isReadStep({ inputs }: Pick<DerivationRecord, 'inputs'>): boolean {
  return inputs.every(({ kind }) => kind === 'file');
}

async function recordsAt(
  store: Store,
  { entry, index }: Place,
): Promise<Pick<LineageStep, 'derivation' | 'realisation' | 'ids'>> {
  const { derivation, realisation } = entry.through?.[index] ?? entry;
  return {
    derivation: await store.getRecord(derivation, derivationRecord),
    realisation: await store.getRecord(realisation, realisationRecord),
    ids: { derivation, realisation },
  };
}

interface TableOfInput {
  readonly ref: TableRef;
  /** The snapshot that the derivation names; null where it names the table. */
  readonly snapshot: Sha256Id | null;
}

/**
 * Numbers of the entries whose versions a step read, in the order of its tables; undefined where its entry does not say, or
 * the step before gave the table.
 */
async function entriesRead(store: Store, { entry, index }: Place): Promise<readonly (number | undefined)[]> {
  const { reads = [], through = [] } = entry;
  const [base, ...others] = reads;
  let first = 0;
  for (const { derivation } of through.slice(0, index)) {
    first += (await tablesOf(store, await store.getRecord(derivation, derivationRecord))).length - 1;
  }
  return [index === 0 ? base : undefined, ...others.slice(first)];
}

/** Tables that a derivation reads: named as such, or by a snapshot. Other records, such as leak reports, are no tables. */
async function tablesOf(store: Store, { inputs }: DerivationRecord): Promise<readonly TableOfInput[]> {
  const tables: TableOfInput[] = [];
  for (const input of inputs) {
    if (input.kind === 'table') tables.push({ ref: { table: input.table, schema: input.schema }, snapshot: null });
    else if (input.kind === 'record') {
      const record = await store.readRecord(input.record);
      if (!('type' in record) || record.type !== 'holdout/snapshot@1') continue;
      tables.push({ ref: { table: record.table, schema: record.schema }, snapshot: input.record });
    }
  }
  return tables;
}

async function producersOf(store: Store, { entries }: JournalState): Promise<Producers> {
  const named = new Map<TableKey, VersionEntry[]>();
  const passed = new Map<TableKey, Place[]>();
  for (const entry of entries) {
    if (entry.op !== 'version') continue;
    const { output } = await store.getRecord(entry.realisation, realisationRecord);
    push(named, tableKey(output), entry);
    for (const [index, step] of (entry.through ?? []).entries()) push(passed, tableKey(step), { entry, index });
  }
  return { named, passed, chosen: new Map() };
}

/**
 * The step before `reader` that gave this table: one on the way to the same version, else the version that its entry
 * names; of an entry that names none, a version before it, of the same name first, the newest first; a step on the way to
 * another version last.
 */
function producerOf(
  producers: Producers,
  { ref, snapshot, read }: TableOfInput & { readonly read: number | undefined },
  reader: Place,
): Place {
  const key = tableKey(ref);
  const passed = producers.passed.get(key) ?? [];
  const own = passed.findLast(({ entry, index }) => entry.seq === reader.entry.seq && index < reader.index);
  if (own !== undefined) return own;
  const named = producers.named.get(key) ?? [];
  const known = named.find(({ seq }) => seq === read);
  if (known !== undefined) return { entry: known, index: known.through?.length ?? 0 };
  const isBefore = ({ entry }: Pick<Place, 'entry'>): boolean => entry.seq < reader.entry.seq;
  const chosen = producers.chosen.get(key);
  if (chosen !== undefined && isBefore(chosen)) return chosen;
  const versions = named.filter((entry) => isBefore({ entry }));
  const version =
    versions.findLast((entry) => entry.snapshot === snapshot) ??
    versions.findLast((entry) => entry.name === reader.entry.name) ??
    versions.at(-1);
  const found =
    version === undefined ? passed.findLast(isBefore) : { entry: version, index: version.through?.length ?? 0 };
  if (found === undefined) {
    throw new HoldoutError('STORE_CORRUPT', `no version says where table ${ref.table} came from`);
  }
  producers.chosen.set(key, found);
  return found;
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
