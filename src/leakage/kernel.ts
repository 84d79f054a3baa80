/**
 * The scan kernel with its memory laid out: fold table, table of runs, output, text. One instance belongs to one
 * thread; the table of runs is built once and copied into the others.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { type FoldTable, foldTable } from './fold-table.ts';
import { kernelWasm } from './kernel.wasm.ts';

interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  setFoldTable(pageOf: number, pages: number, lists: number): void;
  setTable(
    keys: number,
    ids: number,
    slots: number,
    filter: number,
    filterBits: number,
    gate: number,
    lengths: number,
    grams: number,
  ): void;
  setGathering(at: number, bytes: number): void;
  setOutput(hits: number, cap: number, hitRows: number, stamps: number): void;
  addRun(at: number, n: number, newId: number): number;
  tokenHashes(text: number, length: number, out: number): number;
  scan(text: number, length: number): number;
  takenHits(): number;
  takenHitRows(): number;
  rowsSeen(): number;
  rowsWithoutText(): number;
  clearHits(): void;
  clearRows(): void;
}

/** The table of runs in a form that other threads copy. */
export interface RunTable {
  readonly bytes: SharedArrayBuffer;
  readonly slots: number;
  readonly filterBits: number;
  /** Bit n is set where runs of n tokens are in the table. */
  readonly lengths: number;
  readonly grams: number;
}

/** What a stretch of lines gave. */
export interface ScanResult {
  readonly rows: number;
  readonly textless: number;
  /** Pairs of row (counted within the stretch) and run. */
  readonly hits: Uint32Array;
  /** Rows that have hits: row, byte offset within the stretch, length in bytes. */
  readonly hitRows: Float64Array;
}

const PAGE = 65536;
/** The kernel reads past the text it was given, by less than this. */
const padding = 128;
const hitsAtLeast = 1 << 18;
const gateBytes = 1 << 13;
/** Room for the hashes of tokens that are looked up together: it stays in the first cache. */
const gatheringBytes = 1 << 13;

/** The part of the WebAssembly API that is used; Node has it, its type definitions do not. */
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;

let compiled: object | undefined;

/** A kernel with its memory. */
export class Kernel {
  readonly #exports: KernelExports;
  #top: number;
  #textAt = 0;
  #tableAt = 0;
  #hashesAt = 0;
  #hitsAt = 0;
  #hitRowsAt = 0;

  constructor(fold: FoldTable = foldTable()) {
    compiled ??= new wasm.Module(Buffer.from(kernelWasm, 'base64'));
    this.#exports = new wasm.Instance(compiled, {}).exports as KernelExports;
    // Globals of the kernel itself lie in the first page.
    this.#top = Math.max(PAGE, this.#exports.memory.buffer.byteLength);
    const pageOf = this.#place(fold.pageOf);
    const pages = this.#place(fold.pages);
    this.#exports.setFoldTable(pageOf, pages, this.#place(fold.lists));
    this.#exports.setGathering(this.#allocate(gatheringBytes), gatheringBytes);
  }

  /** Makes an empty table of runs with room for `grams` of them. */
  createTable(grams: number, lengths: number): RunTable {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(1024, grams * 2)));
    const filterBits = Math.min(26, Math.max(20, Math.ceil(Math.log2(Math.max(1, grams) * 20))));
    const table = { bytes: new SharedArrayBuffer(tableBytes(slots, filterBits)), slots, filterBits, lengths, grams };
    this.loadTable(table);
    return table;
  }

  /** Copies a table of runs into this kernel and makes room for output. */
  loadTable(table: RunTable): void {
    const keys = this.#allocate(table.bytes.byteLength);
    this.#bytes(keys, table.bytes.byteLength).set(new Uint8Array(table.bytes));
    this.#tableAt = keys;
    const ids = keys + table.slots * 8;
    const filter = ids + table.slots * 4;
    const gate = filter + 2 ** (table.filterBits - 3);
    this.#exports.setTable(keys, ids, table.slots, filter, table.filterBits, gate, table.lengths, table.grams);
    const cap = table.grams + hitsAtLeast;
    this.#hitsAt = this.#allocate(cap * 8);
    this.#hitRowsAt = this.#allocate(cap * 12);
    this.#exports.setOutput(this.#hitsAt, cap, this.#hitRowsAt, this.#allocate(table.grams * 4 + 8));
  }

  /** Copies the filled table out, for `loadTable` of other kernels. */
  shareTable(table: RunTable): void {
    new Uint8Array(table.bytes).set(this.#bytes(this.#tableAt, table.bytes.byteLength));
  }

  /** Hashes of the tokens of a text; they stay where `addRun` finds them until the next call. */
  hashTokens(text: string): number {
    const json = JSON.stringify(text);
    const room = json.length * 3;
    const at = this.textRoom(room * 9 + 64);
    const { written } = new TextEncoder().encodeInto(json, this.#bytes(at, room));
    this.#pad(at + written);
    this.#hashesAt = Math.ceil((at + written + padding) / 8) * 8;
    return this.#exports.tokenHashes(at, written, this.#hashesAt);
  }

  /** Adds the run of `n` tokens that starts at token `first` of the text hashed last; returns its number. */
  addRun(first: number, n: number, newId: number): number {
    return this.#exports.addRun(this.#hashesAt + first * 8, n, newId);
  }

  /** Place for `bytes` bytes of text, always the same: it is the last in memory, and grows there with what it holds. */
  textRoom(bytes: number): number {
    if (this.#textAt === 0) this.#textAt = this.#allocate(0);
    if (this.#textAt + bytes + padding > this.#top) {
      this.#top = this.#textAt + bytes + padding;
      this.#grow();
    }
    return this.#textAt;
  }

  /** A view of the text's place; stale after any call that makes room. */
  textBytes(length: number): Uint8Array {
    return this.#bytes(this.#textAt, length);
  }

  /** Scans whole lines that stand in the text's place; the last must end with a newline. */
  scan(from: number, length: number): ScanResult {
    const kernel = this.#exports;
    const end = this.#textAt + from + length;
    // What follows may be the start of the next line: it is put back afterwards.
    const following = this.#bytes(end, padding).slice();
    this.#pad(end);
    kernel.clearRows();
    const hits: Uint32Array[] = [];
    const hitRows: number[] = [];
    for (let at = 0; at < length;) {
      kernel.clearHits();
      const taken = kernel.scan(this.#textAt + from + at, length - at);
      const count = kernel.takenHits() * 2;
      if (count > 0) hits.push(new Uint32Array(kernel.memory.buffer, this.#hitsAt, count).slice());
      const rows = new Uint32Array(kernel.memory.buffer, this.#hitRowsAt, kernel.takenHitRows() * 3);
      for (let i = 0; i < rows.length; i += 3) hitRows.push(rows[i] ?? 0, (rows[i + 1] ?? 0) + at, rows[i + 2] ?? 0);
      at += taken;
    }
    this.#bytes(end, padding).set(following);
    return {
      rows: kernel.rowsSeen(),
      textless: kernel.rowsWithoutText(),
      hits: join(hits),
      hitRows: Float64Array.from(hitRows),
    };
  }

  #pad(at: number): void {
    this.#bytes(at, padding).fill(0x20);
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer, at, length);
  }

  #place(values: Uint16Array | Int32Array): number {
    const at = this.#allocate(values.byteLength);
    this.#bytes(at, values.byteLength).set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return at;
  }

  #allocate(bytes: number): number {
    const at = Math.ceil(this.#top / 16) * 16;
    this.#top = at + bytes + padding;
    this.#grow();
    return at;
  }

  #grow(): void {
    const missing = Math.ceil((this.#top - this.#exports.memory.buffer.byteLength) / PAGE);
    if (missing > 0) {
      try {
        this.#exports.memory.grow(missing);
      } catch (cause) {
        throw new HoldoutError('LIMIT', 'the leak check needs more memory than a WebAssembly memory has (4 GiB)', {
          hint: 'Check fewer eval sets at a time, or split lines of hundreds of megabytes.',
          cause,
        });
      }
    }
  }
}

function tableBytes(slots: number, filterBits: number): number {
  return slots * 12 + 2 ** (filterBits - 3) + gateBytes;
}

function join(parts: readonly Uint32Array[]): Uint32Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const all = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
