/**
 * Runs the shipped command as a person would: in a folder of its own, with an empty home. Commands that are just run go
 * through a process that runs many (`command-server.ts`); what is about a process gets one of its own.
 * @module
 */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Outcome, serveCommand } from './command-server.ts';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Closes stdout after the first bytes, as `| head` does. */
  readonly closeEarly?: boolean;
  /** Sends this after the first bytes. */
  readonly signal?: NodeJS.Signals;
  /** In a process of its own, which it has anyway with standard input, NODE_OPTIONS or another command beside it. */
  readonly ownProcess?: boolean;
}

/** A folder to run commands in. */
export class Sandbox {
  readonly folder: string;
  private readonly home: string;

  private constructor(folder: string) {
    this.folder = join(folder, 'work');
    this.home = folder;
  }

  static async make(files: Readonly<Record<string, string>> = {}): Promise<Sandbox> {
    const sandbox = new Sandbox(await mkdtemp(join(tmpdir(), 'holdout-cli-test-')));
    await mkdir(sandbox.folder);
    for (const [name, text] of Object.entries(files)) await sandbox.write(name, text);
    return sandbox;
  }

  /** A folder with the same files, its store among them. */
  async copy(): Promise<Sandbox> {
    const sandbox = await Sandbox.make();
    await cp(this.folder, sandbox.folder, { recursive: true, preserveTimestamps: true });
    return sandbox;
  }

  async write(name: string, text: string): Promise<void> {
    const path = join(this.folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text);
  }

  async remove(): Promise<void> {
    await rm(this.home, { recursive: true, force: true });
  }

  /** Starts a command whose standard input stays open. */
  start(args: readonly string[], more: RunOptions['env'] = {}): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [main, ...args], { cwd: this.folder, env: this.environment(more) });
  }

  private environment(more: RunOptions['env'] = {}): Record<string, string> {
    return { PATH: process.env['PATH'] ?? '', HOME: this.home, ...more };
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const { folder, home } = this;
    const environment = this.environment(options.env);
    const served = isAboutProcess(args, options) ? null : serveCommand({ args, folder, home, environment });
    return served ?? this.spawned(args, options);
  }

  private spawned(args: readonly string[], options: RunOptions): Promise<Outcome> {
    const child = this.start(args, options.env);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout === '' && options.signal !== undefined) child.kill(options.signal);
      stdout += text;
      if (options.closeEarly === true) child.stdout.destroy();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdin.end(options.stdin ?? '');
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status) => resolve({ status, stdout, stderr }));
    });
  }

  /** Runs a command that must end with 0, and gives what it prints. */
  async told(args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(args);
    if (status !== 0) throw new Error(stderr);
    return stdout;
  }

  /** Runs a command that must end with `status` (0), and reads its `--json`. */
  async json<T = Record<string, unknown>>(args: readonly string[], status = 0): Promise<T> {
    const outcome = await this.run([...args, '--json']);
    if (outcome.status !== status) throw new Error(`${args.join(' ')}: ${JSON.stringify(outcome)}`);
    return JSON.parse(outcome.stdout) as T;
  }
}

function isAboutProcess(args: readonly string[], options: RunOptions): boolean {
  const { stdin, env = {}, closeEarly, signal, ownProcess } = options;
  if (stdin !== undefined || 'NODE_OPTIONS' in env || args.includes('-')) return true;
  return closeEarly === true || signal !== undefined || ownProcess === true;
}

/** JSON Lines of objects. */
export const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
