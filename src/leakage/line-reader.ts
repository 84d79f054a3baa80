/**
 * The lines of training rows that have hits, one at a time.
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** Where the line of a row that has hits is to be had. */
export type LinePlace =
  | { readonly kind: 'file'; readonly path: string; readonly offset: number; readonly length: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** Reads lines of files, or takes those that were kept. Waiting for a promise for each line costs more than reading it. */
export class LineReader {
  #path: string | null = null;
  #file: number | null = null;
  #memory = Buffer.alloc(1 << 16);
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  read(place: LinePlace): string {
    if (place.kind === 'bytes') return this.#decoder.decode(place.bytes);
    const { path, offset, length } = place;
    if (this.#file === null || this.#path !== path) {
      this.close();
      this.#file = openSync(path, 'r');
      this.#path = path;
    }
    if (this.#memory.length < length) this.#memory = Buffer.alloc(length * 2);
    let read = 0;
    while (read < length) {
      const more = readSync(this.#file, this.#memory, read, length - read, offset + read);
      if (more === 0) break;
      read += more;
    }
    // A byte order mark at the head of a file is no part of its first row.
    return this.#decoder.decode(this.#memory.subarray(0, read)).replace(/^\ufeff/, '');
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}
