/**
 * Row digests of a table that is put together from others, in its own order. Those of many rows go to a file, a window
 * of the table at a time, so that memory holds the digests of one source and not those of the output beside them.
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises';
import { DIGEST_BYTES } from '../merkle/table-tree.ts';
import { ioError } from '../store/io-error.ts';
import { setRootOf, tableIdOf } from '../tables/read/table-digests.ts';
import { type TableIdentity, identifyDigests } from './select-rows.ts';

/** Rows of the table whose digests are held at once, 64 MiB of them. */
const windowRowsMax = 1 << 21;

/** Where the rows of a table stand, and where its digests may be written. */
export interface Gathering {
  /** For each row its address: the sources stand end to end. */
  readonly addresses: Uint32Array;
  /** A file that is not there yet; it is made where the rows are more than a window. */
  readonly path: string;
  /** Rows of a window. */
  readonly windowRows?: number;
}

/** Takes the digests of one source after the other. */
export class GatheredDigests {
  readonly #addresses: Uint32Array;
  readonly #path: string;
  readonly #windowRows: number;
  readonly #window: Uint8Array;
  #file: FileHandle | null = null;

  constructor({ addresses, path, windowRows = windowRowsMax }: Gathering) {
    this.#addresses = addresses;
    this.#path = path;
    this.#windowRows = windowRows;
    this.#window = new Uint8Array(Math.min(windowRows, addresses.length) * DIGEST_BYTES);
  }

  /** Digests of the rows with the addresses from `from` on. @throws HoldoutError `IO` */
  async add(digests: Uint8Array, from: number): Promise<void> {
    const rows = this.#addresses.length;
    if (rows <= this.#windowRows) {
      this.#fill(digests, from, 0, rows);
      return;
    }
    try {
      this.#file ??= await open(this.#path, 'wx+', 0o600);
      const to = from + digests.length / DIGEST_BYTES;
      for (let first = 0; first < rows; first += this.#windowRows) {
        const count = Math.min(this.#windowRows, rows - first);
        const own = countWithin(this.#addresses.subarray(first, first + count), from, to);
        if (own === 0) continue;
        const window = this.#window.subarray(0, count * DIGEST_BYTES);
        // What other sources put there stays; behind its end the file holds nothing yet.
        if (own < count) await readStretch(this.#file, window, first * DIGEST_BYTES);
        this.#fill(digests, from, first, count);
        await writeStretch(this.#file, window, first * DIGEST_BYTES);
      }
    } catch (cause) {
      throw ioError('write', this.#path, cause);
    }
  }

  /** The ids of the table, when all sources were added. @throws HoldoutError as reading the file does */
  async identify(): Promise<TableIdentity> {
    const rows = this.#addresses.length;
    if (this.#file === null) return identifyDigests(this.#window);
    const file = { path: this.#path, rows };
    return { table: await tableIdOf(file), setRoot: await setRootOf(file), rows };
  }

  /** Closes the file, which stays. */
  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** Puts digests of a source into the window of the rows `first` … `first + count - 1`. */
  #fill(digests: Uint8Array, from: number, first: number, count: number): void {
    const to = from + digests.length / DIGEST_BYTES;
    for (let row = 0; row < count; row++) {
      const address = this.#addresses[first + row]!;
      if (address < from || address >= to) continue;
      const at = (address - from) * DIGEST_BYTES;
      this.#window.set(digests.subarray(at, at + DIGEST_BYTES), row * DIGEST_BYTES);
    }
  }
}

function countWithin(addresses: Uint32Array, from: number, to: number): number {
  let count = 0;
  for (const address of addresses) if (address >= from && address < to) count += 1;
  return count;
}

async function readStretch(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, position + filled);
    if (bytesRead === 0) return;
    filled += bytesRead;
  }
}

async function writeStretch(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}
