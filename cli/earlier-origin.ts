/**
 * How a version came whose rows the next one of its name has, too, told by what is another there.
 * @module
 */
import { type DerivationRecord, derivationRecord } from '../schemas/records.ts';
import { shortStepName } from '../src/lineage/find-step.ts';
import { isReadStep } from '../src/lineage/graph.ts';
import { preparedOrNull } from '../src/lineage/transform.ts';
import { recipeOf } from '../src/snapshots/same-rows.ts';
import type { VersionEntry } from '../src/store/journal-state.ts';
import type { Store } from '../src/store/store.ts';
import { builtInTransforms } from '../transforms/index.ts';
import { entryName } from './snapshots.ts';
import { printable } from './text.ts';

const filesShown = 3;

/** How it came, and whether its steps are others than those of the next one. */
export interface EarlierOrigin {
  /** Such as `made of clean@1`, to stand behind the rows. */
  readonly how: string;
  readonly otherSteps: boolean;
}

/**
 * The first thing in which a version came otherwise than the next one of the same content.
 * @throws HoldoutError as reading the versions' records does
 */
export async function earlierOrigin(store: Store, was: VersionEntry, is: VersionEntry): Promise<EarlierOrigin> {
  const [before, after] = [recipeOf(was), recipeOf(is)];
  const files = was.sources.map(({ path }) => path);
  if (files.join('\0') !== is.sources.map(({ path }) => path).join('\0') && files.length > 0) {
    const shown = files.length > filesShown ? `${files.length} other files` : files.map(printable).join(' ');
    return { how: `read from ${shown}`, otherSteps: false };
  }
  if (before.length !== after.length) {
    return { how: `made by ${before.length === 1 ? 'one step' : `${before.length} steps`}`, otherSteps: true };
  }
  const index = before.findIndex((derivation, at) => derivation !== after[at]);
  if (index >= 0) {
    const [then, now] = [await recordOf(store, before[index]!), await recordOf(store, after[index]!)];
    if (!isReadStep(then)) return { how: `made by ${stepText(index, then, now)}`, otherSteps: true };
    const same = JSON.stringify(then.inputs) === JSON.stringify(now.inputs);
    return { how: same ? 'read in another way' : 'read from other bytes', otherSteps: false };
  }
  const other = was.reads?.find((seq, at) => seq !== is.reads?.[at]);
  const entry = other === undefined ? undefined : (await store.journal()).entries[other - 1];
  const named = was.folder === is.folder ? 'named in another way' : 'with paths from another folder';
  return { how: entry?.op === 'version' ? `made of ${entryName(entry)}` : named, otherSteps: false };
}

function recordOf(store: Store, id: VersionEntry['derivation']): Promise<DerivationRecord> {
  return store.getRecord(id, derivationRecord);
}

function stepText(index: number, then: DerivationRecord, now: DerivationRecord): string {
  const { name, version } = then.transform;
  const step = `step ${index + 1} as ${shortStepName(name)}@${version}`;
  const says = preparedOrNull(builtInTransforms, then)?.says;
  if (says === undefined) return step;
  if (says !== preparedOrNull(builtInTransforms, now)?.says) return `${step} (${printable(says)})`;
  const sameInput = JSON.stringify(then.inputs) === JSON.stringify(now.inputs);
  return `${step} (${sameInput ? 'by other code or parameters' : 'of another input'})`;
}
