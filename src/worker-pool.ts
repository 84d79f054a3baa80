/**
 * Worker threads that each hold the same settings and answer tasks, each thread in the order of its own. The one
 * mechanism for work that is handed to threads; code of a person's own has another, as it may hang or run wild.
 * @module
 */
import { Worker, parentPort, workerData } from 'node:worker_threads';
import { type ErrorCode, HoldoutError, type HoldoutErrorOptions } from './errors.ts';

/** What the threads are. */
export interface PoolPlan {
  /** Module that calls `answerTasks`. */
  readonly module: URL;
  readonly settings?: unknown;
  readonly threads: number;
  /** What a thread does, for messages: `reads texts`. */
  readonly does: string;
}

type Reply<Done> = { readonly done: Done } | { readonly failed: Failure };

/** An error on its way between threads: a class of our own would lose what it adds to `Error`. */
type Failure =
  | { readonly code: ErrorCode; readonly message: string; readonly options: HoldoutErrorOptions }
  | { readonly error: Error };

interface Waiting<Done> {
  resolve(done: Done): void;
  reject(error: Error): void;
}

interface Hand<Done> {
  readonly worker: Worker;
  /** Who waits for the answers that are still to come, in order. */
  readonly waiting: Waiting<Done>[];
  /** Why the thread ended; null while it lives. */
  ended: Error | null;
}

/**
 * Threads, each of which starts when a task finds the others at work, so that little work takes one; `close` ends them.
 * An idle pool does not keep the process alive; one with work does.
 */
export class WorkerPool<Task, Done> {
  readonly #plan: PoolPlan;
  readonly #hands: Hand<Done>[] = [];

  constructor(plan: PoolPlan) {
    this.#plan = plan;
  }

  /** How many tasks may run at a time. */
  get width(): number {
    return this.#plan.threads;
  }

  /**
   * Does a task on a new thread where all are at work and more may be, else on the one that has the fewest.
   * @param moved memory that is handed over, not copied
   * @throws HoldoutError what the work throws; `IO` for an error of the system; `LIMIT` for a thread without memory
   */
  async run(task: Task, moved: readonly ArrayBuffer[] = []): Promise<Done> {
    const busy = this.#hands.every(({ waiting }) => waiting.length > 0);
    if (busy && this.#hands.length < this.width) return ask(this.#start(), task, moved);
    const idlest = this.#hands.reduce((least, hand) => (hand.waiting.length < least.waiting.length ? hand : least));
    return ask(idlest, task, moved);
  }

  /** Does a task on each thread. @throws as `run` does */
  async runOnAll(task: Task): Promise<Done[]> {
    while (this.#hands.length < this.width) this.#start();
    return Promise.all(this.#hands.map((hand) => ask(hand, task, [])));
  }

  /** Does what `run` asks for side by side and yields what came of it, in the order of the tasks. */
  async *runAll<T>(
    tasks: AsyncIterable<T> | Iterable<T>,
    run: (task: T) => Promise<Done>,
  ): AsyncGenerator<{ readonly from: T; readonly done: Done }> {
    const running: { readonly from: T; readonly done: Promise<Done> }[] = [];
    for await (const from of tasks) {
      const done = run(from);
      // A failure is thrown where the result is awaited; until then it is nobody's.
      done.catch(() => undefined);
      running.push({ from, done });
      const first = running.length > 2 * this.width ? running.shift() : undefined;
      if (first !== undefined) yield { from: first.from, done: await first.done };
    }
    for (const { from, done } of running) yield { from, done: await done };
  }

  /** Ends the threads, whatever they do. */
  async close(): Promise<void> {
    await Promise.all(this.#hands.map(({ worker }) => worker.terminate()));
  }

  #start(): Hand<Done> {
    const hand = startHand<Done>(this.#plan);
    this.#hands.push(hand);
    return hand;
  }
}

function startHand<Done>({ module, settings, does }: PoolPlan): Hand<Done> {
  const worker = new Worker(module, { workerData: settings });
  const hand: Hand<Done> = { worker, waiting: [], ended: null };
  worker.unref();
  worker.on('message', (reply: Reply<Done>) => {
    const waiting = hand.waiting.shift();
    if (hand.waiting.length === 0) worker.unref();
    if ('failed' in reply) waiting?.reject(errorOf(reply.failed));
    else waiting?.resolve(reply.done);
  });
  const end = (cause: unknown): void => {
    hand.ended ??= endedError(does, cause);
    for (const waiting of hand.waiting.splice(0)) waiting.reject(hand.ended);
  };
  worker.on('error', end);
  worker.on('exit', () => end(undefined));
  return hand;
}

async function ask<Done>(hand: Hand<Done>, task: unknown, moved: readonly ArrayBuffer[]): Promise<Done> {
  return new Promise((resolve, reject) => {
    if (hand.ended !== null) {
      reject(hand.ended);
      return;
    }
    hand.waiting.push({ resolve, reject });
    hand.worker.ref();
    hand.worker.postMessage(task, moved);
  });
}

function endedError(does: string, cause: unknown): Error {
  if ((cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new HoldoutError('LIMIT', `a thread that ${does} ran out of memory`, { cause, hint: 'Use fewer threads.' });
  }
  return new Error(`a thread that ${does} ended before its work was done`, { cause });
}

/**
 * In the module of the threads: answers tasks one after the other.
 * @param prepare makes of the settings what does a task
 * @param movedOf memory of a result that is handed over, not copied
 */
export function answerTasks<Done>(
  prepare: (settings: unknown) => (task: never) => Done,
  movedOf: (done: Done) => readonly ArrayBuffer[] = () => [],
): void {
  if (parentPort === null) return;
  const port = parentPort;
  const work = prepare(workerData);
  port.on('message', (task: unknown) => {
    let reply: Reply<Done>;
    try {
      reply = { done: work(task as never) };
    } catch (error) {
      reply = { failed: failureOf(error) };
    }
    port.postMessage(reply, 'done' in reply ? movedOf(reply.done) : []);
  });
}

function failureOf(error: unknown): Failure {
  if (error instanceof HoldoutError) {
    const { code, message, place, hint } = error;
    return { code, message, options: { ...place, ...(hint === undefined ? {} : { hint }) } };
  }
  if (!(error instanceof Error)) return { error: new Error(String(error)) };
  return 'syscall' in error ? { code: 'IO', message: error.message, options: {} } : { error };
}

function errorOf(failure: Failure): Error {
  return 'error' in failure ? failure.error : new HoldoutError(failure.code, failure.message, failure.options);
}

/** Memory of the typed arrays that are members of a value. */
export function buffersOf(value: object): ArrayBuffer[] {
  const buffers = Object.values(value).flatMap((member: unknown) =>
    ArrayBuffer.isView(member) && member.buffer instanceof ArrayBuffer ? [member.buffer] : [],
  );
  return [...new Set(buffers)];
}
