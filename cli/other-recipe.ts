/**
 * The recipe of a version that held what a dataset should hold, where other steps than the file's made it.
 * @module
 */
import { derivationRecord } from '../schemas/records.ts';
import { shortStepName } from '../src/lineage/find-step.ts';
import { preparedOrNull } from '../src/lineage/transform.ts';
import type { PlannedStep } from '../src/pipeline/plan-run.ts';
import type { VersionEntry } from '../src/store/journal-state.ts';
import type { Store } from '../src/store/store.ts';
import { builtInTransforms } from '../transforms/index.ts';
import { printable } from './text.ts';

/**
 * In words, the first step in which the version's recipe is another than that of the plan; null where none is.
 * @throws HoldoutError as reading the version's records does
 */
export async function otherRecipe(
  store: Store,
  entry: VersionEntry,
  steps: readonly PlannedStep[],
): Promise<string | null> {
  const made = [...(entry.through ?? []), entry].map(({ derivation }) => derivation);
  if (made.length !== steps.length) return made.length === 1 ? 'one step' : `${made.length} steps`;
  const index = made.findIndex((derivation, at) => derivation !== steps[at]?.derivation);
  const differs = made[index];
  if (differs === undefined) return null;
  const derivation = await store.getRecord(differs, derivationRecord);
  const { name, version } = derivation.transform;
  const step = `step ${index + 1} as ${shortStepName(name)}@${version}`;
  const says = preparedOrNull(builtInTransforms, derivation)?.says;
  if (says === undefined) return step;
  return `${step} (${says === steps[index]?.says ? 'of another input' : printable(says)})`;
}
