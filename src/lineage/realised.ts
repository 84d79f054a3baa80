/**
 * Whether a derivation was realised before: what it came to then is taken instead of a run.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import { type RealisationRecord, realisationRecord } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { type JournalState, tableKey } from '../store/journal-state.ts';
import type { Realised } from '../store/realised-cache.ts';
import type { Store } from '../store/store.ts';

/** What a derivation came to, with a layout that still stands. */
export interface EarlierRealisation {
  readonly derivation: Sha256Id;
  readonly realisation: Sha256Id;
  readonly output: RealisationRecord['output'];
  readonly counts: Readonly<Record<string, number>>;
  readonly layout: Sha256Id;
  /** Output column → input column where the step mapped columns; null where it did not. */
  readonly kept: ReadonlyMap<string, string> | null;
}

/** What a derivation came to, its rows kept or dropped. */
export interface KnownOutcome extends Omit<EarlierRealisation, 'layout' | 'kept'> {
  /** Null where the rows were dropped. */
  readonly layout: Sha256Id | null;
}

/** What an earlier run of this derivation left, where its layout still stands; else null. */
export async function findRealisation(
  store: Store,
  state: JournalState,
  derivation: Sha256Id,
): Promise<EarlierRealisation | null> {
  for await (const found of realisations(store, state, derivation)) {
    const earlier = await standing(store, state, found);
    if (earlier !== null) return earlier;
  }
  return null;
}

/**
 * What a derivation came to in an earlier run, where its rows still stand or were dropped: reading makes those again.
 * Else null.
 */
export async function knownOutcome(
  store: Store,
  state: JournalState,
  derivation: Sha256Id,
): Promise<KnownOutcome | null> {
  const earlier = await findRealisation(store, state, derivation);
  if (earlier !== null || state.dropped.size === 0) return earlier;
  for await (const { realisation } of realisations(store, state, derivation)) {
    const record = await recordOf(store, realisation);
    if (record === null || !state.dropped.has(tableKey(record.output))) continue;
    const { output, counts } = record;
    return { derivation, realisation, output, counts, layout: null };
  }
  return null;
}

/** One of an entry without rows of its own names no layout. */
type Found = Omit<Realised, 'layout'> & { readonly layout?: Sha256Id | undefined };

/** Realisations of a derivation: those that the journal names, the newest first, then the one that the cache does. */
async function* realisations(store: Store, state: JournalState, derivation: Sha256Id): AsyncGenerator<Found> {
  for (const entry of state.entries.toReversed()) {
    if (entry.op !== 'version') continue;
    const found = [entry, ...(entry.through ?? [])].find((step) => step.derivation === derivation);
    if (found !== undefined) yield found;
  }
  const cached = await store.knownRealisation(derivation);
  if (cached !== null) yield cached;
}

async function standing(store: Store, state: JournalState, found: Found): Promise<EarlierRealisation | null> {
  const { derivation, realisation } = found;
  const record = await recordOf(store, realisation);
  if (record === null) return null;
  const { output, counts, kept } = record;
  const layout = state.layouts.get(tableKey(output)) ?? found.layout;
  if (layout === undefined || (await store.checkFile('layout', layout)) !== 'ok') return null;
  const renamed = kept === undefined ? null : new Map(Object.entries(kept));
  return { derivation, realisation, output, counts, layout, kept: renamed };
}

/** Null where the store has it no more: only the cache named it. */
async function recordOf(store: Store, realisation: Sha256Id): Promise<RealisationRecord | null> {
  try {
    return await store.getRecord(realisation, realisationRecord);
  } catch (error) {
    if (error instanceof HoldoutError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
