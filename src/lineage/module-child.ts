/**
 * A process that holds a person's module and hands it rows. What the module prints goes to pipes of its own; messages
 * go over another.
 * @module
 */
import { Socket } from 'node:net';
import { register } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FrameReader, writeFrame } from './module-frames.ts';
import {
  type BatchDone,
  type ModuleBatch,
  type ModuleReply,
  type ModuleRequest,
  type ModuleSetup,
  beatFile,
  moduleChannel,
  packDone,
  rowState,
  writeBeat,
} from './module-messages.ts';
import { type Row, type WrittenRow, lineOf, readRow, writeMembers } from './row-json.ts';

const valueCharsMax = 200;
const saysCharsMax = 500;
/** A year, a month and some: also weekday, hour, minute and second are others. */
const clockAheadMs = 34_300_123_456;

type RowFunction = (row: Row, context: { readonly row: number; readonly args: unknown }) => unknown;

const channel = new Socket({ fd: moduleChannel });
const beat = new Int32Array(3);
/** Columns of the input in which any new row has had another value. */
const changed = new Set<string>();
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
let module: { readonly setup: ModuleSetup; readonly transform: RowFunction } | null = null;
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
    module = transform === null ? null : { setup: request.setup, transform };
  } else if (module !== null) {
    const packed = packDone(await runBatch(module, { firstRow: request.firstRow, bytes: body }));
    reply(packed.head, packed.body);
    // What was written goes out before the next batch takes the thread.
    await nextTurn();
  }
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

async function runBatch(
  { setup, transform }: NonNullable<typeof module>,
  { firstRow, bytes }: ModuleBatch,
): Promise<BatchDone> {
  const lines = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes).split('\n');
  lines.pop();
  const states = new Uint8Array(lines.length);
  const outputs: number[] = [];
  const texts: string[] = [];
  let stop: BatchDone['stop'] = null;
  const known = changed.size;
  for (const [index, line] of lines.entries()) {
    atRow(firstRow + index);
    try {
      const result = transform(readRow(line), { row: firstRow + index, args: setup.args });
      const made: unknown = isPromise(result) ? await result : result;
      const rows: readonly unknown[] = Array.isArray(made) ? made : made === null || made === undefined ? [] : [made];
      // All of a row's rows or none: the second may be what cannot be written.
      const written = rows.map(writeMembers);
      const madeLines = written.map(lineOf);
      if (written.length === 0) states[index] = rowState.returnedNothing;
      let given: WrittenRow | null = null;
      for (const [which, text] of madeLines.entries()) {
        given ??= text === line ? null : writeMembers(readRow(line));
        const asGiven = given === null ? line : lineOf(given);
        const isNew = text !== line && text !== asGiven;
        outputs.push(index * 2 + (isNew ? 1 : 0));
        if (!isNew || given === null) continue;
        texts.push(text, '\n');
        noteChanged(given, written[which]!);
      }
    } catch (error) {
      if (setup.onError === 'fail') {
        const row = firstRow + index;
        stop = { row, says: saysOf(error), at: placeOf(error), value: cut(line, valueCharsMax) };
        break;
      }
      states[index] = rowState.failed;
      if (setup.onError === 'keep') outputs.push(index * 2);
    }
  }
  atRest();
  const text = new TextEncoder().encode(texts.join(''));
  const columns = [...changed].slice(known);
  return { firstRow, states, outputs: Uint32Array.from(outputs), text, changed: columns, stop };
}

function noteChanged(given: WrittenRow, made: WrittenRow): void {
  for (const [key, text] of given) {
    if (text !== (made.get(key) ?? 'null')) changed.add(key);
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
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

function cut(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`;
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
