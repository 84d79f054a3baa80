/**
 * Batches of texts that are done by worker threads; what they give comes back in the order of the batches. Few rows are
 * done in this thread: starting others would take longer.
 * @module
 */
import { HoldoutError } from '../../src/errors.ts';
import type { StepContext } from '../../src/lineage/transform.ts';
import { WorkerPool, answerTasks, buffersOf } from '../../src/worker-pool.ts';
import type { TextBatch } from './read-texts.ts';

/** What is done with a batch; buffers of typed arrays in its result are moved between threads. */
export type BatchWork<Result> = (batch: TextBatch) => Result;

/** How the same work is done here and in other threads. */
export interface WorkPlan<Settings, Result> {
  /** Module that calls `answerBatches` with `work`. */
  readonly module: URL;
  readonly settings: Settings;
  readonly work: (settings: Settings) => BatchWork<Result>;
}

/** The step that batches are done for. */
export type BatchRun = Pick<StepContext, 'input' | 'threads' | 'signal'>;

/** More threads than this wait for texts: one thread reads them. */
const threadsMax = 8;
/** Below so many rows no thread is started. */
const threadedRowsMin = 2000;

/**
 * Does all batches and visits the results in their order.
 * @throws HoldoutError `INTERRUPTED`; as reading the batches does
 */
export async function forEachBatch<Settings, Result>(
  { input, threads, signal }: BatchRun,
  batches: AsyncIterable<TextBatch>,
  plan: WorkPlan<Settings, Result>,
  visit: (positions: Uint32Array, result: Result) => void,
): Promise<void> {
  if (input.rows < threadedRowsMin) {
    const work = plan.work(plan.settings);
    for await (const batch of batches) visit(batch.positions, work(batch));
    return;
  }
  const pool = new WorkerPool<TextBatch, Result>({
    module: plan.module,
    settings: plan.settings,
    threads: Math.min(threads, threadsMax),
    does: 'reads texts',
  });
  const run = (batch: TextBatch): Promise<Result> => {
    if (signal?.aborted === true) throw new HoldoutError('INTERRUPTED', 'interrupted');
    // The texts go; positions are copied, as the visitor needs them.
    return pool.run(batch, buffersOf({ ...batch, positions: null }));
  };
  try {
    for await (const { from, done } of pool.runAll(batches, run)) visit(from.positions, done);
  } finally {
    await pool.close();
  }
}

/** In a worker's module: does the batches that this thread is sent. */
export function answerBatches<Result extends object>(work: (settings: unknown) => BatchWork<Result>): void {
  answerTasks(work, buffersOf);
}
