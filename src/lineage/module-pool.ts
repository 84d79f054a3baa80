/**
 * Processes that hold a person's module: batches go round, results come back in the order of the batches. A row that takes
 * too long, or too much memory, ends them all, and is named.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import type { BatchPiece, ModuleBatch } from './module-messages.ts';
import { ModuleProcess, type ModuleRun, type ProcessOptions, shownPlace } from './module-process.ts';
import type { PieceQueue } from './piece-queue.ts';
import { RowFailure } from './step-output.ts';

/** How many processes, and what they see. */
export interface PoolOptions extends ProcessOptions {
  readonly workers: number;
}

/** Processes with one module. */
export class ModulePool {
  readonly #run: ModuleRun;
  readonly #workers: ModuleProcess[] = [];

  /** @throws HoldoutError IO where no process can be started */
  constructor(run: ModuleRun, options: PoolOptions) {
    this.#run = run;
    try {
      while (this.#workers.length < options.workers)
        this.#workers.push(new ModuleProcess(run, options, this.#workers.length));
    } catch (error) {
      void this.close();
      throw error;
    }
  }

  /**
   * Runs batches side by side and yields what they come to, piece by piece, in their order. Who takes the pieces slowly
   * makes the processes wait.
   * @throws RowFailure for a row that takes too long or too much memory, or on which the module throws where that counts
   * @throws HoldoutError INPUT_INVALID for a module that cannot be loaded; INTERRUPTED
   */
  async *runAll(batches: AsyncIterable<ModuleBatch> | Iterable<ModuleBatch>): AsyncGenerator<BatchPiece> {
    const running: PieceQueue[] = [];
    let next = 0;
    for await (const batch of batches) {
      this.#mustGoOn();
      running.push(this.#workers[next++ % this.#workers.length]!.run(batch));
      if (running.length > this.#workers.length * 2) yield* this.#piecesOf(running.shift()!);
    }
    for (const pieces of running) {
      this.#mustGoOn();
      yield* this.#piecesOf(pieces);
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

  async *#piecesOf(pieces: PieceQueue): AsyncGenerator<BatchPiece> {
    for await (const piece of pieces) {
      this.#mustNotStop(piece);
      yield piece;
    }
  }

  #mustNotStop({ stop }: BatchPiece): void {
    if (stop === null) return;
    const at = stop.at === null ? '' : ` (${shownPlace(this.#run, stop.at)})`;
    throw new RowFailure(stop.row, `${stop.says}${at}; the row: ${stop.value}`, {
      hint: 'Mend the module or the row; `on_error: drop` or `keep` goes on without it.',
    });
  }

  #mustGoOn(): void {
    if (this.#run.signal?.aborted === true) throw new HoldoutError('INTERRUPTED', 'interrupted');
  }
}
