/**
 * Processes that hold a person's module: batches go round, results come back in the order of the batches. A row that takes
 * too long, or too much memory, ends them all, and is named.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import type { BatchDone, ModuleBatch } from './module-messages.ts';
import { ModuleProcess, type ModuleRun, type ProcessOptions, shownPlace } from './module-process.ts';
import { RowFailure } from './step-output.ts';

/** How many processes, and what they see. */
export interface PoolOptions extends ProcessOptions {
  readonly workers: number;
}

/** Processes with one module. */
export class ModulePool {
  readonly #run: ModuleRun;
  readonly #workers: ModuleProcess[];

  constructor(run: ModuleRun, options: PoolOptions) {
    this.#run = run;
    this.#workers = Array.from({ length: options.workers }, (_, index) => new ModuleProcess(run, options, index));
  }

  /**
   * Runs batches side by side and yields what they came to, in their order.
   * @throws RowFailure for a row that takes too long or too much memory, or on which the module throws where that counts
   * @throws HoldoutError INPUT_INVALID for a module that cannot be loaded; INTERRUPTED
   */
  async *runAll(batches: AsyncIterable<ModuleBatch> | Iterable<ModuleBatch>): AsyncGenerator<BatchDone> {
    const running: Promise<BatchDone>[] = [];
    let next = 0;
    for await (const batch of batches) {
      this.#mustGoOn();
      const worker = this.#workers[next++ % this.#workers.length]!;
      const done = worker.run(batch);
      // A failure is thrown where the result is awaited; until then it is nobody's.
      done.catch(() => undefined);
      running.push(done);
      if (running.length > this.#workers.length * 2) yield this.#checked(await running.shift()!);
    }
    for (const done of running) {
      this.#mustGoOn();
      yield this.#checked(await done);
    }
  }

  /** Lets the processes end, so that all that they printed comes out. */
  async finish(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.finish()));
  }

  /** Ends the processes, whatever they do. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
  }

  #checked(done: BatchDone): BatchDone {
    const { stop } = done;
    if (stop === null) return done;
    const at = stop.at === null ? '' : ` (${shownPlace(this.#run, stop.at)})`;
    throw new RowFailure(stop.row, `${stop.says}${at}; the row: ${stop.value}`, {
      hint: 'Mend the module or the row; `on_error: drop` or `keep` goes on without it.',
    });
  }

  #mustGoOn(): void {
    if (this.#run.signal?.aborted === true) throw new HoldoutError('INTERRUPTED', 'interrupted');
  }
}
