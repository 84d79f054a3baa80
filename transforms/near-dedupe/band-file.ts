/**
 * A number of 32 bits for each band and row, in a file: bands are many, and are looked at one after the other, so memory
 * holds one of them. Band by band in the file, so that each is read in one go.
 * @module
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { systemCall } from '../../src/store/io-error.ts';

/** Numbers of bands; each band has a number a row, or fewer once it was replaced. */
export interface BandNumbers {
  readonly bands: number;
  /** The numbers of a band, good until the next call. */
  read(band: number): Uint32Array;
  /** Puts other numbers in place of a band's, at most as many. */
  replace(band: number, numbers: Uint32Array): void;
}

/** Bands in a new file, which `close` removes. Takes as much disk as 4 bytes a band and row. */
export class BandFile implements BandNumbers {
  readonly bands: number;
  readonly #path: string;
  readonly #file: number;
  readonly #rows: number;
  readonly #lengths: Uint32Array;
  readonly #read: Uint32Array<ArrayBuffer>;

  /** Makes the file. @throws HoldoutError `IO`, as writing and reading do */
  constructor(path: string, bands: number, rows: number) {
    this.bands = bands;
    this.#path = path;
    this.#file = systemCall('create', path, () => openSync(path, 'wx+'));
    this.#rows = rows;
    this.#lengths = new Uint32Array(bands).fill(rows);
    this.#read = new Uint32Array(rows);
  }

  /** Writes the numbers of the rows from `row` on. */
  write(band: number, row: number, numbers: Uint32Array): void {
    const at = (band * this.#rows + row) * numbers.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    systemCall('write', this.#path, () => {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.#file, bytes, done, bytes.length - done, at + done);
      }
    });
  }

  read(band: number): Uint32Array {
    const numbers = this.#read.subarray(0, this.#lengths[band]);
    const at = band * this.#rows * numbers.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array(numbers.buffer, 0, numbers.byteLength);
    for (let done = 0; done < bytes.length;) {
      const from = done;
      const more = systemCall('read', this.#path, () => {
        return readSync(this.#file, bytes, from, bytes.length - from, at + from);
      });
      if (more === 0) throw new Error(`"band" ${band} was read before all of it was written`);
      done += more;
    }
    return numbers;
  }

  replace(band: number, numbers: Uint32Array): void {
    if (numbers.length > this.#rows)
      throw new RangeError(`"numbers" expected at most ${this.#rows}, got ${numbers.length}`);
    this.#lengths[band] = numbers.length;
    this.write(band, 0, numbers);
  }

  close(): void {
    closeSync(this.#file);
    rmSync(this.#path, { force: true });
  }
}
