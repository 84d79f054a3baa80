/**
 * Makes a step's output the next version of a dataset.
 * @module
 */
import type { SetRoot, Sha256Id } from '../../schemas/ids.ts';
import { type PassedStep, type SnapshotRecord, type TableRef, snapshotRecord } from '../../schemas/records.ts';
import { tableSchema } from '../../schemas/table-schema.ts';
import { recordId } from '../identity/canonical-json.ts';
import { writtenPath } from '../snapshots/source-paths.ts';
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
  /** Whether another recipe for the content of the newest version makes a version, too. */
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
 * Runs a step and journals its output as the next version. Equal content makes none, unless its recipe is another and
 * recipes count.
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
  const recipe = [...through, step].map(({ derivation }) => derivation);
  const holdsIt = (entry: VersionEntry | undefined): boolean =>
    entry?.snapshot === snapshot && (run.recipeCounts !== true || sameRecipe(entry, recipe));
  const newest = (await store.journal()).names.get(name)?.at(-1);
  if (newest !== undefined && holdsIt(newest)) {
    return { name, version: newest.version, snapshot, record, step, isNew: false };
  }
  await store.putRecord(record);
  const folder = folderOf(run);
  const entry = await store.commit((state) => {
    const versions = state.names.get(name) ?? [];
    if (holdsIt(versions.at(-1))) return null;
    return {
      op: 'version',
      name,
      version: versions.length + 1,
      snapshot,
      derivation: step.derivation,
      realisation: step.realisation,
      ...(through.length === 0 ? {} : { through }),
      reads: [...(run.reads ?? [base.seq])],
      ...(folder === null ? {} : { folder }),
      layout: step.layout,
      sources: [],
    };
  }, run.now);
  const version = entry?.op === 'version' ? entry.version : ((await store.journal()).names.get(name)?.length ?? 1);
  return { name, version, snapshot, record, step, isNew: entry !== null };
}

/** Where paths begin, as the journal writes it; null where that is the store's parent folder. */
function folderOf({ store, folder }: VersionRun): string | null {
  return folder === undefined || folder === store.projectRoot ? null : writtenPath(store, folder);
}

/** Whether a version was made by these derivations, the last one its own. */
export function sameRecipe({ through = [], derivation }: VersionEntry, recipe: readonly Sha256Id[]): boolean {
  const made = [...through.map((each) => each.derivation), derivation];
  return made.length === recipe.length && made.every((id, index) => id === recipe[index]);
}

function passedStep({ derivation, realisation, output, layout }: StepResult): PassedStep {
  return { derivation, realisation, table: output.table, schema: output.schema, layout };
}
