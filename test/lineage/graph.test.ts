import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../dist/src/engine/engine.js';
import { lineageGraph } from '../../dist/src/lineage/graph.js';
import { type Reproduction, type ReproduceRun, reproduceVersion } from '../../dist/src/lineage/reproduce.js';
import { traceBack, traceRows } from '../../dist/src/lineage/trace.js';
import { defineTransform } from '../../dist/src/lineage/transform.js';
import { openStoreEngine } from '../../dist/src/snapshots/store-engine.js';
import { Store } from '../../dist/src/store/store.js';
import { openTable, tableDigests } from '../../dist/src/tables/table-reader.js';
import { builtInTransforms } from '../../dist/transforms/index.js';
import { Sandbox, lines } from '../cli/run-cli.js';

interface Outcome {
  readonly state: string;
  readonly steps: readonly {
    readonly step: number;
    readonly says: string;
    readonly state: string;
    readonly version: string | null;
    readonly firstDifference: null | { row: number; rows: { row: number; columns: { name: string }[] }[] };
  }[];
}

const as = Array.from({ length: 40 }, (_, i) => ({ id: i, text: 'x'.repeat(i % 7) }));
const bs = Array.from({ length: 20 }, (_, i) => ({ id: 100 + (i % 10), text: `b${i % 10}` }));

let box: Sandbox;
beforeAll(async () => {
  box = await Sandbox.make({ 'a.jsonl': `\n${lines(as)}`, 'b.jsonl': lines(bs) });
  const told = (...args: string[]): Promise<string> => box.told(args);
  await told('init');
  await told('add', 'a', 'a.jsonl');
  await told('add', 'b', 'b.jsonl');
  await told('transform', 'a', 'fa', '--step', 'filter: {where: "length(text) > 2"}', '--step', 'shuffle: {seed: 7}');
  await told('transform', 'b', 'db', '--step', 'dedupe: {}');
  await told(
    'transform',
    'fa',
    'mix',
    ...['concat: {with: [db, a]}', 'select: {columns: [text, id]}', 'skip: {n: 3}'].flatMap((step) => ['--step', step]),
  );
});
afterAll(async () => box.remove());

const inStore = async <T>(use: (store: Store, engine: Engine) => Promise<T>): Promise<T> => {
  const store = await Store.open(join(box.folder, '.holdout'));
  const engine = await openStoreEngine(store, { threads: 2 });
  try {
    return await use(store, engine);
  } finally {
    await engine.close();
    await store.close();
  }
};

const reproduced = async (
  store: Store,
  engine: Engine,
  what: Pick<ReproduceRun, 'target' | 'transforms' | 'runCode'>,
): Promise<Reproduction> =>
  reproduceVersion({
    store,
    engine,
    threads: 2,
    now: new Date(0),
    restore: false,
    raw: { files: [] },
    workDirectory: await store.tempDirectory(),
    ...what,
  });

describe('the lineage of a version made of several', () => {
  it('holds each step once, after those that it reads', async () => {
    await inStore(async (store) => {
      const state = await store.journal();
      const steps = await lineageGraph(store, state, state.names.get('mix')![0]!);
      const short = steps.map(({ derivation, inputs }) => [
        derivation.transform.name.slice('holdout/'.length),
        inputs.map(({ step }) => step),
      ]);
      // The table of a stands in it once, though filter and concat read it.
      expect(short).toEqual([
        ['read', []],
        ['filter', [0]],
        ['shuffle', [1]],
        ['read', []],
        ['dedupe', [3]],
        ['concat', [2, 4, 0]],
        ['select', [5]],
        ['skip', [6]],
      ]);
    });
  });

  it('traces every row to the file and line that hold its values', async () => {
    await inStore(async (store, engine) => {
      const state = await store.journal();
      const entry = state.names.get('mix')![0]!;
      const steps = await lineageGraph(store, state, entry);
      const output = steps.at(-1)!.realisation.output;
      const reader = await openTable(store, engine, output);
      let text = '';
      for await (const { bytes } of reader.jsonLines()) text += Buffer.from(bytes).toString();
      const rows = text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: number; text: string });
      const sourceOf = await traceRows(store, engine, entry);
      const traced = await traceBack(
        { store, open: (ref) => openTable(store, engine, ref), digests: (ref) => tableDigests(store, ref) },
        steps,
        [...rows.keys()],
        1,
      );
      expect(rows.length).toBeGreaterThan(50);
      for (const [index, row] of rows.entries()) {
        const source = sourceOf(index)!;
        const raw = await readFile(join(box.folder, source.file), 'utf8');
        expect(JSON.parse(raw.split('\n')[source.line - 1]!)).toEqual({ id: row.id, text: row.text });
        expect(traced[index]).toMatchObject({ row: index, stops: null });
        expect(traced[index]!.hops[0]).toEqual({ step: 7, row: index });
        expect([0, 3]).toContain(traced[index]!.hops.at(-1)!.step);
      }
    });
  });
});

describe('reproduce', () => {
  it('runs every branch again, names datasets, and takes nothing twice', async () => {
    const { state, steps } = await box.json<Outcome>(['reproduce', 'mix']);
    expect(state).toBe('same');
    expect(steps.map(({ step, version }) => [step, version])).toEqual([
      [1, 'a@1'],
      [2, null],
      [3, 'fa@1'],
      [4, 'b@1'],
      [5, 'db@1'],
      [6, null],
      [7, null],
      [8, 'mix@1'],
    ]);
    expect(steps[5]?.says).toBe('put db@1, a@1 after it');
  });

  it('runs one step alone on its recorded input, and refuses a step that is not there', async () => {
    const { steps } = await box.json<Outcome>(['reproduce', 'mix', '--step', '6']);
    expect(steps.map(({ step, state }) => [step, state])).toEqual([[6, 'same']]);
    const { status, stderr } = await box.run(['reproduce', 'mix', '--step', '9']);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('has steps 1 to 8') as string });
  });

  it('needs the raw files only where their bytes are not kept', async () => {
    await rm(join(box.folder, 'b.jsonl'));
    await box.json(['reproduce', 'mix']);
    await box.write('b.jsonl', lines(bs));
  });

  it('names the rows, the columns and both values where another code gives other rows', async () => {
    await inStore(async (store, engine) => {
      const other = defineTransform({
        name: 'holdout/dedupe',
        version: 1,
        kind: 'selecting',
        summary: '',
        example: '',
        params: z.object({ keep: z.string() }),
        describe: () => 'keep the last rows instead',
        run: ({ input }) => {
          const keep = Uint32Array.from({ length: 10 }, (_, i) => input.rows - 10 + ((i + 1) % 10));
          return Promise.resolve({ kind: 'rows', keep, counts: {} });
        },
      });
      const state = await store.journal();
      const target = state.names.get('mix')![0]!;
      const transforms = [other, ...builtInTransforms];
      const { state: verdict, steps } = await reproduced(store, engine, { target, transforms });
      expect({ verdict, steps: steps.length }).toEqual({ verdict: 'differs', steps: 5 });
      expect(steps[4]).toMatchObject({ detail: 'the same rows in another order; row 1 is the first that differs' });
      expect(steps[4]?.rows[0]).toEqual({
        row: 0,
        columns: [
          { name: 'id', recorded: '100', got: '101' },
          { name: 'text', recorded: '"b0"', got: '"b1"' },
        ],
      });
    });
  });

  it('takes the stored output of a step that is declared not deterministic, and says when it is gone', async () => {
    await inStore(async (store, engine) => {
      const declared = builtInTransforms.map((each) => {
        if (each.name !== 'holdout/dedupe') return each;
        return {
          ...each,
          prepare: (params: unknown) => ({ ...each.prepare(params), determinism: 'declared-not' as const }),
        };
      });
      const state = await store.journal();
      const target = state.names.get('db')![0]!;
      const run = (): Promise<Reproduction> => reproduced(store, engine, { target, transforms: declared });
      const kept = await run();
      expect(kept.state).toBe('same');
      expect(kept.steps.at(-1)).toMatchObject({ taken: true });
      const { output } = (await lineageGraph(store, state, state.names.get('db')![0]!)).at(-1)!.realisation;
      await rm(store.filePath('layout', state.layouts.get(`${output.table} ${output.schema}`)!));
      const gone = await run();
      expect(gone.state).toBe('not-deterministic');
    });
  });

  it('runs no code of the person before it is allowed to', async () => {
    await inStore(async (store, engine) => {
      const withCode = builtInTransforms.map((each) => {
        if (each.name !== 'holdout/filter') return each;
        return {
          ...each,
          prepare: (params: unknown) => ({ ...each.prepare(params), code: () => Promise.resolve({ a: 1 }) }),
        };
      });
      const state = await store.journal();
      const target = state.names.get('fa')![0]!;
      const run = (runCode: boolean): Promise<Reproduction> =>
        reproduced(store, engine, { target, transforms: withCode, runCode });
      const refused = await run(false);
      expect(refused.state).toBe('cannot-tell');
      expect(refused.steps.at(-1)?.detail).toContain('--run-code');
      expect((await run(true)).state).toBe('same');
    });
  });
});
