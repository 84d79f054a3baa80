/**
 * Sets of shingles in a file, where they do not fit the memory: written once in the order of the table, then read row by
 * row. Takes about as much disk as the texts that the sets were made of.
 * @module
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { systemCall } from '../../src/store/io-error.ts';

const bufferValues = 1 << 17;

/** Sets in a new file, which `close` removes; memory is 8 bytes a row of the table and two buffers. */
export class SetSpool {
  readonly #path: string;
  readonly #file: number;
  /** For each position where its set begins, in values; -1 where there is none. */
  readonly #starts: Float64Array;
  readonly #buffer = new Float64Array(bufferValues);
  #buffered = 0;
  #written = 0;
  #read = new Float64Array(1 << 10);

  /** Makes the file. @throws HoldoutError `IO`, as writing and reading do */
  constructor(path: string, rows: number) {
    this.#path = path;
    this.#starts = new Float64Array(rows).fill(-1);
    this.#file = systemCall('create', path, () => openSync(path, 'wx+'));
  }

  /** Adds the set of a row. */
  put(position: number, set: Float64Array): void {
    this.#starts[position] = this.#written + this.#buffered;
    this.#append(Float64Array.of(set.length));
    this.#append(set);
  }

  /** The set of a row, good until the next call, once all are in. */
  get(position: number, lengthMax: number): Float64Array {
    if (this.#buffered > 0) this.#flush();
    if (this.#read.length <= lengthMax) this.#read = new Float64Array(lengthMax * 2);
    const at = this.#starts[position]! * Float64Array.BYTES_PER_ELEMENT;
    // The last set may end before.
    const bytes = systemCall('read', this.#path, () => {
      return readSync(this.#file, this.#read, 0, (lengthMax + 1) * Float64Array.BYTES_PER_ELEMENT, at);
    });
    const end = this.#read[0]! + 1;
    if (bytes < end * Float64Array.BYTES_PER_ELEMENT) throw new Error(`the set of row ${position} was not read whole`);
    return this.#read.subarray(1, end);
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }

  #append(values: Float64Array): void {
    for (let done = 0; done < values.length;) {
      if (this.#buffered === bufferValues) this.#flush();
      const more = values.subarray(done, done + bufferValues - this.#buffered);
      this.#buffer.set(more, this.#buffered);
      this.#buffered += more.length;
      done += more.length;
    }
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#buffer.buffer, 0, this.#buffered * Float64Array.BYTES_PER_ELEMENT);
    systemCall('write', this.#path, () => {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#file, bytes, done);
    });
    this.#written += this.#buffered;
    this.#buffered = 0;
  }
}
