/**
 * A process that runs one command line after the other, so that a test does not wait for Node, DuckDB and the steps to be
 * loaded for each. It is started when first asked, one for each process of tests, and ends with it.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

/** What came of a command. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command line and what it is run in. */
export interface ServedCommand {
  readonly args: readonly string[];
  /** Where it starts. */
  readonly folder: string;
  /** No file below may stay open. */
  readonly home: string;
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  /** What the command left open. */
  readonly left: readonly string[];
}

const script = fileURLToPath(new URL('serve-commands.mjs', import.meta.url));

/** One process, for one command at a time. */
class CommandServer {
  busy = false;
  readonly #child: ChildProcess;
  readonly #printed = { stdout: '', stderr: '' };
  #answer: Answer | null = null;
  #ended: string | null = null;
  #onNews: () => void = () => undefined;

  constructor() {
    this.#child = fork(script, [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [], env: {} });
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = this.#child[name] as Socket;
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#printed[name] += text;
        this.#onNews();
      });
      stream.unref();
    }
    this.#child.on('message', (answer: Answer) => {
      this.#answer = answer;
      this.#onNews();
    });
    this.#child.on('close', (status, signal) => {
      this.#ended ??= `its process ended by itself with ${signal ?? status}`;
      this.#onNews();
    });
    this.#child.unref();
    this.#child.channel?.unref();
  }

  async run(command: ServedCommand): Promise<Outcome> {
    this.busy = true;
    const mark = `\n${randomUUID()}\n`;
    const printed = this.#printed;
    try {
      if (printed.stdout + printed.stderr !== '' && this.#ended === null)
        throw this.#fault(command, 'something was printed before it');
      this.#child.send({ ...command, mark }, () => undefined);
      const { status, left } = await this.#answered(command, mark);
      if (left.length > 0) throw this.#fault(command, `it left something open: ${left.join(', ')}`);
      return { status, stdout: printed.stdout.slice(0, -mark.length), stderr: printed.stderr.slice(0, -mark.length) };
    } finally {
      this.#answer = null;
      this.#onNews = () => undefined;
      printed.stdout = '';
      printed.stderr = '';
      this.busy = false;
    }
  }

  /** Waits for the answer and for all that was printed. */
  #answered(command: ServedCommand, mark: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#onNews = () => {
        const marked = Object.values(this.#printed).every((text) => text.endsWith(mark));
        if (this.#ended !== null) reject(this.#fault(command, this.#ended));
        else if (this.#answer !== null && marked) resolve(this.#answer);
      };
      this.#onNews();
    });
  }

  /** An error of the command, or of the one before. The process is not used again. */
  #fault({ args }: ServedCommand, what: string): Error {
    this.#child.kill('SIGKILL');
    server = null;
    const { stdout, stderr } = this.#printed;
    return new Error(`holdout ${args.join(' ')}: ${what}\nstdout: ${stdout}\nstderr: ${stderr}`);
  }
}

let server: CommandServer | null = null;

/**
 * Runs a command line; null while another one runs.
 * @throws Error when it leaves something open or ends the process; also for what the one before did after its end
 */
export function serveCommand(command: ServedCommand): Promise<Outcome> | null {
  server ??= new CommandServer();
  return server.busy ? null : server.run(command);
}
