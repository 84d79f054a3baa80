/**
 * A process that holds a person's module and hands it rows. What the module prints goes to pipes of its own; messages
 * go over another.
 * @module
 */
import { once } from 'node:events';
import { Socket } from 'node:net';
import { register } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FrameReader, writeFrame } from './module-frames.ts';
import { type BatchRun, type RowFunction, cut, runBatch } from './module-batch.ts';
import {
  type BatchPiece,
  type ModuleReply,
  type ModuleRequest,
  type ModuleSetup,
  beatFile,
  moduleChannel,
  packPiece,
  writeBeat,
} from './module-messages.ts';

const saysCharsMax = 500;
/** What may wait for Holdout to take it. */
const waitingBytesMax = 8 << 20;
/** A year, a month and some: also weekday, hour, minute and second are others. */
const clockAheadMs = 34_300_123_456;

const channel = new Socket({ fd: moduleChannel });
const beat = new Int32Array(3);
/** Files of the person's own, by URL. */
const own = new Set<string>();

function reply(message: ModuleReply, body: readonly Uint8Array[] = []): void {
  for (const piece of writeFrame(message, ...body)) channel.write(piece);
}

function atRow(row: number): void {
  beat[0] = row;
  beat[1] = 1;
  beat[2]! += 1;
  writeBeat(beatFile, beat);
}

function atRest(): void {
  beat[1] = 0;
  writeBeat(beatFile, beat);
}

// Ctrl-C goes to the whole group: it is Holdout that ends this process.
process.on('SIGINT', () => undefined);
process.on('uncaughtException', (error: unknown) => {
  reply({ kind: 'crash', says: error instanceof Error ? error.message : String(error) });
  channel.end(() => process.exit(1));
});

/** Requests are done one after another, also where the function gives promises. */
let last: Promise<void> = Promise.resolve();
let module: BatchRun | null = null;
const frames = new FrameReader();
channel.on('end', () => process.exit(0));
channel.on('error', () => process.exit(1));
channel.on('data', (chunk) => {
  for (const { head, body } of frames.push(chunk)) last = last.then(() => take(head as ModuleRequest, body));
});

async function take(request: ModuleRequest, body: Buffer): Promise<void> {
  if (request.kind === 'end') {
    channel.removeAllListeners('end');
    channel.destroySoon();
  } else if (request.kind === 'setup') {
    const transform = await loadModule(request.setup);
    const { args, onError } = request.setup;
    const failureOf = (error: unknown) => ({ says: saysOf(error), at: placeOf(error) });
    module = transform && { transform, args, onError, changed: new Set(), atRow, give, failureOf };
  } else if (module !== null) {
    await runBatch(module, { firstRow: request.firstRow, bytes: body });
  }
}

/** Sends a piece. While Holdout takes none the process rests, which no time limit counts. */
async function give(piece: BatchPiece): Promise<void> {
  const { head, body } = packPiece(piece);
  reply(head, body);
  if (head.rows !== null || channel.writableLength > waitingBytesMax) atRest();
  if (channel.writableLength > waitingBytesMax) await once(channel, 'drain');
  // What was written goes out before the next rows take the thread.
  else await nextTurn();
}

/** The person's function; null where the module gives none, which is told. */
async function loadModule(setup: ModuleSetup): Promise<RowFunction | null> {
  atRow(-1);
  const { memoryMb, parent, sources } = setup;
  const guard = new Worker(new URL('./module-guard.js', import.meta.url), {
    workerData: { memoryMb, parent },
  });
  guard.unref();
  await new Promise((resolve) => guard.once('online', resolve));
  for (const { url } of sources) own.add(url);
  if (setup.clockAhead) setClockAhead();
  register(new URL('./module-hooks.js', import.meta.url), { data: sources });
  try {
    const loaded = (await import(setup.entry)) as Record<string, unknown>;
    const found = loaded[setup.exportName];
    if (typeof found === 'function') return found as RowFunction;
    const names = Object.keys(loaded).join(', ') || 'nothing';
    const says = `its export "${setup.exportName}" is no function (it exports ${names})`;
    reply({ kind: 'unusable', says, at: null });
  } catch (error) {
    reply({ kind: 'unusable', says: saysOf(error), at: placeOf(error) });
  } finally {
    atRest();
  }
  return null;
}

function saysOf(error: unknown): string {
  return cut(error instanceof Error ? `${error.name}: ${error.message}` : `threw ${String(error)}`, saysCharsMax);
}

/** The place nearest to the throw in a file of the person's own. */
function placeOf(error: unknown): string | null {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, url = '', line = '', column = ''] of stack.matchAll(/(file:\/\/[^\s()]+?):(\d+):(\d+)/g)) {
    if (own.has(url)) return `${url}:${line}:${column}`;
  }
  return null;
}

function setClockAhead(): void {
  const real = Date;
  const now = (): number => real.now() + clockAheadMs;
  globalThis.Date = new Proxy(real, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
    apply: () => new real(now()).toString(),
    get: (target, key, receiver) => (key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown)),
  });
}
