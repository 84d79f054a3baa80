/**
 * Worker thread of `near-dedupe`.
 * @module
 */
import { answerBatches } from '../texts/worker-pool.ts';
import { type Settings, workOf } from './work.ts';

answerBatches((settings) => workOf(settings as Settings));
