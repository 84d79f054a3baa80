/**
 * A worker thread that holds a person's module and hands it rows.
 * @module
 */
import { register } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { type BatchDone, type ModuleBatch, type ModuleReply, type ModuleSetup, rowState } from './module-messages.ts';
import { type Row, type WrittenRow, lineOf, readRow, writeMembers } from './row-json.ts';

const setup = workerData as ModuleSetup;
const beat = new Int32Array(setup.beat);
const valueCharsMax = 200;
const saysCharsMax = 500;
/** A year, a month and some: also weekday, hour, minute and second are others. */
const clockAheadMs = 34_300_123_456;

type RowFunction = (row: Row, context: { readonly row: number; readonly args: unknown }) => unknown;

const reply = (message: ModuleReply): void => parentPort?.postMessage(message, []);

function atRow(row: number): void {
  beat[0] = row;
  beat[1] = 1;
  Atomics.add(beat, 2, 1);
}

function atRest(): void {
  beat[1] = 0;
}

const loading = loadModule();

/** The person's function; null where the module gives none, which is told. */
async function loadModule(): Promise<RowFunction | null> {
  atRow(-1);
  if (setup.clockAhead) setClockAhead();
  register(new URL('./module-hooks.js', import.meta.url), { data: setup.sources });
  try {
    const module = (await import(setup.entry)) as Record<string, unknown>;
    const found = module[setup.exportName];
    if (typeof found !== 'function') {
      const names = Object.keys(module).join(', ') || 'nothing';
      reply({
        kind: 'unusable',
        says: `its export "${setup.exportName}" is no function (it exports ${names})`,
        at: null,
      });
      return null;
    }
    reply({ kind: 'ready' });
    return found as RowFunction;
  } catch (error) {
    reply({ kind: 'unusable', says: saysOf(error), at: placeOf(error) });
    return null;
  } finally {
    atRest();
  }
}

/** Batches are done one after another, also where the function gives promises. */
let last: Promise<void> = Promise.resolve();
parentPort?.on('message', (batch: ModuleBatch | null) => {
  if (batch === null) {
    parentPort?.close();
    return;
  }
  last = last.then(async () => {
    const transform = await loading;
    if (transform === null) return;
    const done = await runBatch(transform, batch);
    reply({ kind: 'done', done });
  });
});

async function runBatch(transform: RowFunction, { firstRow, bytes }: ModuleBatch): Promise<BatchDone> {
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

/** Columns of the input in which any new row has had another value. */
const changed = new Set<string>();

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
  const own = new Set(setup.sources.map(({ url }) => url));
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
