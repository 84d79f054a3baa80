/**
 * What a selecting step yields when it knows of each row why it goes.
 * @module
 */
import { setBit } from '../src/lineage/row-values.ts';
import type { SelectedRows } from '../src/lineage/step-output.ts';

/**
 * The rows that stay, and how many went for each reason.
 * @param of for each row 0 where it stays, else k for `names[k - 1]`
 */
export function selectByReason(names: readonly string[], of: Uint8Array): SelectedRows {
  const bitmap = new Uint8Array(Math.ceil(of.length / 8));
  const went = new Float64Array(names.length + 1);
  for (let row = 0; row < of.length; row++) {
    went[of[row]!]! += 1;
    if (of[row] === 0) setBit(bitmap, row);
  }
  const counts = Object.fromEntries(names.map((name, index) => [name, went[index + 1]!]));
  return { kind: 'rows', keep: { bitmap }, counts, dropped: { names, of } };
}
