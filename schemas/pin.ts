/**
 * `holdout.pin.json`: what a model was made of and measured on. The seed of the composite version record: fields are
 * added by later versions of the type, never reinterpreted.
 * @module
 */
import { z } from 'zod';
import { datasetName, setRoot, sha256Id, tableId } from './ids.ts';
import { fieldRoles, role } from './records.ts';
import { verdict } from './leak-report.ts';

export const pinnedDataset = z.strictObject({
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

export const pinRecord = z.strictObject({
  type: z.literal('holdout/pin@1'),
  holdout: z.string(),
  /** Every file of the model's folder but the pin itself and the card's front matter, by path. */
  files: z.array(
    z.strictObject({
      path: z.string(),
      sha256: sha256Id,
      bytes: z.int().nonnegative(),
      /** `body`: a card, hashed without its YAML front matter. */
      of: z.enum(['file', 'body']),
    }),
  ),
  train: z.array(pinnedDataset),
  eval: z.array(pinnedDataset.extend({ itemsRoot: setRoot, fields: fieldRoles })),
  report: z
    .strictObject({
      id: sha256Id,
      verdict,
      /** `current`: it covers every pinned pair. Otherwise what is wrong with it. */
      state: z.enum(['current', 'stale']),
    })
    .nullable(),
  scores: z.array(
    z.strictObject({
      eval: datasetName,
      itemsRoot: setRoot,
      metric: z.string().min(1),
      value: z.number(),
    }),
  ),
});
export type PinRecord = z.infer<typeof pinRecord>;
