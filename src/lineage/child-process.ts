/**
 * Runs a command of the person's as a process group of its own: fed by us, its output taken as fast as it comes, ended
 * with all that it started when time is up, the run is interrupted or this process ends, however it ends.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { HoldoutError } from '../errors.ts';
import { errnoOf, ioError } from '../store/io-error.ts';
import { type GroupWatch, startGroupWatch } from './group-watch.ts';

/** A command: a line for the platform's shell, or a program with its arguments. */
export type CommandLine = string | readonly string[];

/** How a command is run. */
export interface CommandRun {
  readonly command: CommandLine;
  readonly folder: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Added to the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether what it prints on standard error is dropped rather than passed on. */
  readonly quiet?: boolean;
}

/** What is written to its standard input, piece by piece. */
export type CommandInput = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

const stderrTailCharsMax = 4000;
const stderrTailLines = 10;
const graceMs = 400;
/** How long what a command started may go on writing after the command itself has ended. */
const lingerMs = 5000;

/**
 * Runs a command to its end. What it has not read when it ends is not missed: `head` is a filter, too.
 * @param take is given its standard output; the command waits while it does
 * @throws HoldoutError INPUT_INVALID with the end of its standard error when it fails; NOT_FOUND where there is no such
 *   program; LIMIT when its time is up; INTERRUPTED; as `take` and `input` do
 */
export async function runCommand(
  run: CommandRun,
  input: CommandInput,
  take: (bytes: Uint8Array) => Promise<void> | void,
): Promise<void> {
  if (run.signal?.aborted === true) throw new HoldoutError('INTERRUPTED', 'interrupted');
  const watch = startGroupWatch();
  const child = start(run, watch);
  const kill = (signal: NodeJS.Signals): void => killGroup(child, signal);
  const atExit = (): void => kill('SIGKILL');
  const timers: NodeJS.Timeout[] = [];
  const killAfter = (ms: number): void => void timers.push(setTimeout(atExit, ms).unref());
  let stopped: HoldoutError | null = null;
  const stop = (why: HoldoutError): void => {
    stopped ??= why;
    kill('SIGTERM');
    killAfter(graceMs);
  };
  const interrupt = (): void => stop(new HoldoutError('INTERRUPTED', 'interrupted'));
  const late = setTimeout(() => {
    const seconds = run.timeoutMs / 1000;
    stop(
      new HoldoutError('LIMIT', `${commandText(run.command)} took longer than ${seconds} s`, {
        hint: 'Give it longer with `timeout_s`.',
      }),
    );
  }, run.timeoutMs);
  run.signal?.addEventListener('abort', interrupt);
  process.once('exit', atExit);
  try {
    const tail = keepTail(child, run.quiet === true);
    const ended = new Promise<Ended>((resolve) => child.once('close', (status, signal) => resolve({ status, signal })));
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve).once('error', (error) => reject(cannotStart(run, error)));
    });
    child.once('exit', () => killAfter(lingerMs));
    const taking = drain(child, take).catch((error: unknown) => {
      kill('SIGTERM');
      throw error;
    });
    const results = await Promise.allSettled([feed(child, input), taking, ended]);
    if (stopped !== null) throw stopped as HoldoutError;
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    const { status, signal } = await ended;
    if (status !== 0) throw failed(run, { status, signal }, tail());
  } finally {
    clearTimeout(late);
    // Later the number of its group may be that of another.
    for (const timer of timers) clearTimeout(timer);
    run.signal?.removeEventListener('abort', interrupt);
    process.removeListener('exit', atExit);
    // What it left running in its group ends with it.
    kill('SIGKILL');
    watch.dismiss();
  }
}

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command as people write it. */
export function commandText(command: CommandLine): string {
  return typeof command === 'string' ? command : command.join(' ');
}

function start({ command, folder, environment }: CommandRun, watch: GroupWatch): ChildProcess {
  const options = {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: 'pipe',
    // Its own process group, so that all of it can be ended.
    detached: process.platform !== 'win32',
  } as const;
  try {
    const [program = '', ...args] = typeof command === 'string' ? [] : command;
    const child =
      typeof command === 'string' ? spawn(command, { ...options, shell: true }) : spawn(program, args, options);
    if (child.pid !== undefined) watch.begin(child.pid);
    return child;
  } catch (error) {
    watch.dismiss();
    throw error;
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch (error) {
    // No process of the group is left.
    if (errnoOf(error) !== 'ESRCH' && errnoOf(error) !== 'EPERM') throw error;
  }
}

/** Passes standard error on and keeps its end. */
function keepTail(child: ChildProcess, quiet: boolean): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    if (!quiet) process.stderr.write(text);
    tail = (tail + text).slice(-stderrTailCharsMax);
  });
  return () => tail.trimEnd().split('\n').slice(-stderrTailLines).join('\n');
}

async function feed({ stdin }: ChildProcess, input: CommandInput): Promise<void> {
  if (stdin === null) throw new TypeError('the command has no standard input');
  let closed = false;
  let failure: unknown = null;
  stdin.on('error', (error) => {
    closed = true;
    // It reads no more: not our affair.
    if (!['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'].includes(errnoOf(error) ?? '')) failure = error;
  });
  const over = once(stdin, 'close').catch(() => undefined);
  try {
    for await (const piece of input) {
      if (closed || stdin.destroyed) break;
      if (!stdin.write(piece)) await Promise.race([once(stdin, 'drain').catch(() => undefined), over]);
    }
  } finally {
    stdin.end();
  }
  if (failure !== null) throw ioError('write to', 'the command', failure);
}

async function drain({ stdout }: ChildProcess, take: (bytes: Uint8Array) => Promise<void> | void): Promise<void> {
  if (stdout === null) throw new TypeError('the command has no standard output');
  for await (const bytes of stdout as AsyncIterable<Buffer>) await take(bytes);
}

function cannotStart({ command, folder }: CommandRun, error: unknown): HoldoutError {
  if (errnoOf(error) === 'EACCES') {
    return new HoldoutError(
      'USAGE',
      `${typeof command === 'string' ? command : command[0]} is no program that may be run`,
      {
        hint: 'Make the file executable (chmod +x), or name the program that runs it first.',
      },
    );
  }
  if (errnoOf(error) !== 'ENOENT') return ioError('run', commandText(command), error);
  const program = typeof command === 'string' ? 'a shell' : (command[0] ?? '');
  return new HoldoutError('NOT_FOUND', `there is no program "${program}"`, {
    hint: `It is looked for in PATH; the command runs in ${folder}.`,
  });
}

function failed({ command, quiet = false }: CommandRun, { status, signal }: Ended, tail: string): HoldoutError {
  const how = signal === null ? `ended with exit code ${status}` : `was ended by ${signal}`;
  // What was passed on has been read already.
  const words = quiet ? `; the end of what it said:\n${tail}` : '; what it said stands above';
  const said = tail === '' ? '' : words;
  return new HoldoutError('INPUT_INVALID', `${commandText(command)} ${how}${said}`);
}
