/**
 * Lets long work on the main thread give way: files are read and threads are fed from there, too.
 * @module
 */
import { setImmediate } from 'node:timers/promises';

/** So many milliseconds of work are done in one go. */
const sliceMilliseconds = 10;

/** Makes a function to be called between pieces of work; it waits a turn where the last one is long ago. */
export function wayGiver(): () => Promise<void> | undefined {
  let since = performance.now();
  return () => {
    if (performance.now() - since < sliceMilliseconds) return undefined;
    return setImmediate().then(() => {
      since = performance.now();
    });
  };
}
