/**
 * One process with a person's module. It is a process, not a thread: whatever the module does to its memory, its
 * descriptors or its exit ends there, and the file of its pulse says at which row.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HoldoutError } from '../errors.ts';
import { codePath } from './code-identity.ts';
import type { ModuleGraph } from './module-graph.ts';
import { FrameReader, writeFrame } from './module-frames.ts';
import {
  type BatchPiece,
  type ModuleBatch,
  type ModuleReply,
  type ModuleRequest,
  type OnError,
  moduleChannel,
  readBeat,
  unpackPiece,
} from './module-messages.ts';
import { PieceQueue, pieceBytes } from './piece-queue.ts';
import { ioError } from '../store/io-error.ts';
import { RowFailure } from './step-output.ts';
import { syntaxErrorIn } from './strip-types.ts';

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
  /** Memory of one process, beside what Node itself takes. */
  readonly memoryMb: number;
  /** A folder for the files of the processes' pulses. */
  readonly scratch: string;
  readonly signal?: AbortSignal | undefined;
}

/** What a process sees, and is called. */
export interface ProcessOptions {
  /** Of no other processes of the run; its files are named after it. */
  readonly name: string;
  /** Whether the module sees another clock. */
  readonly clockAhead?: boolean;
  /** Whether what the module prints is dropped: a sample is run besides the run that counts. */
  readonly quiet?: boolean;
}

/** How long a process may take to end by itself, so that what it printed comes out. */
const endMsMax = 1000;
/** Ticks of the watch in one time limit: a row is ended an eighth to a quarter of the limit after it. */
const ticksPerLimit = 8;
/** Loading may compile and import much. */
const loadMsMin = 30_000;
/** JavaScript memory that Node takes for itself. */
const nodeMb = 16;
/** Where V8 begins to tell that it gives up; what follows is for the makers of V8. */
const lastWords = /\n?<--- Last few GCs --->|\n?FATAL ERROR: |\n?#\n# Fatal /;
const lastWordsCharsMax = 4000;
/** What a process may have sent before somebody takes it. */
const untakenBytesMax = 16 << 20;

/** A process that holds the module. */
export class ModuleProcess {
  readonly #run: ModuleRun;
  readonly #child: ChildProcess;
  /** Null where the process did not start. */
  readonly #channel: Socket | null;
  readonly #beat: number;
  readonly #waiting: PieceQueue[] = [];
  readonly #watch: NodeJS.Timeout;
  readonly #ended: Promise<void>;
  readonly #interrupt = (): void => this.#fail(new HoldoutError('INTERRUPTED', 'interrupted'));
  #lastWords: string | null = null;
  #failure: Error | null = null;
  #untakenBytes = 0;

  /** @throws HoldoutError IO where the file of its pulse cannot be made; that no process can be started is told later */
  constructor(run: ModuleRun, options: ProcessOptions, index: number) {
    this.#run = run;
    this.#beat = openBeat(join(run.scratch, `${options.name}-${index}.beat`));
    const script = fileURLToPath(new URL('./module-child.js', import.meta.url));
    // Nothing of it is Holdout's: standard output belongs to the answer.
    this.#child = spawn(process.execPath, [`--max-old-space-size=${run.memoryMb + nodeMb}`, script], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', this.#beat],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#print(text, options.quiet === true));
    }
    this.#channel = channelOf(this.#child);
    const frames = new FrameReader();
    this.#channel?.on('data', (chunk: Buffer) => {
      try {
        for (const { head, body } of frames.push(chunk)) this.#take(head as ModuleReply, body);
      } catch (cause) {
        this.#fail(this.#atBeat(`it wrote to descriptor ${moduleChannel}, which is Holdout's own`, { cause }));
      }
    });
    // A process that is gone is told of by its end.
    this.#channel?.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        if (this.#failure === null) this.#fail(this.#crash());
        resolve();
      };
      this.#child.once('error', (error) => {
        this.#fail(ioError('run', process.execPath, error));
        resolve();
      });
      this.#child.once('close', end).once('exit', () => setTimeout(end, endMsMax).unref());
    });
    const { entry, sources } = run.graph;
    const { exportName, args, onError, memoryMb } = run;
    const clockAhead = options.clockAhead === true;
    const parent = process.pid;
    this.#send({ kind: 'setup', setup: { entry, sources, exportName, args, onError, clockAhead, memoryMb, parent } });
    // Whole milliseconds, which a timer would cut down to.
    this.#watch = setInterval(this.#ticker(), Math.ceil(run.timeoutMs / ticksPerLimit));
    run.signal?.addEventListener('abort', this.#interrupt);
  }

  /** What a batch comes to. @throws RowFailure, HoldoutError, as the pieces are read, as the pool has them */
  run({ firstRow, bytes }: ModuleBatch): PieceQueue {
    const pieces = new PieceQueue((taken) => this.#untaken(-taken));
    if (this.#failure === null) {
      this.#waiting.push(pieces);
      this.#send({ kind: 'batch', firstRow }, bytes);
    } else pieces.fail(this.#failure);
    return pieces;
  }

  /** Lets it end, so that all that it printed comes out. */
  async finish(): Promise<void> {
    if (this.#failure !== null) return;
    this.#failure = new Error('finished');
    this.#send({ kind: 'end' });
    const late = setTimeout(() => this.#kill(), endMsMax);
    await this.#ended;
    clearTimeout(late);
  }

  /** Without a process there is no number of one, and a signal to number 0 goes to this process's own group. */
  #kill(): void {
    if (this.#child.pid !== undefined) this.#child.kill('SIGKILL');
  }

  /** Ends it, whatever it does. */
  async close(): Promise<void> {
    clearInterval(this.#watch);
    this.#run.signal?.removeEventListener('abort', this.#interrupt);
    this.#failure ??= new Error('closed');
    this.#kill();
    // One that is paused would never be seen to end.
    this.#channel?.destroy();
    await this.#ended;
    closeSync(this.#beat);
  }

  #send(request: ModuleRequest, ...body: readonly Uint8Array[]): void {
    for (const piece of writeFrame(request, ...body)) this.#channel?.write(piece);
  }

  /** What is not taken stays in the pipe, and the process waits. */
  #untaken(bytes: number): void {
    this.#untakenBytes += bytes;
    if (this.#untakenBytes > untakenBytesMax) this.#channel?.pause();
    else if (this.#channel?.isPaused() === true) this.#channel.resume();
  }

  #takePiece(piece: BatchPiece): void {
    this.#waiting[0]?.push(piece);
    if (piece.states !== null) this.#waiting.shift();
    this.#untaken(pieceBytes(piece));
  }

  #print(text: string, quiet: boolean): void {
    const from = this.#lastWords === null ? text.search(lastWords) : 0;
    const own = from < 0 ? text : text.slice(0, from);
    if (from >= 0) this.#lastWords = ((this.#lastWords ?? '') + text.slice(from)).slice(0, lastWordsCharsMax);
    if (!quiet && own !== '') process.stderr.write(own);
  }

  /** Looks whether it is still at the row of the last look; counts looks, as no clock is asked. */
  #ticker(): () => void {
    let [last, looks] = [-1, 0];
    const { path, timeoutMs } = this.#run;
    const loadMs = Math.max(loadMsMin, timeoutMs);
    const loadLooks = Math.ceil((ticksPerLimit * loadMs) / timeoutMs);
    return () => {
      const { row, busy, count } = readBeat(this.#beat);
      looks = busy && count === last ? looks + 1 : 0;
      last = count;
      if (looks <= (row < 0 ? loadLooks : ticksPerLimit)) return;
      this.#fail(
        row < 0
          ? new HoldoutError('LIMIT', `${path}: loading the module takes longer than ${loadMs / 1000} s`)
          : new RowFailure(row, `${path} took longer than ${timeoutMs} ms for this row`, {
              hint: 'Give it longer with `timeout_ms`, or mend the module.',
            }),
      );
    };
  }

  #take(reply: ModuleReply, body: Buffer): void {
    if (reply.kind === 'piece') this.#takePiece(unpackPiece(reply, body));
    else if (reply.kind === 'crash') this.#fail(this.#atBeat(reply.says, {}));
    else {
      const told = reply.says.startsWith('SyntaxError: ') ? this.#syntaxError() : null;
      if (told !== null) return this.#fail(told);
      const at = reply.at === null ? '' : ` (${shownPlace(this.#run, reply.at)})`;
      this.#fail(new HoldoutError('INPUT_INVALID', `${this.#run.path}: ${reply.says}${at}`));
    }
  }

  /** Node gives a module's syntax error no place that can be read from it. */
  #syntaxError(): HoldoutError | null {
    const { graph, projectRoot } = this.#run;
    for (const { url, format, source } of graph.sources) {
      const told = format === 'module' ? syntaxErrorIn(source, codePath(projectRoot, fileURLToPath(url))) : null;
      if (told !== null) return told;
    }
    return null;
  }

  /** Why it ended when nobody asked it to. */
  #crash(): Error {
    const { signalCode } = this.#child;
    const { memoryMb } = this.#run;
    const outOfMemory = readBeat(this.#beat).tooLarge || /out of memory/.test(this.#lastWords ?? '');
    if (outOfMemory)
      return this.#atBeat(`it needs more than ${memoryMb} MB`, { hint: 'Give it more with `memory_mb`.' });
    if (signalCode === null) return this.#atBeat('it ended its process, as process.exit() does', {});
    const fatal = /FATAL ERROR: [^\n]*/.exec(this.#lastWords ?? '')?.[0];
    return this.#atBeat(`its process was ended by ${signalCode}${fatal === undefined ? '' : ` (${fatal})`}`, {});
  }

  /** An error at the row that it was at. */
  #atBeat(says: string, options: { readonly hint?: string; readonly cause?: unknown }): Error {
    const { row, busy } = readBeat(this.#beat);
    if (row < 0) return new HoldoutError('INPUT_INVALID', `${this.#run.path}: ${says}`, options);
    return new RowFailure(row, `${this.#run.path}${busy ? '' : ', after this row'}: ${says}`, options);
  }

  /** The first failure counts; the process ends with it. */
  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    clearInterval(this.#watch);
    for (const waiting of this.#waiting.splice(0)) waiting.fail(error);
    this.#kill();
  }
}

/** @throws HoldoutError IO */
function openBeat(path: string): number {
  try {
    return openSync(path, 'wx+');
  } catch (error) {
    throw ioError('make', path, error);
  }
}

/** Without a descriptor left Node makes no pipes at all, whatever its types say; the error comes as an event. */
function channelOf({ stdio }: { readonly stdio: ChildProcess['stdio'] | undefined }): Socket | null {
  return (stdio?.[moduleChannel] ?? null) as Socket | null;
}

/** `steps/clean.ts:12:7`. */
export function shownPlace({ projectRoot }: Pick<ModuleRun, 'projectRoot'>, at: string): string {
  const [, url = at, place = ''] = /^(.*?)((?::\d+)*)$/.exec(at) ?? [];
  return `${codePath(projectRoot, fileURLToPath(url))}${place}`;
}
