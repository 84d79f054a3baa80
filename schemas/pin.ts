/**
 * `holdout.pin.json`: what a model was made of and measured on. The seed of the composite version record: fields are
 * added by later versions of the type, never reinterpreted.
 * @module
 */
import { z } from 'zod';
import { datasetName, setRoot, sha256Id, tableId } from './ids.ts';
import { fieldRoles, role } from './records.ts';
import { verdict } from './leak-report.ts';

const pinnedFile = z.strictObject({
  /** Path in the model's folder, with `/`. */
  path: z.string().min(1),
  sha256: sha256Id,
  bytes: z.int().nonnegative(),
  /** `body`: a card, hashed without its YAML front matter. */
  of: z.enum(['file', 'body']),
});
export type PinnedFile = z.infer<typeof pinnedFile>;

const pinnedDataset = z.strictObject({
  name: datasetName,
  /** The store's own count when pinned; the ids below are what is pinned. */
  version: z.int().positive().nullable(),
  snapshot: sha256Id.nullable(),
  table: tableId,
  schema: sha256Id,
  setRoot,
  rows: z.int().nonnegative(),
  role,
});
export type PinnedDataset = z.infer<typeof pinnedDataset>;

const pinnedEval = pinnedDataset.extend({ itemsRoot: setRoot, fields: fieldRoles });
export type PinnedEval = z.infer<typeof pinnedEval>;

const pinnedReport = z.strictObject({
  id: sha256Id,
  verdict,
  /** `current`: it covers every pinned training table with every pinned eval's items. */
  state: z.enum(['current', 'stale']),
  /** What a stale report does not cover, by name. */
  uncovered: z.array(z.string()),
});
export type PinnedReport = z.infer<typeof pinnedReport>;

/** A score belongs to the items that it was measured on, not to a name. */
const pinnedScore = z.strictObject({
  eval: datasetName,
  itemsRoot: setRoot,
  metric: z.string().min(1),
  value: z.number(),
});
export type PinnedScore = z.infer<typeof pinnedScore>;

export const pinRecord = z.strictObject({
  /** First, so that the first line of the file says whether the evals were held out. */
  says: z.string(),
  type: z.literal('holdout/pin@1'),
  holdout: z.string(),
  /** Every file of the model's folder but the pin itself and the card's front matter, by path. */
  files: z.array(pinnedFile),
  train: z.array(pinnedDataset),
  eval: z.array(pinnedEval),
  report: pinnedReport.nullable(),
  scores: z.array(pinnedScore),
});
export type PinRecord = z.infer<typeof pinRecord>;
