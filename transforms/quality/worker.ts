/**
 * Worker thread of `quality`.
 * @module
 */
import { answerBatches } from '../texts/worker-pool.ts';
import { type QualitySettings, judgeBatches } from './work.ts';

answerBatches((settings) => judgeBatches(settings as QualitySettings));
