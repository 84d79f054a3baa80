/**
 * Parameters that several steps share, so that they mean the same everywhere.
 * @module
 */
import { z } from 'zod';

/** The seed of a step that draws by chance. */
export const seed = z
  .int()
  .default(0)
  .describe('Chooses another draw. Kept in the derivation; the same seed draws the same rows again.');

/** Columns that together say which rows belong together. */
export const columns = z.array(z.string().min(1)).min(1);

/** A number of rows. */
export const rowCount = z.int().nonnegative();

/** `a, b` for people. */
export function listed(names: readonly string[]): string {
  return names.join(', ');
}
