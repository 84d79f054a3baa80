/**
 * Makes a step's output the next version of a dataset.
 * @module
 */
import type { SetRoot, Sha256Id } from '../../schemas/ids.ts';
import { type PassedStep, type SnapshotRecord, type TableRef, snapshotRecord } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import { recordId } from '../identity/canonical-json.ts';
import { sameOrigin } from '../snapshots/same-rows.ts';
import { writtenFolder } from '../snapshots/source-paths.ts';
import type { VersionEntry } from '../store/journal-state.ts';
import { fieldsAfter } from './fields-after.ts';
import { type StepResult, type StepRun, runStep } from './run-step.ts';

/** A step whose output becomes the next version of a name. */
export interface VersionRun extends StepRun {
  /** The version that the step reads, or the first of the steps in `through`. */
  readonly base: VersionEntry;
  /** The name that gets the version; without it that of `base`. */
  readonly name?: string;
  /** Numbers of the entries of the versions that the steps read: `base`, then those that each step names, in order. */
  readonly reads?: readonly number[];
  /** Whether content that the newest version has makes one, too, where it came by other steps or of other versions. */
  readonly recipeCounts?: boolean;
  /** Steps taken from `base` to the step's input. */
  readonly through?: readonly StepResult[];
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
 * Runs a step and journals its output as the next version. Equal content makes none, unless it came in another
 * way and recipes count.
 * @throws HoldoutError as the step and the store do.
 */
export async function deriveVersion(run: VersionRun): Promise<DerivedVersion> {
  const { store, base } = run;
  const name = run.name ?? base.name;
  const before = await store.getRecord(base.snapshot, snapshotRecord);
  const step = await runStep(run);
  const { output } = step;
  const columns = (await store.getRecord(output.schema, tableSchema)).columns.map((column) => column.name);
  const keptBy = [...(run.through ?? []), step].map(({ kept }) => kept);
  const fields = fieldsAfter(before.fields, keptBy, columns);
  const hasItems = before.itemsRoot !== null && Object.keys(fields).length > 0;
  const itemsRoot = hasItems ? await run.itemsRootOf(output, step.layout, { ...before, fields }) : null;
  const record: SnapshotRecord = { ...before, ...output, fields, itemsRoot };
  const snapshot = recordId(record);
  const through = (run.through ?? []).map(passedStep);
  const origin = {
    derivation: step.derivation,
    ...(through.length === 0 ? {} : { through }),
    reads: [...(run.reads ?? [base.seq])],
    ...writtenFolder(store, run.folder),
    sources: [],
  };
  const holdsIt = (entry: VersionEntry | undefined): boolean =>
    entry?.snapshot === snapshot && (run.recipeCounts !== true || sameOrigin(entry, origin));
  const newest = (await store.journal()).names.get(name)?.at(-1);
  if (newest !== undefined && holdsIt(newest)) {
    return { name, version: newest.version, snapshot, record, step, isNew: false };
  }
  await store.putRecord(record);
  const entry = await store.commit((state) => {
    const versions = state.names.get(name) ?? [];
    if (holdsIt(versions.at(-1))) return null;
    return {
      op: 'version',
      name,
      version: versions.length + 1,
      snapshot,
      realisation: step.realisation,
      layout: step.layout,
      ...origin,
    };
  }, run.now);
  const version = entry?.op === 'version' ? entry.version : ((await store.journal()).names.get(name)?.length ?? 1);
  return { name, version, snapshot, record, step, isNew: entry !== null };
}

function passedStep({ derivation, realisation, output, layout }: StepResult): PassedStep {
  return { derivation, realisation, table: output.table, schema: output.schema, layout };
}
