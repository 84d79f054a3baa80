/**
 * Worker threads that scan blocks. A pool outlives files, so that a folder of them starts its workers once.
 * @module
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { HoldoutError } from '../../errors.ts';
import type { InferredSchema } from './inferred.ts';
import { oneAtATime, type ScanDone, type ScanJob, type Scanner } from './scanner.ts';
import type { WorkerAnswer, WorkerRequest } from './worker.ts';

interface Waiting {
  resolve(answer: WorkerAnswer): void;
  reject(error: Error): void;
}

interface Hand {
  readonly worker: Worker;
  /** Who waits for the answers that are still to come, in order. */
  readonly waiting: Waiting[];
}

/** Workers that scan the blocks of one file after another. They start with the first; `close` ends them. */
export class ScanPool implements Scanner {
  readonly depth: number;
  readonly exclusive: Scanner['exclusive'] = oneAtATime();
  readonly #threads: number;
  #hands: readonly Hand[] = [];

  private constructor(threads: number) {
    this.#threads = threads;
    this.depth = threads * 2;
  }

  /**
   * A pool of `threads` workers, by default one a core, at most two.
   * @throws RangeError for anything but a whole number from 1 on
   */
  static open(threads: number = Math.min(2, availableParallelism())): ScanPool {
    if (!Number.isInteger(threads) || threads < 1) {
      throw new RangeError(`"threads" expected integer >= 1, got ${threads}`);
    }
    return new ScanPool(threads);
  }

  begin(): void {
    if (this.#hands.length === 0) this.#hands = Array.from({ length: this.#threads }, startHand);
    for (const hand of this.#hands) hand.worker.postMessage({ do: 'begin' } satisfies WorkerRequest, []);
  }

  async scan(job: ScanJob): Promise<ScanDone> {
    const answer = await ask(this.#idlest(), { do: 'block', ...job }, [job.block.buffer]);
    if (!('done' in answer)) throw unexpected(answer);
    return answer.done;
  }

  async seen(): Promise<readonly InferredSchema[]> {
    return Promise.all(
      this.#hands.map(async (hand) => {
        const answer = await ask(hand, { do: 'seen' }, []);
        if (!('seen' in answer)) throw unexpected(answer);
        return answer.seen;
      }),
    );
  }

  async close(): Promise<void> {
    const hands = this.#hands;
    this.#hands = [];
    await Promise.all(hands.map(({ worker }) => worker.terminate()));
  }

  #idlest(): Hand {
    return this.#hands.reduce((least, hand) => (hand.waiting.length < least.waiting.length ? hand : least));
  }
}

function startHand(): Hand {
  const worker = new Worker(new URL('./worker.js', import.meta.url));
  const hand: Hand = { worker, waiting: [] };
  worker.unref();
  worker.on('message', (answer: WorkerAnswer) => {
    const waiting = hand.waiting.shift();
    if (hand.waiting.length === 0) worker.unref();
    if ('failed' in answer) waiting?.reject(answer.failed);
    else waiting?.resolve(answer);
  });
  const fail = (cause: unknown): void => {
    const outOfMemory = (cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const error = outOfMemory
      ? new HoldoutError('LIMIT', 'a thread that reads JSON lines ran out of memory', {
          cause,
          hint: 'Use fewer threads.',
        })
      : new Error('a thread that reads JSON lines ended before its work was done', { cause });
    for (const waiting of hand.waiting.splice(0)) waiting.reject(error);
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(undefined));
  return hand;
}

async function ask(hand: Hand, request: WorkerRequest, moved: readonly ArrayBuffer[]): Promise<WorkerAnswer> {
  return new Promise((resolve, reject) => {
    hand.waiting.push({ resolve, reject });
    // An idle pool does not keep the process alive; one with work does.
    hand.worker.ref();
    hand.worker.postMessage(request, moved);
  });
}

function unexpected(answer: WorkerAnswer): Error {
  return new Error(`unexpected answer of a scan worker: ${Object.keys(answer).join(', ')}`);
}
