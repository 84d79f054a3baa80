/**
 * A worker of the scan pool: one kernel, fed with blocks.
 * @module
 */
import { answerTasks } from '../../worker-pool.ts';
import type { InferredSchema } from './inferred.ts';
import type { Kernel } from './kernel.ts';
import { scanBlock } from './scan-block.ts';
import { freshKernel, type ScanDone, type ScanJob } from './scanner.ts';
import { readTrie } from './trie.ts';

/** What the pool asks of a worker. */
export type WorkerRequest = { readonly do: 'begin' } | { readonly do: 'seen' } | ({ readonly do: 'block' } & ScanJob);

/** A worker's answer. */
export type WorkerAnswer =
  | { readonly did: 'begin' }
  | { readonly did: 'seen'; readonly seen: InferredSchema }
  | { readonly did: 'block'; readonly done: ScanDone };

let kernel: Kernel = freshKernel(undefined);

answerTasks(() => answer, movedOf);

function answer(request: WorkerRequest): WorkerAnswer {
  if (request.do === 'begin') {
    kernel = freshKernel(kernel);
    return { did: 'begin' };
  }
  if (request.do === 'seen') return { did: 'seen', seen: readTrie(kernel) };
  const result = scanBlock(kernel, request.block, request.offset, request.wantOffsets);
  return { did: 'block', done: { result, memory: request.block.buffer } };
}

function movedOf(answered: WorkerAnswer): readonly ArrayBuffer[] {
  if (answered.did !== 'block') return [];
  const { result, memory } = answered.done;
  return [result.digests.buffer, memory, ...(result.offsets === null ? [] : [result.offsets.buffer])];
}
