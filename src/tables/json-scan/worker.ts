/**
 * A worker of the scan pool: one kernel, fed with blocks.
 * @module
 */
import { parentPort } from 'node:worker_threads';
import type { InferredSchema } from './inferred.ts';
import type { Kernel } from './kernel.ts';
import { scanBlock } from './scan-block.ts';
import { freshKernel, type ScanDone, type ScanJob } from './scanner.ts';
import { readTrie } from './trie.ts';

/** What the pool asks of a worker; `block` and `seen` are answered, in order. */
export type WorkerRequest = { readonly do: 'begin' } | { readonly do: 'seen' } | ({ readonly do: 'block' } & ScanJob);

/** A worker's answer. */
export type WorkerAnswer = { readonly done: ScanDone } | { readonly seen: InferredSchema } | { readonly failed: Error };

let kernel: Kernel = freshKernel(undefined);

parentPort?.on('message', (request: WorkerRequest) => {
  try {
    if (request.do === 'begin') {
      kernel = freshKernel(kernel);
    } else if (request.do === 'seen') {
      answer({ seen: readTrie(kernel) }, []);
    } else {
      const result = scanBlock(kernel, request.block, request.offset, request.wantOffsets);
      const memory = request.block.buffer;
      const moved = [result.digests.buffer, memory, ...(result.offsets === null ? [] : [result.offsets.buffer])];
      answer({ done: { result, memory } }, moved);
    }
  } catch (error) {
    answer({ failed: error instanceof Error ? error : new Error(String(error)) }, []);
  }
});

function answer(message: WorkerAnswer, moved: readonly ArrayBuffer[]): void {
  parentPort?.postMessage(message, moved);
}
