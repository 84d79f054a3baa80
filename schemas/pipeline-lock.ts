/**
 * `holdout.lock`: what a pipeline resolved to. Ids only: no clock, no machine, no version of any engine.
 * @module
 */
import { z } from 'zod';
import { datasetName, setRoot, sha256Id, tableId } from './ids.ts';
import { verdict } from './leak-report.ts';

const lockedStep = z.strictObject({
  /** Name and version of the transform: `holdout/filter@1`. */
  step: z.string(),
  derivation: sha256Id,
  table: tableId,
});

const lockedDataset = z.strictObject({
  table: tableId,
  schema: sha256Id,
  rows: z.int().nonnegative(),
  /** Root of the items, of eval sets only. */
  items: setRoot.optional(),
  snapshot: sha256Id,
  steps: z.array(lockedStep).min(1),
});
export type LockedDataset = z.infer<typeof lockedDataset>;

const lockedCheck = z.strictObject({
  /** `train against gsm8k`. */
  check: z.string(),
  verdict,
  report: sha256Id,
});
export type LockedCheck = z.infer<typeof lockedCheck>;

/** The whole file. Datasets and eval sets share one space of names. */
export const pipelineLock = z.strictObject({
  version: z.literal(1),
  datasets: z.record(datasetName, lockedDataset).default({}),
  evals: z.record(datasetName, lockedDataset).default({}),
  checks: z.array(lockedCheck).default([]),
});
export type PipelineLock = z.infer<typeof pipelineLock>;
