import { readFile } from 'node:fs/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { pipelineJsonSchema, stepsText } from '../../dist/cli/reference.js';
import { parseSchemaText } from '../../dist/src/tables/types/type-text.js';
import { HoldoutError } from '../../dist/src/errors.js';
import { neededFor, orderByNeeds } from '../../dist/src/pipeline/order.js';
import type { Pipeline } from '../../dist/src/pipeline/pipeline.js';
import { readPipeline } from '../../dist/src/pipeline/read-pipeline.js';
import { builtInTransforms } from '../../dist/transforms/index.js';
import { right, wrong } from './examples.ts';
import { fits } from './json-schema.ts';

/** Reads a file beside a store that has the dataset `s`. */
function read(
  text: string,
  lockedVersion: (dataset: string, step: string) => number | null = () => null,
): Promise<Pipeline> {
  return readPipeline({
    file: 'holdout.yaml',
    text,
    transforms: builtInTransforms,
    storeNames: ['s'],
    inStore: (name) => name === 's' || name === 's@1',
    readSchema: async (schema) => Promise.resolve(parseSchemaText(schema, 'schema')),
    lockedVersion,
  });
}

/** What is said of a file, a line each. */
async function saidOf(text: string): Promise<string[]> {
  try {
    await read(text);
    return [];
  } catch (error) {
    if (!(error instanceof HoldoutError)) throw error;
    return [error, ...error.others].map(({ place, message }) => `${place.line}:${place.column}: ${message}`);
  }
}

const schema = JSON.parse(pipelineJsonSchema()) as Record<string, unknown>;

const docs = (name: string): Promise<string> => readFile(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

describe('a pipeline file', () => {
  it.each(right)('is taken by Holdout and by the JSON Schema: %s', async (_, text) => {
    expect(await saidOf(text)).toEqual([]);
    expect(fits(schema, parse(text))).toBe(true);
  });

  it.each(wrong)('is refused by Holdout and by the JSON Schema: %s', async (says, text) => {
    expect((await saidOf(text)).join('\n')).toContain(says);
    expect(fits(schema, parse(text))).toBe(false);
  });

  const head = 'version: 1\ndatasets:\n  raw: {files: [a.jsonl]}\n  out:\n    from: raw\n    steps:\n';
  it.each([
    ['a dash too far right', `${head}    - head: {n: 3}\n      - skip: {n: 1}\n`, '8:1: not YAML'],
    ['a quotation mark that is not closed', `${head}      - filter: {where: "x > 20}\n`, '8:1: not YAML'],
    ['a tab', 'version: 1\ndatasets:\n\traw: {files: [a.jsonl]}\n  out: {}\n', '3:1: not YAML'],
    [
      'an unknown step, whatever its parameters',
      `${head}      - filtre: {wher: 1, n: 3}\n`,
      '7:9: dataset "out", step 1',
    ],
    ['an unknown step beside another key', `${head}      - filtre: {wher: 1}\n        nam: x\n`, 'no step "filtre"'],
    ['a parameter beside its step', `${head}      - head:\n        n: 3\n`, '"n" is a parameter of head'],
    ['a misspelt key that is needed', 'version: 1\ndatasets:\n  raw: {file: [a.jsonl]}\n', 'did you mean files?'],
    ['a misspelt section', 'version: 1\ndataset:\n  r: {files: a}\nchecks:\n  - {train: r, against: r}\n', '"dataset"'],
    ['a misspelt from', 'version: 1\ndatasets:\n  a: {form: s, steps: [shuffle]}\n', 'did you mean from?'],
    ['steps of nothing', 'version: 1\ndatasets:\n  a: {steps: [shuffle]}\n', 'from is missing'],
    ['a parameter of another name', `${head}      - head: {count: 10}\n`, '"count" (did you mean n?)'],
    ['shares that are not one', `${head}      - split: {shares: {a: 0.5, b: 0.6}, which: a}\n`, 'are 1.1'],
    ['a value in place of parameters', `${head}      - filter: length(a) > 2\n`, 'expected names with values'],
    ['a name that nothing has', `${head}      - concat: {with: [rw, rw]}\n  x: {from: rw, steps: [shuffle]}\n`, '"rw"'],
  ])('gives one error for one mistake: %s', async (_, text, says) => {
    expect(await saidOf(text)).toEqual([expect.stringContaining(says)]);
  });

  it.each([
    [
      '  a: {files: x, fields: {qestion: q}}\n',
      '"qestion" (did you mean question?)',
      'its keys: question, passage, ch',
    ],
    ['  a: {from: s, steps: [dedupe: {by: text}]}\n', 'by: expected a list', 'it is written by: [text]'],
    ['  a: {from: s, steps: [decontaminate: {against: e}]}\n', 'against: expected', 'it is written against: [e]'],
  ])('says what keys there are, and how a list is written: %s', async (dataset, message, hint) => {
    await expect(read(`version: 1\ndatasets:\n${dataset}`)).rejects.toMatchObject({
      message: expect.stringContaining(message) as string,
      hint: expect.stringContaining(hint) as string,
    });
  });

  it('is told of no list that would be as wrong', async () => {
    const mixture = read('version: 1\ndatasets:\n  a: {from: s, steps: [mixture: {weight: 1, with: s}]}\n');
    await expect(mixture).rejects.toMatchObject({ hint: undefined });
  });

  it('is told everything that is wrong with it, by line', async () => {
    const said = await saidOf(`version: 1
datasets:
  a: {from: [b, nope], steps: [filtr: {where: x}]}
  b: {from: s, steps: [concat: {with: [ss]}, {shuffle: , name: z}, {head: {n: 1}, name: z}]}
  c: {from: s}
  d: {files: '-', schema: 'x BIGIN'}
evals:
  c: {files: x}
checks:
  - {train: aa, against: c}
  - {train: aa, against: c}
`);
    expect(said).toEqual([
      '3:17: there is no dataset "nope" in this file or in the store',
      '3:32: dataset "a", step 1: there is no step "filtr"',
      '4:40: there is no dataset "ss" in this file or in the store',
      '4:69: dataset "b": two steps are named "z"; the first stands in line 4',
      '5:3: dataset "c" has no step, so it would be s',
      '6:14: dataset "d": standard input (-) cannot be read again',
      '8:3: "c" is a dataset and an eval set; the first stands in line 5',
      '10:13: there is no dataset "aa" in this file or in the store (also named in line 11)',
      '11:5: check 2: aa against c stands twice',
    ]);
  });

  it.each([
    [
      'a cycle, printed',
      'version: 1\ndatasets:\n  a: {from: b, steps: [shuffle]}\n  b: {from: c, steps: [shuffle]}\n  c: {from: s, steps: [concat: {with: [a]}]}\n',
      '3:3: datasets are made of each other: a → b → c → a',
    ],
    [
      'a dataset made of itself',
      'version: 1\ndatasets:\n  a: {from: a, steps: [shuffle]}\n',
      '3:3: datasets are made of each other: a → a',
    ],
    [
      'a name that stands twice',
      'version: 1\ndatasets:\n  a: {files: x}\n  a: {files: y}\n',
      '4:3: the key "a" stands twice; the first stands in line 3',
    ],
    ['broken YAML', 'version: 1\ndatasets: [a\n', '3:1: not YAML: '],
    ['aliases', 'version: 1\ndatasets:\n  a: &x {files: y}\n  b: *x\n', '4:6: aliases (*name) are not read'],
    ['tags', 'version: 1\ndescription: !x y\n', '2:14: not YAML: Unresolved tag'],
    ['a key that is a number', 'version: 1\ndatasets:\n  1.0: {files: y}\n', '3:3: the key 1 is no text'],
    ['two documents', 'version: 1\n---\nversion: 1\n', 'not YAML'],
    ['nesting without end', `version: 1\ndescription: ${'['.repeat(10_000)}`, 'nested deeper than 64'],
    [
      'an unknown version of a step',
      'version: 1\ndatasets:\n  a: {from: s, steps: [shuffle@99]}\n',
      '3:24: dataset "a", step 1: there is no version 99 of step "shuffle"',
    ],
    [
      'types that are none',
      'version: 1\ndatasets:\n  a: {files: x, schema: q BIGIN}\n',
      '3:25: dataset "a": schema: unknown type BIGIN',
    ],
    ['nothing at all', '', '1:1: the file: expected names'],
  ])('is refused for %s', async (_, text, says) => {
    expect((await saidOf(text)).join('\n')).toContain(says);
  });

  it('has a limit, which it names', async () => {
    await expect(read(`# ${'x'.repeat(1 << 20)}\nversion: 1\n`)).rejects.toThrow('a pipeline file has at most 1 MiB');
  });

  it('puts each dataset behind what it needs', async () => {
    const { nodes } = await read(
      'version: 1\ndatasets:\n  c: {from: [b, a], steps: [shuffle]}\n  b: {from: a, steps: [shuffle]}\n  a: {files: x}\n',
    );
    expect(nodes.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    const last = nodes.at(-1);
    expect(last?.kind === 'derived' && last.steps.map(({ step }) => step.name)).toEqual([
      'holdout/concat',
      'holdout/shuffle',
    ]);
    expect(last?.kind === 'derived' && last.needs).toEqual(['b', 'a']);
  });

  it('takes the version of a step that the lock names, where nothing else is said', async () => {
    const asked: string[] = [];
    await read('version: 1\ndatasets:\n  a: {from: s, steps: [shuffle]}\n', (dataset, step) => {
      asked.push(`${dataset} ${step}`);
      return 1;
    });
    expect(asked).toEqual(['a shuffle']);
  });
});

describe('order', () => {
  const graphs = fc
    .array(fc.array(fc.nat(11), { maxLength: 4 }), { minLength: 1, maxLength: 12 })
    .map((lists) => lists.map((needs, index) => ({ name: `n${index}`, needs: needs.map((need) => `n${need}`) })));

  it('is one in which nothing stands before what it needs, or cycles that are some, no two of one name', () => {
    fc.assert(
      fc.property(graphs, (items) => {
        const ordered = orderByNeeds(items);
        const needsOf = new Map(items.map(({ name, needs }) => [name, needs]));
        if ('cycles' in ordered) {
          expect(ordered.cycles).not.toHaveLength(0);
          for (const cycle of ordered.cycles) {
            expect(cycle.at(0)).toBe(cycle.at(-1));
            for (const [index, name] of cycle.slice(0, -1).entries()) {
              expect(needsOf.get(name)).toContain(cycle[index + 1]);
            }
          }
          const names = ordered.cycles.flatMap((cycle) => cycle.slice(1));
          expect(new Set(names).size).toBe(names.length);
          return;
        }
        expect(ordered.order.map(({ name }) => name).toSorted()).toEqual(items.map(({ name }) => name).toSorted());
        const at = new Map(ordered.order.map(({ name }, index) => [name, index]));
        for (const { name, needs } of items) {
          for (const need of needs) if (at.has(need)) expect(at.get(need)).toBeLessThan(at.get(name)!);
        }
        const [first] = items;
        const closed = new Set(neededFor(ordered.order, [first!.name]).map(({ name }) => name));
        for (const name of closed) {
          for (const need of needsOf.get(name) ?? []) expect(closed.has(need) || !at.has(need)).toBe(true);
        }
      }),
    );
  });

  it('is said to lack by every cycle, and by every name of two kinds whatever else is wrong there', async () => {
    const made = { a: 'b', b: 'a', c: 'd', d: 'c' };
    const cycles = Object.entries(made).map(([name, from]) => `  ${name}: {from: ${from}, steps: [shuffle]}\n`);
    const faulty = '  e: {from: a, steps: [head: {}], what: x}\n';
    const said = await saidOf(`version: 1\ndatasets:\n${cycles.join('')}${faulty}evals:\n  e: {files: e.jsonl}\n`);
    expect(said).toContain('3:3: datasets are made of each other: a → b → a');
    expect(said).toContain('5:3: datasets are made of each other: c → d → c');
    expect(said).toContain('9:3: "e" is a dataset and an eval set; the first stands in line 7');
  });

  it('is found for a chain of a hundred thousand', () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => ({ name: `n${i}`, needs: [`n${i + 1}`] }));
    const ordered = orderByNeeds(chain);
    expect('order' in ordered && ordered.order[0]?.name).toBe('n99999');
  });
});

describe('docs', () => {
  it('have no backslash that code spans do not have', () => {
    expect(stepsText()).toContain('`export default (row, context) => row`');
    expect(stepsText()).toContain('White\\_Space');
  });

  it('hold the JSON Schema and the steps as they are now: `npm run docs` writes them', async () => {
    expect(await docs('holdout.schema.json')).toBe(pipelineJsonSchema());
    expect(await docs('STEPS.md')).toBe(stepsText());
  });

  it('have a pipeline in PIPELINE.md and README that is one', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    for (const text of [await docs('PIPELINE.md'), readme]) {
      const [, pipeline = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(text) ?? [];
      expect(await saidOf(pipeline)).toEqual([]);
      expect(fits(schema, parse(pipeline))).toBe(true);
    }
  });

  it.each(builtInTransforms.map(({ name, example }) => [name, example] as const))(
    'take the example of %s',
    (_, example) => {
      const pipeline = { version: 1, datasets: { a: { from: 's', steps: [parse(example) as unknown] } } };
      expect(fits(schema, pipeline)).toBe(true);
    },
  );
});
