/**
 * A thread beside a person's module that ends the process when it takes too much memory, of whatever kind, or when
 * Holdout is gone: the module may keep the process's own thread busy for good.
 * @module
 */
import process from 'node:process';
import { workerData } from 'node:worker_threads';
import { beatFile, writeTooLarge } from './module-messages.ts';

/** How often it looks. */
const lookMs = 20;
/** What is taken beside the module's own values: young objects, code, rows on their way. */
const slackBytes = 64 << 20;

const { memoryMb, parent } = workerData as { readonly memoryMb: number; readonly parent: number };
const bytesMax = process.memoryUsage.rss() + slackBytes + memoryMb * 2 ** 20;

setInterval(() => {
  const tooLarge = process.memoryUsage.rss() > bytesMax;
  if (tooLarge) writeTooLarge(beatFile);
  if (tooLarge || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
}, lookMs);
