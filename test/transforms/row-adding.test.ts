import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TableSchema } from '../../dist/schemas/table-schema.js';
import { largestRemainder, mixtureRows } from '../../dist/transforms/mixture/counts.js';
import { StepBench, generated, linesOf, prepare, rows } from './step-bench.js';

const priced = (scale: number): TableSchema => ({
  type: 'holdout/schema@1',
  columns: [
    { name: 'n', type: 'BIGINT' },
    { name: 'price', type: { decimal: [10, scale] } },
  ],
});

let bench: StepBench;
beforeAll(async () => {
  bench = await StepBench.make();
  const add = async (name: string, values: readonly unknown[]): Promise<unknown> =>
    bench.workspace.add(name, await bench.workspace.write(`${name}.jsonl`, linesOf(values)));
  await add('wide', [
    { id: 1.5, text: 'wide', extra: true },
    { id: 2, text: null, extra: null },
  ]);
  const typed = async (name: string, values: readonly unknown[], scale: number): Promise<unknown> =>
    bench.workspace.add(name, await bench.workspace.write(`${name}.jsonl`, linesOf(values)), { schema: priced(scale) });
  await typed(
    'cents',
    [
      { n: 1, price: '1.25' },
      { n: 2, price: '0.01' },
    ],
    2,
  );
  await typed('mills', [{ n: 3, price: '1.2500' }], 4);
  await add('words', [{ id: 'one' }]);
  await add('upper', [{ ID: 1 }]);
  await add('empty', []);
  await add('calls', [
    { n: 1, calls: [{ tool: 'a', n2: 1 }, { tool: 'b' }] },
    { n: 2, calls: [] },
    { n: 3, calls: [null] },
  ]);
  await add('twice', [
    { id: 1, answer: 'a' },
    { id: 2, answer: 'b' },
    { id: 2, answer: 'c' },
  ]);
  await add('gaps', [
    { id: null, answer: 'nothing' },
    { id: 1, answer: 'one' },
  ]);
  await add('named', [{ id: 1, text: 'mine' }]);
  await bench.workspace.add(
    'bigger',
    await bench.workspace.write('bigger.jsonl', '{"big":9007199254740993}\n{"big":1}\n'),
  );
  await bench.workspace.add('fraction', await bench.workspace.write('fraction.jsonl', '{"big":0.5}\n'));
});
afterAll(async () => bench.workspace.remove());

/** The rows after steps on a dataset of the bench's store. */
const after = async (dataset: string, ...steps: readonly string[]): Promise<Record<string, unknown>[]> =>
  bench.rowsAfterOf(dataset, ...steps);
const digestsOf = async (dataset: string): Promise<string[]> =>
  bench.workspace.read(dataset, async (reader) => hexes(await reader.digests()));
const hexes = (digests: Uint8Array): string[] =>
  Array.from({ length: digests.length / 32 }, (_, row) =>
    Buffer.from(digests.subarray(row * 32, row * 32 + 32)).toString('hex'),
  );

describe('concat', () => {
  it('puts rows end to end; a column that a dataset lacks is null there, types widen', async () => {
    const joined = await after('wide', 'concat: {with: [all]}');
    expect(joined.length).toBe(rows.length + 2);
    expect(joined[0]).toMatchObject({ id: 1.5, text: 'wide', extra: true });
    expect(joined[0]!['group'] ?? null).toBeNull();
    expect(joined.slice(2).map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
  });

  it('keeps the digest of every row', async () => {
    const [applied] = await bench.runOn('wide', ['concat: {with: [all]}']);
    const found = await bench.digestsOf(applied!);
    expect(hexes(found)).toEqual([...(await digestsOf('wide')), ...(await digestsOf('all'))]);
  });

  it('copies no row: only a typed column that has to widen is written', async () => {
    const { store } = bench.workspace;
    const before = (await store.stats()).parts;
    await bench.runOn('wide', ['concat: {with: [all, odd, wide]}']);
    expect((await store.stats()).parts).toBe(before);
    const [applied] = await bench.runOn('cents', ['concat: {with: [mills]}']);
    const text = await bench.linesOf(applied!.layout, applied!.schema);
    expect(text).toBe('{"n":1,"price":"1.2500"}\n{"n":2,"price":"0.0100"}\n{"n":3,"price":"1.2500"}\n');
    expect(hexes(await bench.digestsOf(applied!))).toEqual([
      ...(await digestsOf('cents')),
      ...(await digestsOf('mills')),
    ]);
  });

  it.each([
    ['all', 'concat: {with: [words]}', 'column "id" holds VARCHAR in words and BIGINT before it'],
    ['all', 'concat: {with: [upper]}', 'differ only in upper and lower case'],
    ['bigger', 'concat: {with: [fraction]}', 'column "big" of the input: 1 value of BIGINT cannot be held as DOUBLE'],
    ['fraction', 'concat: {with: [bigger]}', 'column "big" of bigger: 1 value of BIGINT cannot be held as DOUBLE'],
  ])('%s, %s: refused, naming column and dataset', async (dataset, step, says) => {
    await expect(bench.runOn(dataset, [step])).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(says) as string,
    });
  });

  it('says of text beside another type that CSV may be the reason', async () => {
    await expect(bench.runOn('all', ['concat: {with: [words]}'])).rejects.toMatchObject({
      hint: expect.stringContaining('--infer') as string,
    });
  });
});

describe('mixture', () => {
  it('has the exact number of rows of each dataset, none of them twice', async () => {
    const [applied] = await bench.run([
      'mixture: {weight: 0.7, with: [{dataset: odd, weight: 0.1}, {dataset: even, weight: 0.2}], rows: 100}',
    ]);
    expect(applied!.counts).toEqual({ ofInput: 70, ofDataset1: 10, ofDataset2: 20 });
    expect(new Set(applied!.origins as Uint32Array).size).toBe(100);
  });

  it('shares out by largest remainder, in whole numbers', () => {
    expect(largestRemainder([0.7, 0.1, 0.2], 10_000)).toEqual([7000, 1000, 2000]);
    expect(largestRemainder([1, 1, 1], 10)).toEqual([4, 3, 3]);
    expect(largestRemainder([1, 2.5, 1e-6], 7)).toEqual([2, 5, 0]);
    expect(mixtureRows([0.7, 0.1, 0.2], [7000, 1000, 5000], 'smallest')).toBe(10_000);
    expect(mixtureRows([1, 1], [10, 3], 'all')).toBe(20);
  });

  it('takes every row once before one is taken again', async () => {
    const [applied] = await bench.run([
      'mixture: {weight: 1, with: [{dataset: odd, weight: 1}], size: all, repeat: 3, order: interleaved}',
    ]);
    const taken = new Map<number, number>();
    for (const origin of applied!.origins as Uint32Array) taken.set(origin, (taken.get(origin) ?? 0) + 1);
    expect(taken.size).toBe(rows.length + rows.length / 2);
    expect([...taken].every(([origin, times]) => times === (origin < rows.length ? 1 : 2))).toBe(true);
    // Interleaved: of any two neighbours one is of each dataset.
    const places = Array.from(applied!.origins as Uint32Array, (origin) => origin < rows.length);
    expect(places.every((own, at) => own === (at % 2 === 0))).toBe(true);
  });

  it('draws the same rows of a dataset that grew, but for those that the new ones push out', async () => {
    const step = 'mixture: {weight: 1, with: [{dataset: odd, weight: 1}], rows: 40}';
    const before = await bench.run(['head: {n: 100}', step]);
    const grown = await bench.run([step]);
    const own = (of: typeof before): Set<number> =>
      new Set(Array.from(of.at(-1)!.origins as Uint32Array).filter((row) => row < (of.length === 2 ? 100 : 120)));
    const kept = [...own(grown)].filter((row) => row < 100);
    expect(kept.length).toBeGreaterThan(10);
    expect([...own(before)]).toEqual(expect.arrayContaining(kept));
  });

  it.each([
    ['rows: 300', 'the input has 120, and 150 are wanted; odd has 60, and 150 are wanted', '120 rows can be had'],
    ['size: all', 'odd has 60, and 120 are wanted', '120 rows can be had'],
    ['rows: 300, repeat: 2', 'odd has 60, 2 times each, and 150 are wanted', '240 rows can be had'],
  ])('refuses %s where a dataset has too few rows, and says how many can be had', async (size, says, hint) => {
    await expect(bench.run([`mixture: {weight: 1, with: [{dataset: odd, weight: 1}], ${size}}`])).rejects.toMatchObject(
      {
        code: 'CONFLICT',
        message: expect.stringContaining(says) as string,
        hint: expect.stringContaining(hint) as string,
      },
    );
  });

  it('refuses an empty dataset', async () => {
    await expect(bench.run(['mixture: {weight: 1, with: [{dataset: empty, weight: 1}]}'])).rejects.toThrow(
      'empty is empty',
    );
  });
});

describe('explode', () => {
  it('makes a row of each element and says of which row it is', async () => {
    const [applied] = await bench.run(['explode: {column: tags}']);
    const expected = rows.flatMap((row, at) => row.tags.map((tag) => ({ at, id: row.id, tag })));
    expect(Array.from(applied!.origins as Uint32Array)).toEqual(expected.map(({ at }) => at));
    const made = await after('all', 'explode: {column: tags}');
    expect(made.map(({ id, tags }) => [id, tags])).toEqual(expected.map(({ id, tag }) => [id, tag]));
    expect(applied!.counts).toEqual({ withoutElements: rows.filter(({ tags }) => tags.length === 0).length });
  });

  it('keeps rows without elements when asked, and spreads structs', async () => {
    expect(await after('calls', 'explode: {column: calls, empty: keep, spread: true}')).toEqual([
      { n: 1, tool: 'a', n2: 1 },
      { n: 1, tool: 'b', n2: null },
      { n: 2, tool: null, n2: null },
      { n: 3, tool: null, n2: null },
    ]);
    expect((await after('calls', 'explode: {column: calls}')).map(({ n }) => n)).toEqual([1, 1, 3]);
  });

  it.each([
    ['explode: {column: text}', 'holds VARCHAR, not lists'],
    ['explode: {column: tags, spread: true}', 'which has no fields'],
    ['explode: {column: tag}', 'did you mean tags'],
  ])('refuses %s', async (step, says) => {
    await expect(bench.run([step])).rejects.toSatisfy((error: { message: string; hint: string }) =>
      `${error.message} ${error.hint}`.includes(says),
    );
  });
});

describe('join', () => {
  const on = 'on: [{left: id, right: key}]';

  it('adds columns by key and stores those alone', async () => {
    const answers = new Map(generated.map(({ key, answer }) => [key, answer]));
    const joined = await after('all', `join: {dataset: generated, ${on}, columns: [answer], on_missing: keep}`);
    expect(joined.map(({ id, text, answer }) => ({ id, text, answer }))).toEqual(
      rows.map(({ id, text }) => ({ id, text, answer: answers.get(id) ?? null })),
    );
    const [applied] = await bench.run([`join: {dataset: generated, ${on}, on_missing: drop}`]);
    expect(applied!.output.rows).toBe(rows.filter(({ id }) => answers.has(id)).length);
    expect(applied!.counts).toEqual({ missing: rows.length - applied!.output.rows });
    expect([...applied!.kept!.keys()]).toEqual(['id', 'text', 'group', 'score', 'tags']);
  });

  it('fails for a key that is missing, with the row, the key and how many', async () => {
    await expect(bench.run([`join: {dataset: generated, ${on}}`])).rejects.toThrow(
      'row 1: generated has no row of key {"id":0}; 36 rows have none',
    );
  });

  it('fails for a key that stands twice, unless the first is asked for', async () => {
    await expect(bench.run(['join: {dataset: twice, on: id, on_missing: keep}'])).rejects.toThrow(
      'key {"id":2} stands twice in twice: row 3 has it again',
    );
    const joined = await after('all', 'join: {dataset: twice, on: id, on_missing: drop, on_duplicate: first}');
    expect(joined.map(({ id, answer }) => [id, answer])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
  });

  it('lets null match nothing', async () => {
    const joined = await after(
      'gaps',
      'join: {dataset: gaps, on: id, columns: [{column: answer, as: b}], on_missing: keep}',
    );
    expect(joined.map(({ id, b }) => [id, b ?? null])).toEqual([
      [null, null],
      [1, 'one'],
    ]);
  });

  it('says what to do about names that collide and keys of other kinds', async () => {
    await expect(bench.run(['join: {dataset: named, on: id, on_missing: keep}'])).rejects.toMatchObject({
      message: 'column "text" stands in the input and in named',
      hint: expect.stringContaining('{column: text, as: NEW_NAME}') as string,
    });
    await expect(bench.run(['join: {dataset: generated, on: [{left: text, right: key}]}'])).rejects.toMatchObject({
      hint: expect.stringContaining('VARCHAR here and BIGINT there') as string,
    });
  });
});

const filling = (nulls: string): string => `template: {templates: ['{text}'], column: t, nulls: ${nulls}}`;

describe('template', () => {
  it('gives a row for each row and template', async () => {
    const made = await after('calls', `template: {templates: ['a {n}', '{{{n}}}'], column: text, columns: [n]}`);
    expect(made).toEqual(
      [1, 2, 3].flatMap((n) => [
        { n, text: `a ${n}` },
        { n, text: `{${n}}` },
      ]),
    );
  });

  it('draws one template by seed, the same for a row whatever stands beside it', async () => {
    const one = `template: {templates: ['a', 'b', 'c'], column: t, columns: [id], pick: one, seed: 3}`;
    const all = (await after('all', one)).map(({ t }) => t);
    expect(new Set(all)).toEqual(new Set(['a', 'b', 'c']));
    expect((await after('all', 'head: {n: 40}', one)).map(({ t }) => t)).toEqual(all.slice(0, 40));
  });

  it('fails for a null, puts nothing in its place, or leaves the text out', async () => {
    await expect(bench.run([filling('fail')])).rejects.toThrow('row 3: a value that its template names is null');
    expect((await after('all', filling('empty')))[2]).toMatchObject({ text: null, t: '' });
    const left = await after('all', filling('drop'));
    expect(left.length).toBe(rows.filter(({ text }) => text !== null).length);
  });

  it('says where a template is wrong before anything runs', () => {
    expect(() => prepare(`template: {templates: ['{a'], column: t}`)).toThrow(
      'templates, item 1: "{" stands alone at character 1',
    );
  });
});
