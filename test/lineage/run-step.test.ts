import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Engine,
  Store,
  type Transform,
  addDataset,
  defineTransform,
  deriveVersion,
  openTable,
  reproduceVersion,
  traceRows,
} from '../../dist/src/index.js';
import { snapshotRecord } from '../../dist/schemas/records.js';
import { openStoreEngine } from '../../dist/src/snapshots/store-engine.js';

const now = new Date('2026-01-02T03:04:05Z');
let folder: string;
let store: Store;
let engine: Engine;
let runs = 0;

/** Keeps every nth row. */
const everyNth: Transform = defineTransform({
  name: 'test/every-nth',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps every nth row.',
  example: 'every-nth: {n: 3}',
  params: z.strictObject({ n: z.int().positive() }),
  describe: ({ n }) => `keep each row number that ${n} divides`,
  run({ input }, { n }) {
    runs += 1;
    const keep = Uint32Array.from({ length: Math.ceil(input.rows / n) }, (_, i) => i * n);
    return Promise.resolve({ kind: 'rows', keep, counts: { kept: keep.length } });
  },
});

const texts = Array.from({ length: 100 }, (_, i) => JSON.stringify({ i, text: `row ${i}` }));

beforeEach(async () => {
  runs = 0;
  folder = await mkdtemp(join(tmpdir(), 'holdout-lineage-test-'));
  store = await Store.init(join(folder, '.holdout'), { holdoutVersion: '0.0.0', now });
  const file = join(folder, 'rows.jsonl');
  await writeFile(file, `\n${texts.join('\n')}\n`);
  await addDataset(
    store,
    'data',
    [file],
    {},
    { now, holdoutVersion: '0.0.0', threads: 1, recogniseFields: () => ({}) },
  );
  engine = await openStoreEngine(store);
});
afterEach(async () => {
  await engine.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const derive = async (n: number, version = 1): ReturnType<typeof deriveVersion> => {
  const entry = (await store.journal()).names.get('data')?.[version - 1];
  if (entry === undefined) throw new Error(`no version ${version}`);
  const { table, schema } = await store.getRecord(entry.snapshot, snapshotRecord);
  const ref = { table, schema };
  return deriveVersion({
    store,
    engine,
    holdoutVersion: '0.0.0',
    step: everyNth.prepare({ n }),
    input: { ref, reader: await openTable(store, engine, ref) },
    base: entry,
    now,
    itemsRootOf: () => Promise.resolve(null),
    threads: 1,
    resolve: () => Promise.reject(new Error('no other dataset')),
  });
};
describe('a step', () => {
  it('is stored as an overlay: no row is written again', async () => {
    const before = (await store.stats()).parts;
    const { record, step } = await derive(10);
    expect({ rows: record.rows, counts: step.counts }).toEqual({ rows: 10, counts: { kept: 10 } });
    expect((await store.stats()).parts).toBe(before);
    const reader = await openTable(store, engine, { table: record.table, schema: record.schema });
    const lines: string[] = [];
    for await (const { bytes } of reader.jsonLines()) lines.push(...Buffer.from(bytes).toString().trim().split('\n'));
    expect(lines).toEqual(texts.filter((_, i) => i % 10 === 0));
  });

  it('runs once for one derivation', async () => {
    const first = await derive(10);
    const second = await derive(10);
    expect(runs).toBe(1);
    expect(second).toMatchObject({ isNew: false, version: first.version, step: { reused: true } });
  });

  it('refuses parameters that are none, all at once', () => {
    expect(() => everyNth.prepare({ n: 0, m: 1 })).toThrow(/test\/every-nth: .*n.*; .*m/s);
  });

  it('traces each row to its line', async () => {
    await derive(10);
    const entry = (await store.journal()).names.get('data')?.at(-1);
    if (entry === undefined) throw new Error('no version');
    const sourceOf = await traceRows(store, engine, entry);
    expect([0, 1, 9].map((row) => sourceOf(row)?.line)).toEqual([2, 12, 92]);
  });
});

const reproduce = async (transforms: readonly Transform[]): ReturnType<typeof reproduceVersion> => {
  const target = (await store.journal()).names.get('data')?.at(-1);
  if (target === undefined) throw new Error('no version');
  const workDirectory = await store.tempDirectory();
  const raw = { files: [] };
  return reproduceVersion({
    store,
    engine,
    transforms,
    target,
    raw,
    workDirectory,
    threads: 1,
    now,
    restore: false,
  });
};

describe('a chain of steps', () => {
  beforeEach(async () => {
    await derive(3);
    await derive(2, 2);
  });

  it('gives the same ids again, step by step', async () => {
    const { state, steps } = await reproduce([everyNth]);
    expect(state).toBe('same');
    expect(steps.map((step) => [step.version, step.state, step.recorded.rows])).toEqual([
      [1, 'same', 100],
      [2, 'same', 34],
      [3, 'same', 17],
    ]);
  });

  it('names the step and the first row that differ', async () => {
    const other = defineTransform({
      name: 'test/every-nth',
      version: 1,
      kind: 'selecting',
      summary: 'Keeps other rows.',
      example: 'every-nth: {n: 3}',
      params: z.strictObject({ n: z.int().positive() }),
      describe: () => 'another code under the same name',
      records: () => [],
      run: ({ input }) => Promise.resolve({ kind: 'rows', keep: Uint32Array.of(0, 3, input.rows - 1), counts: {} }),
    });
    const { state, steps } = await reproduce([other]);
    expect({ state, steps: steps.length }).toEqual({ state: 'differs', steps: 2 });
    expect(steps[1]).toMatchObject({ state: 'differs', firstDifferentRow: 2 });
  });

  it('cannot tell where the transform is not there', async () => {
    const { state, steps } = await reproduce([]);
    expect(state).toBe('cannot-tell');
    expect(steps.at(-1)?.detail).toContain('test/every-nth version 1');
  });
});
