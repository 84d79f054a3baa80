/**
 * The eval side of a check, made ready: what it looks for does not depend on the training sets, and can be worked out
 * while these are still being read.
 * @module
 */
import { buildIndex } from './eval-index.ts';
import type { EvalIndex } from './eval-index.ts';
import { checkFields } from './fields.ts';
import { readItems } from './items.ts';
import type { EvalItems } from './items.ts';
import type { NamedEval } from './types.ts';
import { Vocabulary } from './vocabulary.ts';

/** Eval sets with their items read and indexed. */
export interface PreparedEvals {
  readonly sets: readonly NamedEval[];
  readonly items: readonly EvalItems[];
  readonly index: EvalIndex;
  /** Row digests of each set. */
  readonly digests: readonly Uint8Array[];
}

/**
 * Reads and indexes eval sets. Gives way to other work of the thread every few milliseconds.
 * @throws HoldoutError INPUT_INVALID when a set has no question; LIMIT when they have more runs than one check can hold.
 * @throws TypeError when two sets share a name.
 */
export async function prepareEvals(sets: readonly NamedEval[]): Promise<PreparedEvals> {
  refuseSameNames(sets, 'evals');
  for (const set of sets) checkFields(set.reader.schema, set.fields, set.name);
  const vocabulary = new Vocabulary();
  const items: EvalItems[] = [];
  for (const set of sets) items.push(await readItems(set, vocabulary));
  const index = await buildIndex(items, vocabulary);
  const digests: Uint8Array[] = [];
  for (const set of sets) digests.push(await set.reader.digests());
  return { sets, items, index, digests };
}

/** @throws TypeError when two sets of one side share a name. */
export function refuseSameNames(sets: readonly { readonly name: string }[], option: string): void {
  const names = sets.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new TypeError(`"${option}" expected different names, got "${twice}" twice`);
}
