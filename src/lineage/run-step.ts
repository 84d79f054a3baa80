/**
 * Runs a step once: the derivation says what was asked and is the cache key; a derivation that was realised before is
 * not run again.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import {
  type DerivationRecord,
  type RealisationRecord,
  type TableRef,
  realisationRecord,
} from '../../schemas/records.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { recordId } from '../identity/canonical-json.ts';
import { type JournalState, tableKey } from '../store/journal-state.ts';
import type { Store } from '../store/store.ts';
import { composeLayout } from '../tables/layout-builder.ts';
import type { Layout } from '../tables/layout.ts';
import { readLayout } from '../tables/stored-parts.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { putLayout } from '../tables/write-table.ts';
import { type TableIdentity, gatherDigests, identifyDigests } from './select-rows.ts';
import type { PreparedStep } from './transform.ts';

/** A step's one input: the table and how it is read. */
export interface StepInput {
  readonly ref: TableRef;
  readonly reader: TableReader;
  /** Layout of the table where the journal names none yet: that of a step just taken. */
  readonly layout?: Sha256Id;
}

/** What a step is run with. */
export interface StepRun {
  readonly store: Store;
  readonly engine: Engine;
  readonly holdoutVersion: string;
  readonly step: PreparedStep;
  readonly input: StepInput;
}

/** What a step came to. */
export interface StepResult {
  readonly derivation: Sha256Id;
  readonly realisation: Sha256Id;
  readonly output: RealisationRecord['output'];
  readonly counts: Readonly<Record<string, number>>;
  readonly layout: Sha256Id;
  /** Whether an earlier realisation was taken. */
  readonly reused: boolean;
}

/** The derivation of a step on an input. */
function deriveStep(step: PreparedStep, input: TableRef): DerivationRecord {
  return {
    type: 'holdout/derivation@1',
    transform: { name: step.name, version: step.version },
    params: step.params,
    seed: step.seed,
    inputs: [
      { kind: 'table', table: input.table, schema: input.schema },
      ...step.records.map((record) => ({ kind: 'record' as const, record })),
    ],
  };
}

/**
 * Runs a step, or takes what an earlier run of the same derivation left, and stores derivation, realisation and
 * layout. The journal is the caller's: nothing refers to them before its entry does.
 * @throws HoldoutError as the step and the store do.
 */
export async function runStep(run: StepRun): Promise<StepResult> {
  const { store, step, input } = run;
  const state = await store.journal();
  const derivation = deriveStep(step, input.ref);
  const id = recordId(derivation);
  const earlier = await findRealisation(store, state, id);
  if (earlier !== null) return earlier;
  const applied = await applyStep({ store, engine: run.engine }, step, {
    reader: input.reader,
    layout: await readLayout(store, layoutOfInput(state, input)),
  });
  const realisation: RealisationRecord = {
    type: 'holdout/realisation@1',
    derivation: await store.putRecord(derivation),
    output: { ...applied.identity, schema: input.ref.schema },
    blobs: [],
    engine: {
      holdout: run.holdoutVersion,
      node: process.versions.node,
      duckdb: await run.engine.value<string>('SELECT version()'),
      unicode: process.versions['unicode'] ?? 'unknown',
    },
    counts: { ...applied.counts },
  };
  return {
    derivation: id,
    realisation: await store.putRecord(realisation),
    output: realisation.output,
    counts: realisation.counts,
    layout: (await putLayout(store, applied.layout)).id,
    reused: false,
  };
}

/** A table in hand: how it is read, and where its rows stand. */
export interface TableInHand {
  readonly reader: TableReader;
  readonly layout: Layout;
}

/** What a step gave, before anything of it is kept. */
export interface AppliedStep {
  readonly identity: TableIdentity;
  readonly counts: Readonly<Record<string, number>>;
  readonly layout: Layout;
}

/**
 * Runs a step on a table; nothing is stored.
 * @throws HoldoutError as the step does.
 */
export async function applyStep(
  { store, engine }: Pick<StepRun, 'store' | 'engine'>,
  step: PreparedStep,
  { reader, layout }: TableInHand,
): Promise<AppliedStep> {
  const { keep, counts } = await step.run({
    input: reader,
    engine,
    record: (record, schema) => store.getRecord(record, schema),
  });
  const identity = identifyDigests(gatherDigests(await reader.digests(), keep));
  return { identity, counts, layout: composeLayout(layout, keep) };
}

/** The layout of a step's input. @throws HoldoutError `STORE_CORRUPT` when the store has lost it. */
export function layoutOfInput(state: JournalState, { ref, layout }: Pick<StepInput, 'ref' | 'layout'>): Sha256Id {
  const known = layout ?? state.layouts.get(tableKey(ref));
  if (known !== undefined) return known;
  throw new HoldoutError('STORE_CORRUPT', `the store names no layout for table ${ref.table}`, {
    hint: '`holdout verify` says what is damaged',
  });
}

/** What an earlier run of this derivation left, where its layout still stands. */
async function findRealisation(store: Store, state: JournalState, derivation: Sha256Id): Promise<StepResult | null> {
  for (const entry of state.entries.toReversed()) {
    if (entry.op !== 'version') continue;
    const found = [entry, ...(entry.through ?? [])].find((step) => step.derivation === derivation);
    if (found === undefined) continue;
    const { realisation } = found;
    const { output, counts } = await store.getRecord(realisation, realisationRecord);
    const layout = state.layouts.get(tableKey(output)) ?? found.layout;
    if ((await store.checkFile('layout', layout)) !== 'ok') continue;
    return { derivation, realisation, output, counts, layout, reused: true };
  }
  return null;
}
