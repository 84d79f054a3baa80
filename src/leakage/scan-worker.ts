/**
 * Worker thread of the scan: takes stretches of a file, or blocks of lines, and gives back the kernel's hits.
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { answerTasks, buffersOf } from '../worker-pool.ts';
import type { FoldTable } from './fold-table.ts';
import { Kernel } from './kernel.ts';
import type { RunTable, ScanResult } from './kernel.ts';

/** A piece of work: the lines that begin in [start, end) of a file, or the lines of `bytes`. */
export type ScanTask =
  | { readonly kind: 'range'; readonly path: string; readonly start: number; readonly end: number }
  | { readonly kind: 'lines'; readonly bytes: Uint8Array };

/** What a task gave; `start` is where its first line began in the file (0 for lines). */
export type ScanDone = ScanResult & { readonly start: number; readonly bytes: number };

/** What a thread starts with. */
export interface ScanSettings {
  readonly table: RunTable;
  /** As it was unpacked, which takes longer than to hand it over. */
  readonly fold: FoldTable;
}

const readBytes = 1 << 20;
const newline = 10;

answerTasks((settings) => {
  const { table, fold } = settings as ScanSettings;
  const kernel = new Kernel(fold);
  kernel.loadTable(table);
  return (task: ScanTask): ScanDone =>
    task.kind === 'range' ? scanRange(kernel, task) : scanLines(kernel, task.bytes);
}, buffersOf);

function scanLines(kernel: Kernel, bytes: Uint8Array): ScanDone {
  kernel.textRoom(bytes.length + 1);
  const text = kernel.textBytes(bytes.length + 1);
  text.set(bytes);
  text[bytes.length] = newline;
  const ended = bytes.length === 0 || bytes[bytes.length - 1] === newline;
  return { ...kernel.scan(0, bytes.length + (ended ? 0 : 1)), start: 0, bytes: bytes.length };
}

function scanRange(kernel: Kernel, task: ScanTask & { kind: 'range' }): ScanDone {
  const file = openSync(task.path, 'r');
  try {
    // One byte more at the front: a line begins in the range when the byte before it is a newline.
    const origin = Math.max(0, task.start - 1);
    let length = readMore(kernel, file, origin, 0, task.end - origin);
    const first = task.start === 0 ? 0 : kernel.textBytes(length).indexOf(newline) + 1;
    if (first === 0 && task.start > 0) return { ...kernel.scan(0, 0), start: task.end, bytes: task.end - task.start };
    // The last line that begins here may end far behind.
    for (let last = length - 1; kernel.textBytes(length)[length - 1] !== newline; last = length) {
      const more = readMore(kernel, file, origin + length, length, readBytes);
      if (more === 0) {
        kernel.textRoom(length + 1);
        kernel.textBytes(length + 1)[length] = newline;
        length++;
        break;
      }
      length += more;
      const at = kernel.textBytes(length).indexOf(newline, last);
      if (at >= 0) length = at + 1;
    }
    return { ...kernel.scan(first, length - first), start: origin + first, bytes: task.end - task.start };
  } finally {
    closeSync(file);
  }
}

/** Reads up to `count` bytes of a file to `at` of the kernel's text; returns how many there were. */
function readMore(kernel: Kernel, file: number, position: number, at: number, count: number): number {
  kernel.textRoom(at + count + 1);
  const text = kernel.textBytes(at + count);
  let read = 0;
  while (read < count) {
    const got = readSync(file, text, at + read, count - read, position + read);
    if (got === 0) break;
    read += got;
  }
  return read;
}
