/**
 * How many threads work is spread over.
 * @module
 */
import { availableParallelism } from 'node:os';
import { HoldoutError } from '../src/errors.ts';

const threadsMax = 256;

/**
 * As many as the machine has, or HOLDOUT_THREADS; no result depends on it.
 * @throws HoldoutError USAGE where that is no count of threads
 */
export function threadsAsked(): number {
  const asked = process.env['HOLDOUT_THREADS'];
  if (asked === undefined || asked === '') return availableParallelism();
  const count = Number(asked);
  if (/^\d+$/.test(asked) && count >= 1 && count <= threadsMax) return count;
  throw new HoldoutError('USAGE', `HOLDOUT_THREADS takes a whole number from 1 to ${threadsMax}, got "${asked}"`);
}
