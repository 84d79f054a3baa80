/**
 * What every command stands in: the folder, the clock, the store that it belongs to, scratch space and engines that
 * are given back at the end, and what an interrupt does.
 * @module
 */
import { rmSync } from 'node:fs';
import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Engine } from '../src/engine/engine.ts';
import { HoldoutError } from '../src/errors.ts';
import type { Store } from '../src/store/store.ts';
import type { Options } from './command-spec.ts';
import { exitStatus } from './exit-codes.ts';
import { remark, reportError } from './output.ts';
import { threadsAsked } from './threads.ts';

/** What an engine may read and write, beside its own scratch space. */
export interface EngineAccess {
  readonly readPaths?: readonly string[];
  readonly writeDirectories?: readonly string[];
}

const storeFolder = '.holdout';
/** How long a run may take to unwind after an interrupt before it is ended. */
const unwindMs = 700;

/** One run of one command. Opened by `start`, closed by `finish`. */
export class CliContext {
  readonly json: boolean;
  readonly holdoutVersion: string;
  /** Where the person stood before `-C`. */
  readonly startedIn: string;
  /** Threads that work is spread over. */
  readonly threads: number;
  private readonly chosenDirectory: boolean;
  private readonly closers: (() => Promise<void> | void)[] = [];
  private readonly leavings: (() => void)[] = [];
  private readonly stopping = new AbortController();
  private interruptedAs: number | null = null;

  private constructor(options: Options, holdoutVersion: string, startedIn: string) {
    this.json = options.flag('json');
    this.holdoutVersion = holdoutVersion;
    this.startedIn = startedIn;
    this.chosenDirectory = options.text('directory') !== undefined;
    this.threads = threadsAsked();
  }

  /** Reads the options that every command has and changes to the folder of `-C`. */
  static start(options: Options, holdoutVersion: string): CliContext {
    const startedIn = process.cwd();
    const directory = options.text('directory');
    if (directory !== undefined) {
      try {
        process.chdir(directory);
      } catch (error) {
        throw new HoldoutError('NOT_FOUND', `-C ${directory}: no such folder`, { cause: error });
      }
    }
    return new CliContext(options, holdoutVersion, startedIn);
  }

  /** Runs the command, reports what it throws, gives everything back. The process is then as it was before. */
  async finish(run: () => Promise<number>): Promise<number> {
    const interrupted = (): void => this.interrupt(exitStatus.interrupted);
    const terminated = (): void => this.interrupt(exitStatus.terminated);
    const leave = (): void => this.leave();
    process.on('SIGINT', interrupted).on('SIGTERM', terminated).once('exit', leave);
    try {
      return await this.runAndClose(run);
    } finally {
      this.leave();
      process.off('SIGINT', interrupted).off('SIGTERM', terminated).off('exit', leave);
    }
  }

  private async runAndClose(run: () => Promise<number>): Promise<number> {
    let status: number;
    try {
      status = await run();
    } catch (error) {
      status = this.interruptedAs ?? (await reportError(error, this.json));
    }
    for (const close of this.closers.reverse()) {
      try {
        await close();
      } catch (error) {
        remark(`while tidying up: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return this.interruptedAs ?? status;
  }

  /** Takes away what must not outlive the command; what could not be closed may have been at work until now. */
  private leave(): void {
    for (const remove of this.leavings.splice(0)) remove();
  }

  private interrupt(status: number): void {
    if (this.interruptedAs !== null) process.exit(this.interruptedAs);
    this.interruptedAs = status;
    process.stderr.write('\ninterrupted; nothing half-made is kept\n');
    this.stopping.abort();
    // What does not stop by then is left where it is; temporary files go when the process does.
    setTimeout(() => process.exit(status), unwindMs).unref();
  }

  /** Whether to go on. @throws HoldoutError `INTERRUPTED` after an interrupt. */
  mustGoOn(): void {
    if (this.interruptedAs !== null) throw new HoldoutError('INTERRUPTED', 'interrupted');
  }

  /** The clock. */
  now(): Date {
    return new Date();
  }

  /** Does something when the command ends, however it ends; last in, first out. */
  atEnd(close: () => Promise<void> | void): void {
    this.closers.push(close);
  }

  /** Aborted at the first interrupt. */
  get signal(): AbortSignal {
    return this.stopping.signal;
  }

  /** Where a new store would be made: `.holdout` here, or what HOLDOUT_DIR names. */
  newStoreRoot(): string {
    const named = this.namedStore();
    return named ?? resolve(storeFolder);
  }

  private namedStore(): string | null {
    const named = process.env['HOLDOUT_DIR'];
    if (this.chosenDirectory || named === undefined || named === '') return null;
    return basename(named) === storeFolder ? resolve(named) : resolve(named, storeFolder);
  }

  /**
   * The store that a folder, else the one where the person stands, belongs to, or null.
   * @throws HoldoutError STORE_UNUSABLE for a store named in vain.
   */
  async findStore(folder = process.cwd()): Promise<Store | null> {
    const { Store } = await import('../src/store/store.ts');
    const named = this.namedStore();
    const root = named ?? (await Store.find(folder));
    if (root === null) return null;
    const store = await Store.open(root);
    this.leavings.push(() => store.removeTemporaries());
    this.atEnd(() => store.close());
    return store;
  }

  /** The store that a folder, else this one, belongs to. @throws HoldoutError STORE_UNUSABLE where there is none. */
  async openStore(folder = process.cwd()): Promise<Store> {
    const store = await this.findStore(folder);
    if (store !== null) return store;
    throw new HoldoutError('STORE_UNUSABLE', 'no store here, nor in any folder above', {
      hint: '`holdout init` makes one here; `holdout check` and `holdout id` work without',
    });
  }

  /** A fresh scratch folder, removed at the end. */
  async scratch(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'holdout-'));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    this.leavings.push(remove);
    this.atEnd(remove);
    return folder;
  }

  /** Scratch space in the store's own temporary folder where there is a store, else in the system's. */
  async scratchBeside(store: Store | null): Promise<string> {
    if (store === null) return this.scratch();
    const folder = await store.tempDirectory();
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    this.leavings.push(remove);
    this.atEnd(remove);
    return folder;
  }

  /** Opens an engine that is closed at the end and stopped by an interrupt. */
  async openEngine(store: Store | null, access: EngineAccess = {}): Promise<Engine> {
    const { Engine } = await import('../src/engine/engine.ts');
    const tempDirectory = await this.scratchBeside(store);
    const readDirectories = store === null ? [] : [store.root];
    // Where `tempPath` puts its files.
    const writeDirectories = store === null ? [] : [dirname(await store.tempPath())];
    const engine = await Engine.open({
      threads: this.threads,
      tempDirectory,
      readPaths: [...(access.readPaths ?? [])],
      readDirectories,
      writeDirectories: [...writeDirectories, ...(access.writeDirectories ?? [])],
      signal: this.signal,
    });
    this.atEnd(() => engine.close());
    return engine;
  }
}

/** Whether a path exists. */
export async function pathExists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
