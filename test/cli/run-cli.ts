/**
 * Runs the shipped command as a person would: a process of its own, in a folder of its own, with an empty home.
 * @module
 */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Closes stdout after the first bytes, as `| head` does. */
  readonly closeEarly?: boolean;
  /** Sends this after the first bytes. */
  readonly signal?: NodeJS.Signals;
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
    const env = { PATH: process.env['PATH'] ?? '', HOME: this.home, ...more };
    return spawn(process.execPath, [main, ...args], { cwd: this.folder, env });
  }

  run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
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

/** JSON Lines of objects. */
export const lines = (rows: readonly unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
