/**
 * Worker threads that scan blocks. A pool outlives files, so that a folder of them starts its workers once.
 * @module
 */
import { availableParallelism } from 'node:os';
import { WorkerPool } from '../../worker-pool.ts';
import type { InferredSchema } from './inferred.ts';
import { oneAtATime, type ScanDone, type ScanJob, type Scanner } from './scanner.ts';
import type { WorkerAnswer, WorkerRequest } from './worker.ts';

/** Workers that scan the blocks of one file after another; `close` ends them. */
export class ScanPool implements Scanner {
  readonly depth: number;
  readonly exclusive: Scanner['exclusive'] = oneAtATime();
  readonly #pool: WorkerPool<WorkerRequest, WorkerAnswer>;

  private constructor(threads: number) {
    const module = new URL('./worker.js', import.meta.url);
    this.#pool = new WorkerPool({ module, threads, does: 'reads JSON lines' });
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
    // A thread that fails here fails the first block, too.
    this.#pool.runOnAll({ do: 'begin' }).catch(() => undefined);
  }

  async scan(job: ScanJob): Promise<ScanDone> {
    const answer = await this.#pool.run({ do: 'block', ...job }, [job.block.buffer]);
    if (answer.did !== 'block') throw new TypeError(`a scan worker did ${answer.did} instead of block`);
    return answer.done;
  }

  async seen(): Promise<readonly InferredSchema[]> {
    const answers = await this.#pool.runOnAll({ do: 'seen' });
    return answers.flatMap((answer) => (answer.did === 'seen' ? [answer.seen] : []));
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }
}
