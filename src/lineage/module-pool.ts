/**
 * Workers that hold a person's module: batches go round, results come back in the order of the batches. A row that takes
 * too long, or too much memory, ends them all, and is named.
 * @module
 */
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { HoldoutError } from '../errors.ts';
import { codePath } from './code-identity.ts';
import type { ModuleGraph } from './module-graph.ts';
import {
  type BatchDone,
  type ModuleBatch,
  type ModuleReply,
  type ModuleSetup,
  type OnError,
  beatBytes,
  beatOf,
} from './module-messages.ts';
import { RowFailure } from './step-output.ts';

/** How a module is run. */
export interface ModuleRun {
  readonly graph: ModuleGraph;
  /** The module's path, for messages. */
  readonly path: string;
  readonly projectRoot: string;
  readonly exportName: string;
  readonly args: unknown;
  readonly onError: OnError;
  /** For one row. */
  readonly timeoutMs: number;
  /** JavaScript memory of one worker. */
  readonly memoryMb: number;
  readonly signal?: AbortSignal | undefined;
}

/** How many workers, and what they see. */
export interface PoolOptions {
  readonly workers: number;
  /** Whether the module sees another clock. */
  readonly clockAhead?: boolean;
  /** Whether what the module prints is dropped: a sample is run besides the run that counts. */
  readonly quiet?: boolean;
}

/** How long a worker may take to end by itself, so that what it printed comes out. */
const endMsMax = 1000;

/** Ticks of the watch in one time limit: a row is ended between one limit and an eighth more. */
const ticksPerLimit = 8;
/** Loading may compile and import much. */
const loadMsMin = 30_000;

/** Workers with one module. */
export class ModulePool {
  readonly #run: ModuleRun;
  readonly #workers: ModuleThread[];

  constructor(run: ModuleRun, options: PoolOptions) {
    this.#run = run;
    this.#workers = Array.from({ length: options.workers }, () => new ModuleThread(run, options));
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

  /** Lets the workers end, so that all that they printed comes out. */
  async finish(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.finish()));
  }

  /** Ends the workers, whatever they do. */
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

interface Waiting {
  resolve(done: BatchDone): void;
  reject(error: Error): void;
}

class ModuleThread {
  readonly #run: ModuleRun;
  readonly #worker: Worker;
  readonly #beat = new SharedArrayBuffer(beatBytes);
  readonly #waiting: Waiting[] = [];
  readonly #watch: NodeJS.Timeout;
  readonly #interrupt = (): void => this.#fail(new HoldoutError('INTERRUPTED', 'interrupted'));
  #failure: Error | null = null;

  constructor(run: ModuleRun, { clockAhead = false, quiet = false }: PoolOptions) {
    this.#run = run;
    const { entry, sources } = run.graph;
    const { exportName, args, onError } = run;
    const setup: ModuleSetup = { entry, sources, exportName, args, onError, beat: this.#beat, clockAhead };
    this.#worker = new Worker(new URL('./module-worker.js', import.meta.url), {
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: run.memoryMb },
      stdout: true,
      stderr: true,
    });
    // What the module prints is for the person; standard output belongs to Holdout's answer.
    const print = (text: Buffer): unknown => quiet || process.stderr.write(text);
    this.#worker.stdout.on('data', print);
    this.#worker.stderr.on('data', print);
    this.#worker.on('message', (reply: ModuleReply) => this.#take(reply));
    this.#worker.on('error', (error) => this.#fail(this.#crash(error)));
    this.#worker.on('exit', () => this.#fail(this.#crash(new Error('it ended its thread, as process.exit() does'))));
    this.#watch = setInterval(this.#ticker(), run.timeoutMs / ticksPerLimit);
    run.signal?.addEventListener('abort', this.#interrupt);
  }

  run(batch: ModuleBatch): Promise<BatchDone> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(batch, [batch.bytes.buffer]);
    });
  }

  async finish(): Promise<void> {
    if (this.#failure !== null) return;
    this.#failure = new Error('finished');
    const ended = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage(null, []);
    const late = setTimeout(() => void this.#worker.terminate(), endMsMax);
    await ended;
    clearTimeout(late);
  }

  async close(): Promise<void> {
    clearInterval(this.#watch);
    this.#run.signal?.removeEventListener('abort', this.#interrupt);
    this.#failure ??= new Error('closed');
    await this.#worker.terminate();
  }

  /** Looks whether the worker is still at the row of the last look; counts looks, as no clock is asked. */
  #ticker(): () => void {
    let [last, looks] = [-1, 0];
    const loadMs = Math.max(loadMsMin, this.#run.timeoutMs);
    const loadLooks = Math.ceil((ticksPerLimit * loadMs) / this.#run.timeoutMs);
    return () => {
      const { row, busy, count } = beatOf(this.#beat);
      looks = busy && count === last ? looks + 1 : 0;
      last = count;
      if (looks <= (row < 0 ? loadLooks : ticksPerLimit)) return;
      this.#fail(
        row < 0
          ? new HoldoutError('LIMIT', `${this.#run.path}: loading the module takes longer than ${loadMs / 1000} s`)
          : new RowFailure(row, `${this.#run.path} took longer than ${this.#run.timeoutMs} ms for this row`, {
              hint: 'Give it longer with `timeout_ms`, or mend the module.',
            }),
      );
    };
  }

  #take(reply: ModuleReply): void {
    if (reply.kind === 'ready') return;
    if (reply.kind === 'done') this.#waiting.shift()?.resolve(reply.done);
    else {
      const at = reply.at === null ? '' : ` (${shownPlace(this.#run, reply.at)})`;
      this.#fail(new HoldoutError('INPUT_INVALID', `${this.#run.path}: ${reply.says}${at}`));
    }
  }

  #crash(error: Error): Error {
    const { row, busy } = beatOf(this.#beat);
    const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
    const says = memory ? `it needs more than ${this.#run.memoryMb} MB` : error.message;
    const hint = memory ? { hint: 'Give it more with `memory_mb`.' } : {};
    if (row < 0) return new HoldoutError('INPUT_INVALID', `${this.#run.path}: ${says}`, { ...hint, cause: error });
    return new RowFailure(row, `${this.#run.path}${busy ? '' : ', after this row'}: ${says}`, {
      ...hint,
      cause: error,
    });
  }

  /** The first failure counts; the worker ends with it. */
  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    clearInterval(this.#watch);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
    void this.#worker.terminate();
  }
}

/** `steps/clean.ts:12:7`. */
function shownPlace({ projectRoot }: ModuleRun, at: string): string {
  const [, url = at, place = ''] = /^(.*?)((?::\d+)*)$/.exec(at) ?? [];
  return `${codePath(projectRoot, fileURLToPath(url))}${place}`;
}
