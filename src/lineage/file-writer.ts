/**
 * Writes a scratch file in order, no faster than the disk takes it.
 * @module
 */
import { once } from 'node:events';
import { type WriteStream, createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { ioError } from '../store/io-error.ts';

const bufferBytes = 4 << 20;

/** A new file. `close` must be called, however it went. */
export class FileWriter {
  readonly path: string;
  readonly #stream: WriteStream;
  readonly #done: Promise<void>;

  /** @throws nothing; a file that cannot be made fails the first write */
  constructor(path: string) {
    this.path = path;
    this.#stream = createWriteStream(path, { flags: 'wx', highWaterMark: bufferBytes });
    this.#done = finished(this.#stream).catch((cause: unknown) => {
      throw ioError('write', path, cause);
    });
    // Thrown where it is awaited.
    this.#done.catch(() => undefined);
  }

  /** @throws HoldoutError IO, for example when the disk is full */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.#stream.errored !== null) await this.#done;
    if (!this.#stream.write(bytes)) await Promise.race([once(this.#stream, 'drain'), this.#done]);
  }

  /** Writes what waits and closes the file. @throws HoldoutError IO */
  async close(): Promise<void> {
    this.#stream.end();
    await this.#done;
  }
}
