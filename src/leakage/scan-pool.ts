/**
 * A few scan workers that take tasks in turn; results come back in the order of the tasks.
 * @module
 */
import { Worker } from 'node:worker_threads';
import { HoldoutError } from '../errors.ts';
import type { RunTable } from './kernel.ts';
import type { ScanReply, ScanTask } from './scan-worker.ts';

/** A task that was done. */
export type ScanDone = Exclude<ScanReply, { failed: string }>;

interface Slot {
  readonly worker: Worker;
  waiting: { resolve(done: ScanDone): void; reject(error: Error): void } | null;
}

/** Worker threads that hold the table of runs. */
export class ScanPool {
  readonly #slots: Slot[] = [];
  readonly #free: Slot[] = [];
  readonly #queue: ((slot: Slot) => void)[] = [];

  constructor(table: RunTable, threads: number) {
    for (let i = 0; i < threads; i++) {
      const worker = new Worker(new URL('./scan-worker.js', import.meta.url), { workerData: table });
      const slot: Slot = { worker, waiting: null };
      worker.on('message', (reply: ScanReply) => this.#finish(slot, reply));
      worker.on('error', (error) => slot.waiting?.reject(error));
      this.#slots.push(slot);
      this.#free.push(slot);
    }
  }

  /** How many tasks may run at a time. */
  get width(): number {
    return this.#slots.length;
  }

  /**
   * Does a task on the next free worker.
   * @throws HoldoutError IO when its file cannot be read, LIMIT when a line does not fit the memory.
   */
  async scan(task: ScanTask): Promise<ScanDone> {
    const slot = this.#free.pop() ?? (await new Promise<Slot>((resolve) => this.#queue.push(resolve)));
    return await new Promise((resolve, reject) => {
      slot.waiting = { resolve, reject };
      if (task.kind === 'range') {
        slot.worker.postMessage(task, []);
        return;
      }
      // A copy of its own: the block belongs to the reader, which may use its memory again.
      const bytes = new Uint8Array(task.bytes);
      slot.worker.postMessage({ kind: 'lines', bytes } satisfies ScanTask, [bytes.buffer]);
    });
  }

  /** Does tasks side by side and yields what they gave, in their order. */
  async *scanAll<T extends { readonly task: ScanTask }>(
    tasks: AsyncIterable<T> | Iterable<T>,
  ): AsyncGenerator<{ readonly from: T; readonly done: ScanDone }> {
    const running: { from: T; done: Promise<ScanDone> }[] = [];
    for await (const from of tasks) {
      const done = this.scan(from.task);
      // A failure is thrown where the result is awaited; until then it is nobody's.
      done.catch(() => undefined);
      running.push({ from, done });
      const first = running.length > this.width + 1 ? running.shift() : undefined;
      if (first !== undefined) yield { from: first.from, done: await first.done };
    }
    for (const { from, done } of running) yield { from, done: await done };
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await Promise.all(this.#slots.map(({ worker }) => worker.terminate()));
  }

  #finish(slot: Slot, reply: ScanReply): void {
    const waiting = slot.waiting;
    slot.waiting = null;
    const next = this.#queue.shift();
    if (next === undefined) this.#free.push(slot);
    else next(slot);
    if (!('failed' in reply)) waiting?.resolve(reply);
    else waiting?.reject(new HoldoutError(reply.code === undefined ? 'LIMIT' : 'IO', reply.failed));
  }
}
