/**
 * Writes text into a new file, a megabyte at a time.
 * @module
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';

const pendingLengthMax = 1 << 20;

/** Opens a file that must not exist yet; `close` or `abandon` ends it. */
export class LineWriter {
  readonly #target: WriteStream;
  readonly #ended: Promise<void>;
  #pending: string[] = [];
  #pendingLength = 0;

  constructor(path: string) {
    this.#target = createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark: pendingLengthMax });
    this.#ended = finished(this.#target);
    // A failure is met at the next write or at the end.
    this.#ended.catch(() => {});
  }

  /** Adds text; waits where the disk is behind. */
  write(text: string): Promise<void> | undefined {
    this.#pending.push(text);
    this.#pendingLength += text.length;
    return this.#pendingLength < pendingLengthMax ? undefined : this.#flush();
  }

  async close(): Promise<void> {
    await this.#flush();
    this.#target.end();
    await this.#ended;
  }

  /** Gives the file up after a failure. */
  abandon(): void {
    this.#target.destroy();
  }

  async #flush(): Promise<void> {
    const text = this.#pending.join('');
    this.#pending = [];
    this.#pendingLength = 0;
    if (!this.#target.write(text)) await Promise.race([once(this.#target, 'drain'), this.#ended]);
  }
}
