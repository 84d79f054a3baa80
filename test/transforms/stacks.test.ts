import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tableKey } from '../../dist/src/store/journal-state.js';
import { readLayout } from '../../dist/src/tables/stored-parts.js';
import { StepBench, prepare } from './step-bench.js';

let bench: StepBench;
beforeAll(async () => {
  bench = await StepBench.make();
});
afterAll(async () => bench.workspace.remove());

const seed = fc.integer({ min: -1000, max: 1000 });
const step = fc.oneof(
  fc.integer({ min: -2, max: 100 }).map((n) => `filter: {where: "score >= ${n} OR text IS NULL"}`),
  fc.integer({ min: 0, max: 30 }).map((n) => `length: {column: text, max: ${n}}`),
  fc.constantFrom('dedupe: {}', 'dedupe: {by: [text], keep: last}', 'dedupe: {by: [group, text], keep: longest}'),
  fc.integer({ min: 1, max: 6 }).map((n) => `quality: {column: text, words_min: ${n}, repeated_5gram_max: 0.5}`),
  seed.map((s) => `near-dedupe: {columns: [text, group], threshold: 0.5, words: 1, keep: last, seed: ${s}}`),
  fc.tuple(fc.integer({ min: 20, max: 100 }), seed).map(([f, s]) => `sample: {fraction: ${f / 100}, seed: ${s}}`),
  fc.tuple(fc.nat(150), seed).map(([n, s]) => `sample: {count: ${n}, seed: ${s}}`),
  seed.map((s) => `shuffle: {seed: ${s}}`),
  seed.map((s) => `split: {shares: {a: 0.7, b: 0.3}, which: a, by: [text], seed: ${s}}`),
  fc.integer({ min: 1, max: 20 }).map((n) => `limit-per-group: {by: [group], max: ${n}}`),
  fc.constantFrom('sort: {by: [text]}', 'sort: {by: [{column: score, order: desc}, group]}'),
  fc.nat(150).map((n) => `head: {n: ${n}}`),
  fc.nat(40).map((n) => `skip: {n: ${n}}`),
  fc.constantFrom(
    'rename: {columns: {text: group, group: text}}',
    'select: {columns: [score, text, group, id]}',
    'cast: {columns: {id: DOUBLE}}',
    'cast: {columns: {score: "DECIMAL(10, 3)"}, on_error: drop}',
    `derive: {columns: {text: "text || '!'", more: "id % 3"}}`,
    'derive: {columns: {group: "left(text, 2)", score: "score / 3"}}',
    'derive: {columns: {more: "1 / score"}, on_error: drop}',
    'clean-text: {columns: [text, group], unicode: nfkc}',
    'render: {template: "{?group}{group}: {/group}{text}", into: text, nulls: empty}',
    'to-chat: {instruction: text, output: group, on_error: drop, drop: false}',
    "mask-pii: {columns: [text], patterns: [{name: a, regex: 'a+', replace: '+1 415 555 2671'}]}",
  ),
);

it('a stack of steps over overlays gives the tables that it gives over written-out ones', async () => {
  const { workspace } = bench;
  const { store } = workspace;
  let files = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), async (steps) => {
      const overlays = await bench.run(steps, { layout: 'frayed' });
      let written = bench.layout('compact');
      for (const [index, text] of steps.entries()) {
        const { output, layout, schema } = await bench.withEngine(1, (engine) =>
          bench.apply(engine, prepare(text), written, overlays[index - 1]),
        );
        expect(output.table).toBe(overlays[index]!.output.table);
        const name = `written-${++files}`;
        const path = await workspace.write(`${name}.jsonl`, await bench.linesOf(layout, schema));
        const added = await workspace.add(name, path, { schema });
        expect({ table: added.table, setRoot: added.setRoot }).toEqual({
          table: output.table,
          setRoot: output.setRoot,
        });
        written = await readLayout(store, (await store.journal()).layouts.get(tableKey(added))!);
      }
    }),
    { numRuns: 20 },
  );
});
