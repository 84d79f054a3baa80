/**
 * Parameters that several steps share, so that they mean the same everywhere.
 * @module
 */
import { z } from 'zod';
import type { DatasetParam } from '../src/lineage/transform.ts';

/** The seed of a step that draws by chance. */
export const seed = z
  .int()
  .default(0)
  .describe('Chooses another draw. Kept in the derivation; the same seed draws the same rows again.');

/** Columns that together say which rows belong together. */
export const columns = z.array(z.string().min(1)).min(1);

/** A number of rows. */
export const rowCount = z.int().nonnegative();

/** Whether a step of the person's own gives the same rows whenever it is run. */
export const deterministic = z
  .boolean()
  .default(true)
  .describe(
    'Whether it gives the same rows whenever it is run; checked by running a sample twice. With false it is run once, ' +
      'and its output is kept like raw data.',
  );

/** What is done with a row on which code of the person's own fails. */
export const onThrow = z.enum(['fail', 'drop', 'keep']).default('fail');

/** Files that a step of the person's own reads. */
export const declaredFiles = z.array(z.string().min(1)).max(10_000).default([]);

/** `a, b` for people. */
export function listed(names: readonly string[]): string {
  return names.join(', ');
}

/** What becomes of a row that a step fails on. */
export const onError = z
  .enum(['fail', 'drop', 'keep'])
  .default('fail')
  .describe(
    'A row that it fails on: fail names the first one and makes nothing; drop leaves such rows out and counts them; ' +
      'keep puts null there and counts them.',
  );

/** A dataset as people named it; in a derivation it has a number alone. */
export function datasetLabel(dataset: DatasetParam): string {
  return typeof dataset === 'string' ? dataset : `input ${dataset.input}`;
}
