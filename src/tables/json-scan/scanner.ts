/**
 * Who scans blocks: this thread, or a pool of workers. A scanner serves one file at a time; the next waits its turn.
 * @module
 */
import type { InferredSchema } from './inferred.ts';
import { openKernel, type Kernel } from './kernel.ts';
import { scanBlock, type BlockResult } from './scan-block.ts';
import { readTrie } from './trie.ts';

/** A kernel whose memory has grown past this, for one very long line, is dropped before the next file. */
const MEMORY_KEPT = 512 << 20;

/** A block of whole lines. The scanner takes it over; `done` hands it back. */
export interface ScanJob {
  readonly block: Uint8Array<ArrayBuffer>;
  /** Offset of its first byte in the file. */
  readonly offset: number;
  readonly wantOffsets: boolean;
}

/** A block's result, and its memory for the next one. */
export interface ScanDone {
  readonly result: BlockResult;
  readonly memory: ArrayBuffer;
}

/** Scans the blocks of one file, handed over in their order. */
export interface Scanner {
  /** How many blocks are worth handing over before the first result is awaited. */
  readonly depth: number;
  /** Runs a task that has the scanner for itself. */
  exclusive<T>(task: () => Promise<T>): Promise<T>;
  /** Begins a file. */
  begin(): void;
  scan(job: ScanJob): Promise<ScanDone>;
  /** What was seen since `begin`, each part's members by their first sight in it. */
  seen(): Promise<readonly InferredSchema[]>;
}

/** Lets tasks run one after the other. */
export function oneAtATime(): <T>(task: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async <T>(task: () => Promise<T>): Promise<T> => {
    const before = last;
    const mine = (async () => {
      await before.catch(() => undefined);
      return task();
    })();
    last = mine;
    return mine;
  };
}

/** The kernel for the next file: the one at hand, unless a very long line has left it too large. */
export function freshKernel(kernel: Kernel | undefined): Kernel {
  const kept = kernel !== undefined && kernel.wasm.memory.buffer.byteLength <= MEMORY_KEPT ? kernel : openKernel();
  kept.wasm.begin();
  return kept;
}

let kernel: Kernel | undefined;
const exclusive = oneAtATime();

/** Scans in this thread: for files too small to be worth a worker's start. */
export const hereScanner: Scanner = {
  depth: 1,
  exclusive,
  begin: () => {
    kernel = freshKernel(kernel);
  },
  scan: async ({ block, offset, wantOffsets }) => {
    kernel ??= freshKernel(undefined);
    return { result: scanBlock(kernel, block, offset, wantOffsets), memory: block.buffer };
  },
  seen: async () => (kernel === undefined ? [] : [readTrie(kernel)]),
};
