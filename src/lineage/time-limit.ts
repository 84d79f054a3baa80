/**
 * A time limit for what engines do: they are interrupted when it is up.
 * @module
 */
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';

/** Again and again, as an interrupt between two queries stops neither. */
const againMs = 100;

/**
 * Runs `work` and interrupts the engines that it tells of once `limitMs` are over.
 * @param late the error for that
 */
export async function withinTime<T>(
  limitMs: number,
  late: () => HoldoutError,
  work: (tell: (engine: Engine) => void) => Promise<T>,
): Promise<T> {
  const engines: Engine[] = [];
  let again: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    for (const engine of engines) engine.interrupt();
  };
  const first = setTimeout(() => {
    interrupt();
    again = setInterval(interrupt, againMs);
  }, limitMs);
  try {
    return await work((engine) => engines.push(engine));
  } catch (error) {
    if (again !== undefined && error instanceof HoldoutError && error.code === 'INTERRUPTED') throw late();
    throw error;
  } finally {
    clearTimeout(first);
    clearInterval(again);
  }
}
