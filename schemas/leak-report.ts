/**
 * The leak report: what was checked, how, and what was found, as digests and positions. It holds no row text.
 * @module
 */
import { z } from 'zod';
import { setRoot, sha256Id, tableId } from './ids.ts';
import { fieldRoles } from './records.ts';

/** How an eval item was found in a training row, strongest first. */
export const hitClass = z.enum([
  'row-equal',
  'key-equal',
  'normalised-equal',
  'contained',
  'short',
  'suspect',
  'source-overlap',
]);
export type HitClass = z.infer<typeof hitClass>;

export const verdict = z.enum(['clean', 'leak', 'incomplete']);
export type Verdict = z.infer<typeof verdict>;

const count = z.int().nonnegative();
const place = z.strictObject({ file: z.string(), line: z.int().positive() });

const leakHit = z.strictObject({
  /** Name of the eval set, as in `evals`. */
  eval: z.string(),
  /** Zero-based row of the eval set, the row's digest, and where it stood in its file, where that is known. */
  item: z.strictObject({ row: count, digest: sha256Id, source: place.nullable() }),
  class: hitClass,
  /** Whether this hit counts as a leak; otherwise it is shown as suspect or warning. */
  leak: z.boolean(),
  /** Key field whose overlap decides. */
  field: z.string(),
  /** Share of the field's tokens covered inside one window of the row, 0 … 1. */
  coverage: z.number().min(0).max(1),
  /** Longest run of shared tokens, in tokens. */
  longestRun: count,
  /** Name of the training set, as in `trains`. */
  train: z.string(),
  row: z.strictObject({ row: count, digest: sha256Id }),
  /** Where the row stood in its file; null where the row came from a derived snapshot. */
  source: place.nullable(),
});
export type LeakHit = z.infer<typeof leakHit>;

export const leakReport = z.strictObject({
  format: z.literal('holdout/leak-report@1'),
  verdict,
  /** Everything that decides the outcome beside the data. */
  method: z.strictObject({
    name: z.literal('holdout/leak-check'),
    version: z.int().positive(),
    /** sha256 of the table that folds characters for tokens. */
    foldTable: sha256Id,
    gram: z.strictObject({ long: count, short: count, shortBelowTokens: count }),
    thresholds: z.json(),
    failOn: z.enum(['leak', 'suspect']),
  }),
  trains: z.array(
    z.strictObject({
      name: z.string(),
      table: tableId,
      schema: sha256Id,
      rows: count,
      /** Rows without any text. */
      unreadable: count,
      leakedRows: count,
      suspectRows: count,
    }),
  ),
  evals: z.array(
    z.strictObject({
      name: z.string(),
      table: tableId,
      schema: sha256Id,
      itemsRoot: setRoot,
      fields: fieldRoles,
      items: count,
      checked: count,
      uncheckable: count,
      leaked: count,
      suspect: count,
      /** Items by their strongest class. */
      classes: z.partialRecord(hitClass, count),
      /** Items by certified radius: [radius in edits, items]. */
      radius: z.array(z.tuple([count, count])),
      notes: z.array(z.string()),
    }),
  ),
  hits: z.array(leakHit),
  /** Things to know that change no verdict: a set checked against itself, splits of one dataset. */
  notes: z.array(z.string()),
  guarantee: z.strictObject({ says: z.string(), doesNotSay: z.array(z.string()) }),
});
export type LeakReport = z.infer<typeof leakReport>;
