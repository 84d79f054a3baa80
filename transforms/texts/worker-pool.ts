/**
 * Worker threads that each hold one function and do batches of texts with it; what they give comes back in the order of
 * the batches. Few rows are done in this thread: starting others would take longer.
 * @module
 */
import { Worker, parentPort, workerData } from 'node:worker_threads';
import { HoldoutError } from '../../src/errors.ts';
import type { StepContext } from '../../src/lineage/transform.ts';
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

type Reply<Result> = { readonly result: Result } | { readonly failed: unknown };

interface Hand<Result> {
  readonly worker: Worker;
  waiting: { resolve(result: Result): void; reject(error: unknown): void } | null;
  /** Why the thread ended; null while it lives. */
  ended: unknown;
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
  const pool = new Pool(plan, Math.min(threads, threadsMax));
  try {
    const running: { readonly positions: Uint32Array; readonly result: Promise<Result> }[] = [];
    const finishOne = async (): Promise<void> => {
      const first = running.shift();
      if (first !== undefined) visit(first.positions, await first.result);
    };
    for await (const batch of batches) {
      if (signal?.aborted === true) throw new HoldoutError('INTERRUPTED', 'interrupted');
      const positions = batch.positions.slice();
      const result = pool.run(batch);
      // A failure is thrown where the result is awaited; until then it is nobody's.
      result.catch(() => undefined);
      running.push({ positions, result });
      if (running.length > 2 * pool.width) await finishOne();
    }
    while (running.length > 0) await finishOne();
  } finally {
    await pool.close();
  }
}

/** In a worker's module: does the batches that this thread is sent. */
export function answerBatches<Result>(work: (settings: unknown) => BatchWork<Result>): void {
  if (parentPort === null) return;
  const port = parentPort;
  const apply = work(workerData);
  port.on('message', (batch: TextBatch) => {
    let reply: Reply<unknown>;
    try {
      reply = { result: apply(batch) };
    } catch (failed) {
      reply = { failed };
    }
    port.postMessage(reply, 'result' in reply ? buffersOf(reply.result) : []);
  });
}

class Pool<Settings, Result> {
  readonly #hands: readonly Hand<Result>[];
  readonly #free: Hand<Result>[];
  readonly #queue: ((hand: Hand<Result>) => void)[] = [];

  constructor({ module, settings }: WorkPlan<Settings, Result>, threads: number) {
    this.#hands = Array.from({ length: threads }, () => this.#start(module, settings));
    this.#free = [...this.#hands];
  }

  get width(): number {
    return this.#hands.length;
  }

  async run(batch: TextBatch): Promise<Result> {
    const hand = this.#free.pop() ?? (await new Promise<Hand<Result>>((resolve) => this.#queue.push(resolve)));
    return new Promise((resolve, reject) => {
      if (hand.ended !== null) {
        reject(endedError(hand.ended));
        return;
      }
      hand.waiting = { resolve, reject };
      hand.worker.postMessage(batch, buffersOf(batch));
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#hands.map(({ worker }) => worker.terminate()));
  }

  #start(module: URL, settings: Settings): Hand<Result> {
    const hand: Hand<Result> = { worker: new Worker(module, { workerData: settings }), waiting: null, ended: null };
    hand.worker.on('message', (reply: Reply<Result>) => {
      const { waiting } = hand;
      hand.waiting = null;
      const next = this.#queue.shift();
      if (next === undefined) this.#free.push(hand);
      else next(hand);
      if ('failed' in reply) waiting?.reject(reply.failed);
      else waiting?.resolve(reply.result);
    });
    hand.worker.on('error', (error) => {
      hand.ended = error;
      hand.waiting?.reject(endedError(error));
    });
    return hand;
  }
}

function endedError(cause: unknown): Error {
  if ((cause as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new HoldoutError('LIMIT', 'a thread that reads texts ran out of memory', {
      cause,
      hint: 'Use fewer threads.',
    });
  }
  return new Error('a thread that reads texts ended before its work was done', { cause });
}

function buffersOf(value: unknown): ArrayBuffer[] {
  const buffers = Object.values(value as object).flatMap((member: unknown) =>
    ArrayBuffer.isView(member) && member.buffer instanceof ArrayBuffer ? [member.buffer] : [],
  );
  return [...new Set(buffers)];
}
