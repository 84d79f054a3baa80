/**
 * What is most likely not meant of the sets that a check was given; no verdict hangs on it.
 * @module
 */
import type { TableId } from '../../schemas/ids.ts';
import type { Role } from '../../schemas/records.ts';

/** A set under the name that people know it by. */
export interface NamedSet {
  readonly name: string;
  readonly table: TableId;
}

/** Sentences without an end: of an eval set that is a training set itself, and of one that was added as training data. */
export function oddEvalNotes(
  trains: readonly NamedSet[],
  evals: readonly (NamedSet & { readonly role: Role | null })[],
): readonly string[] {
  return evals.flatMap(({ name, table, role }) => {
    const same = trains.find((train) => train.table === table);
    if (same !== undefined) {
      const of = same.name === name ? `${name} is compared with itself` : `${name} has the same rows as ${same.name}`;
      return [`${of}: each of them is found`];
    }
    return role === 'train' ? [`${name} has role train: is it meant as an eval set?`] : [];
  });
}
