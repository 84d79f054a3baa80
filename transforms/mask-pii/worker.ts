/**
 * Worker thread of `mask-pii`.
 * @module
 */
import { answerBatches } from '../texts/worker-pool.ts';
import { maskWork } from './work.ts';

answerBatches((settings) => maskWork(settings as Parameters<typeof maskWork>[0]));
