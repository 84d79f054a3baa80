/**
 * Worker thread of `clean-text`.
 * @module
 */
import { answerBatches } from '../texts/worker-pool.ts';
import { cleanWork } from './work.ts';

answerBatches((settings) => cleanWork(settings as Parameters<typeof cleanWork>[0]));
