/**
 * Makes a step's output the next version of a dataset.
 * @module
 */
import type { SetRoot, Sha256Id } from '../../schemas/ids.ts';
import { type SnapshotRecord, type TableRef, snapshotRecord } from '../../schemas/records.ts';
import { recordId } from '../identity/canonical-json.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import { type StepResult, type StepRun, runStep } from './run-step.ts';

/** A step whose output becomes the next version of `base.name`. */
export interface VersionRun extends StepRun {
  /** The version that the step reads. */
  readonly base: VersionEntry;
  readonly now: Date;
  /** Root of the items in the output; asked only where the base has key fields. */
  readonly itemsRootOf: (output: TableRef, layout: Sha256Id, base: SnapshotRecord) => Promise<SetRoot | null>;
}

/** The version that a step made, or found. */
export interface DerivedVersion {
  readonly name: string;
  readonly version: number;
  readonly snapshot: Sha256Id;
  readonly record: SnapshotRecord;
  readonly step: StepResult;
  /** False when the newest version holds this content already. */
  readonly isNew: boolean;
}

/**
 * Runs a step and journals its output as the next version. Equal content makes none.
 * @throws HoldoutError as the step and the store do.
 */
export async function deriveVersion(run: VersionRun): Promise<DerivedVersion> {
  const { store, base } = run;
  const before = await store.getRecord(base.snapshot, snapshotRecord);
  const step = await runStep(run);
  const { output } = step;
  const itemsRoot = before.itemsRoot === null ? null : await run.itemsRootOf(output, step.layout, before);
  const record: SnapshotRecord = { ...before, ...output, itemsRoot };
  const snapshot = recordId(record);
  const newest = (await store.journal()).names.get(base.name)?.at(-1);
  if (newest !== undefined && newest.snapshot === snapshot) {
    return { name: base.name, version: newest.version, snapshot, record, step, isNew: false };
  }
  await store.putRecord(record);
  const entry = await store.commit((state) => {
    const versions = state.names.get(base.name) ?? [];
    if (versions.at(-1)?.snapshot === snapshot) return null;
    return {
      op: 'version',
      name: base.name,
      version: versions.length + 1,
      snapshot,
      derivation: step.derivation,
      realisation: step.realisation,
      layout: step.layout,
      sources: [],
    };
  }, run.now);
  const version = entry?.op === 'version' ? entry.version : ((await store.journal()).names.get(base.name)?.length ?? 1);
  return { name: base.name, version, snapshot, record, step, isNew: entry !== null };
}
