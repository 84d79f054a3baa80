/**
 * What `holdout lineage --format json` prints.
 * @module
 */
import { z } from 'zod';
import { setRoot, sha256Id, tableId } from './ids.ts';

/** One step of a lineage. Steps are numbered from 1; each stands after those that it reads. */
const lineageStep = z.strictObject({
  step: z.int().positive(),
  /** Name and version of the step, such as `filter@1`; `read@1` reads raw files. */
  transform: z.string(),
  kind: z.enum(['read', 'selecting', 'mapping', 'row-adding', 'user']),
  says: z.string(),
  /** `name@3` where the output is a version; null on the way to one. */
  version: z.string().nullable(),
  /** Steps whose output it read, in its order, with their rows. */
  inputs: z.array(z.strictObject({ step: z.int().positive(), rows: z.int().nonnegative() })),
  rows: z.int().nonnegative(),
  /** What the step counted, such as why rows went. */
  counts: z.record(z.string(), z.int().nonnegative()),
  table: tableId,
  schema: sha256Id,
  setRoot,
  derivation: sha256Id,
  realisation: sha256Id,
  /** `stored`: its rows can be read. `dropped`: they are rebuilt when read. `lost`: the store should have them. */
  output: z.enum(['stored', 'dropped', 'lost']),
  /** `own`: a step of Holdout. `identified`: the person's code, its files known. `not-vouched`: nothing says what ran. */
  code: z.enum(['own', 'identified', 'not-vouched']),
  /** Raw files of a read step. */
  files: z.array(z.string()),
});
export type LineageStepReport = z.infer<typeof lineageStep>;

/** The lineage of a version: all steps that led to it, the version's own the last. */
export const lineageReport = z.strictObject({
  type: z.literal('holdout/lineage@1'),
  version: z.string(),
  steps: z.array(lineageStep).min(1),
});
export type LineageReport = z.infer<typeof lineageReport>;
