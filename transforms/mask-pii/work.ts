/**
 * What a thread of `mask-pii` does.
 * @module
 */
import { type MapSettings, type MappedBatch, mapBatches } from '../texts/map-texts.ts';
import type { WorkPlan } from '../texts/worker-pool.ts';
import { type MaskSettings, masker } from './mask.ts';

type Settings = MapSettings<MaskSettings>;

/** The work for these settings. */
export function maskPlan(settings: Settings): WorkPlan<Settings, MappedBatch> {
  return { module: new URL('./worker.js', import.meta.url), settings, work: maskWork };
}

/** Masks batches. */
export function maskWork(settings: Settings): ReturnType<typeof mapBatches> {
  return mapBatches(settings, masker(settings));
}
