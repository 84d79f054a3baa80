/**
 * What a thread of `clean-text` does.
 * @module
 */
import { type MapSettings, type MappedBatch, mapBatches } from '../texts/map-texts.ts';
import type { WorkPlan } from '../texts/worker-pool.ts';
import { type CleanSettings, cleaner } from './clean.ts';

type Settings = MapSettings<CleanSettings>;

/** The work for these settings. */
export function cleanPlan(settings: Settings): WorkPlan<Settings, MappedBatch> {
  return { module: new URL('./worker.js', import.meta.url), settings, work: cleanWork };
}

/** Cleans batches. */
export function cleanWork(settings: Settings): ReturnType<typeof mapBatches> {
  return mapBatches(settings, cleaner(settings));
}
