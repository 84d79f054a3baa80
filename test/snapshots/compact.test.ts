import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SetRoot, Sha256Id, TableId } from '../../dist/schemas/ids.js';
import { storeFacts } from '../../dist/src/snapshots/compact-facts.js';
import type { FileFacts, TableFacts } from '../../dist/src/snapshots/compact-facts.js';
import { planFrayed } from '../../dist/src/snapshots/compact-plan.js';
import { tableKey } from '../../dist/src/store/journal-state.js';
import { readLayout } from '../../dist/src/tables/stored-parts.js';
import { DerivedStore, noon } from './derived-store.js';

/** A store that is removed after the test. */
const open = async (): Promise<DerivedStore> => {
  const made = await DerivedStore.make();
  onTestFinished(() => made.remove());
  return made;
};

/** Lines as no canonical JSON spells them; some rows are equal and spelled otherwise. */
const spelled = (count: number): string =>
  Array.from({ length: count }, (_, i) =>
    i % 5 === 4
      ? `{"id":${i - 1}, "text":"text ${i % 7}"}\n`
      : `{"text": "text ${(i + (i % 5 === 3 ? 1 : 0)) % 7}",  "id": ${i}.0}\n`,
  ).join('');

/** Rows of its own, none of them borrowed. */
const wideStep = 'sql: {query: "SELECT id, repeat(text, 9) AS text FROM input GROUP BY id, text ORDER BY id"}';

const csv = (count: number, from = 0): string =>
  `id,text\n${Array.from({ length: count }, (_, i) => `${from + i},text ${i % 7}\n`).join('')}`;

const layoutOf = async (made: DerivedStore, version: string): Promise<Awaited<ReturnType<typeof readLayout>>> => {
  const { store } = made.workspace;
  const { record } = await made.workspace.version(version);
  return readLayout(store, (await store.journal()).layouts.get(tableKey(record))!);
};

const bytesOf = (files: readonly { readonly bytes: number }[]): number =>
  files.reduce((sum, { bytes }) => sum + bytes, 0);

const step = fc.oneof(
  fc.integer({ min: 1, max: 9 }).map((n) => `filter: {where: "id % 10 < ${n}"}`),
  fc.tuple(fc.integer({ min: 5, max: 60 }), fc.nat(9)).map(([f, s]) => `sample: {fraction: ${f / 100}, seed: ${s}}`),
  fc.nat(9).map((s) => `shuffle: {seed: ${s}}`),
  fc.constantFrom(
    `derive: {columns: {more: "text || '!'"}}`,
    'rename: {columns: {text: words}}',
    'select: {columns: [id]}',
    'explode: {column: many}',
    'concat: {with: [typed]}',
    'concat: {with: [lines]}',
    'sql: {query: "SELECT * FROM input WHERE id % 2 = 0"}',
  ),
);

describe('compacting', () => {
  it(
    'changes no row of any version, frees no row that one needs, and has nothing to do the second time',
    { timeout: 180_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(5), fc.array(step, { minLength: 1, maxLength: 2 }), fc.boolean()), {
            minLength: 2,
            maxLength: 5,
          }),
          fc.option(fc.nat(5)),
          async (derivations, named) => {
            const made = await open();
            const { workspace } = made;
            await workspace.add('lines', await workspace.write('a.jsonl', spelled(100)));
            await workspace.add('typed', await workspace.write('b.csv', csv(60)), { infer: true });
            const names = ['lines', 'typed'];
            const gone: string[] = [];
            for (const [from, steps, drops] of derivations) {
              const name = `d${names.length}`;
              try {
                await made.derive(names[from % names.length]!, name, ...steps);
              } catch {
                // Not every step fits every table.
                continue;
              }
              names.push(name);
              if (drops) gone.push(name);
            }
            const before = await made.texts();
            for (const name of gone.toReversed()) await made.drop(name).catch(() => undefined);
            await made.repack(await made.plan(named === null ? undefined : names[named % names.length]!));
            const again = await made.plan();
            await made.repack(again);
            expect((await made.plan()).families).toEqual([]);
            if (named === null) expect(again.families).toEqual([]);
            await made.sweep(0);
            await made.sweep(0);
            expect(await made.problems()).toEqual([]);
            expect(await made.texts()).toEqual(before);
          },
        ),
        { numRuns: 6 },
      );
    },
  );

  it('frees rows that only a dropped version had, and lets versions go on sharing the others', async () => {
    const made = await open();
    const { workspace } = made;
    await workspace.add('typed', await workspace.write('b.csv', csv(3000)), { infer: true });
    await made.derive('typed', 'wide', wideStep);
    await made.derive('wide', 'some', 'sample: {fraction: 0.2, seed: 1}');
    await made.derive('some', 'fewer', 'filter: {where: "id % 2 = 0"}', 'shuffle: {seed: 2}');
    const before = await made.texts();
    expect((await made.plan()).families).toEqual([]);
    await made.drop('wide');
    const plan = await made.plan();
    expect(plan.families).toHaveLength(1);
    const outcomes = await made.repack(plan);
    expect(outcomes.map(({ job, result }) => [job.table.versions[0], result.state])).toEqual([
      ['some@1', 'repacked'],
      ['fewer@1', 'repacked'],
      ['fewer@1', 'repacked'],
    ]);
    const some = await layoutOf(made, 'some');
    expect((await layoutOf(made, 'fewer')).parts).toEqual(some.parts);
    expect(some.parts.reduce((sum, { rows }) => sum + rows, 0)).toBe(some.rows);
    const { move } = await made.sweep();
    expect(bytesOf(move)).toBeGreaterThanOrEqual(plan.families[0]!.freedBytes);
    expect(await made.texts()).toEqual(before);
  });

  it('goes on where it was cut off: rows that moved before are not written twice', async () => {
    const made = await open();
    const { workspace } = made;
    await workspace.add('typed', await workspace.write('b.csv', csv(3000)), { infer: true });
    await made.derive('typed', 'wide', wideStep);
    await made.derive('wide', 'some', 'sample: {fraction: 0.2, seed: 1}');
    await made.derive('some', 'fewer', 'filter: {where: "id % 2 = 0"}');
    await made.drop('wide');
    const before = await made.texts();
    await made.drop('wide');
    const plan = await made.plan();
    const [family] = plan.families;
    await made.repack({ ...plan, families: [{ ...family!, jobs: family!.jobs.slice(0, 1) }] });
    const rest = await made.plan();
    expect(rest.families[0]!.jobs.map(({ table }) => table.versions)).toEqual([['fewer@1']]);
    await made.repack(rest);
    expect((await layoutOf(made, 'fewer')).parts).toEqual((await layoutOf(made, 'some')).parts);
    expect(await made.texts()).toEqual(before);
  });

  it('puts no lines in the place of typed rows that hold the same', async () => {
    const made = await open();
    const { workspace } = made;
    await workspace.add('lines', await workspace.write('a.jsonl', spelled(3000)));
    await made.derive('lines', 'typed', 'sql: {query: "SELECT DISTINCT * FROM input ORDER BY id"}');
    await made.derive('typed', 'few', 'filter: {where: "id % 10 = 0"}');
    const before = await made.texts();
    await made.drop('typed');
    const outcomes = await made.repack(await made.plan());
    expect(outcomes.map(({ job, result }) => [job.table.versions, result.state])).toEqual([[['few@1'], 'repacked']]);
    expect((await workspace.lines('few')).join('\n')).toBe(before.get('few@1'));
  });

  it('leaves a table alone that got another layout meanwhile', async () => {
    const made = await open();
    const { workspace } = made;
    await workspace.add('lines', await workspace.write('a.jsonl', spelled(100)));
    await made.derive('lines', 'few', 'filter: {where: "id % 3 = 0"}');
    const plan = await made.plan('few');
    const { record } = await workspace.version('few');
    const other = (await workspace.store.journal()).layouts.get(tableKey((await workspace.version('lines')).record))!;
    const { table, schema } = record;
    await workspace.store.commit(() => ({ op: 'layout', table, schema, layout: other }), noon);
    expect((await made.repack(plan)).map(({ result }) => result.state)).toEqual(['changed']);
    expect((await workspace.store.journal()).layouts.get(tableKey(record))).toBe(other);
  });

  it('gives a named version parts of its own in its order, and leaves the only copy of a raw file alone', async () => {
    const made = await open();
    const { workspace } = made;
    const raw = spelled(500);
    await workspace.add('lines', await workspace.write('a.jsonl', raw));
    await made.derive(
      'lines',
      'mixed',
      'filter: {where: "id % 3 > 0"}',
      'shuffle: {seed: 1}',
      'concat: {with: [lines]}',
    );
    const before = await made.texts();
    expect((await made.plan('lines')).left.map(({ why }) => why)).toEqual([
      'its parts are the only copy of a raw file',
    ]);
    await made.repack(await made.plan('mixed'));
    const layout = await layoutOf(made, 'mixed');
    expect(layout.parts).toHaveLength(1);
    // Each stored row once, though some stand in the version twice.
    expect(layout.parts[0]!.rows).toBe(500);
    await made.sweep(0);
    await made.sweep(0);
    expect(await made.texts()).toEqual(before);
    expect((await workspace.rawFiles('lines', 'out')).map(String)).toEqual([raw]);
    await made.derive('lines', 'some', 'filter: {where: "id % 3 > 0"}', 'shuffle: {seed: 1}');
    await made.repack(await made.plan('some'));
    expect((await made.plan('some')).left.map(({ why }) => why)).toEqual(['it lies in parts of its own, in order']);
  });

  it('names a version once whose way passes a table twice', async () => {
    const made = await open();
    await made.workspace.add('lines', await made.workspace.write('a.jsonl', spelled(100)));
    const [half, all, third] = ['id % 2 = 0', 'id >= 0', 'id % 3 = 0'].map((where) => `filter: {where: "${where}"}`);
    await made.derive('lines', 'few', half!, all!, third!);
    const { tables } = await storeFacts(made.workspace.store);
    expect(tables.map(({ versions }) => versions)).toEqual([['lines@1'], ['few@1'], ['few@1']]);
  });

  it('makes one part of many small ones', async () => {
    const made = await open();
    const { workspace } = made;
    for (let day = 1; day <= 3; day++) {
      const path = await workspace.write('days.csv', csv(day * 20));
      await workspace.add('days', path, { infer: true });
    }
    const before = await made.texts();
    expect((await layoutOf(made, 'days')).parts).toHaveLength(3);
    // Three are few: what is done with many is asked for by hand.
    expect((await made.plan()).families).toEqual([]);
    const { tables, files } = await storeFacts(workspace.store);
    const jobs = tables.toReversed().map((table) => ({ table, why: 'small-parts' as const }));
    const leaving = new Set(files.keys());
    const outcomes = await made.repack({ families: [{ jobs, leaving, writtenBytes: 0, freedBytes: 0 }], left: [] });
    expect(outcomes.map(({ result }) => result.state)).toEqual(['repacked', 'repacked', 'repacked']);
    expect((await layoutOf(made, 'days')).parts).toHaveLength(1);
    expect((await layoutOf(made, 'days@2')).parts).toEqual((await layoutOf(made, 'days')).parts);
    expect((await made.plan()).families).toEqual([]);
    await made.sweep(0);
    expect(await made.texts()).toEqual(before);
    // The layouts that the entries name are gone; reading the same files again takes the current ones.
    await made.sweep(0);
    const { created } = await workspace.add('days', workspace.path('days.csv'), { infer: true });
    expect(created).toBe(false);
    await workspace.add('other', await workspace.write('other.csv', csv(400)), { infer: true });
    expect(await made.problems()).toEqual([]);
  });

  it('gives back from quarantine what an add wants, and does without what was deleted', async () => {
    const made = await open();
    const { workspace } = made;
    await workspace.add('typed', await workspace.write('b.csv', csv(300)), { infer: true });
    await made.derive('typed', 'wide', wideStep);
    const wide = (await workspace.lines('wide')).slice(0, 290).map((line) => `${line}\n`);
    await made.drop('wide');
    expect((await made.sweep()).move.length).toBeGreaterThan(0);
    const added = await workspace.add('again', await workspace.write('wide.json', `[${wide.join(',')}]`));
    expect(added.rows).toBe(290);
    // A new layout, and no row.
    expect(added.newBytes).toBeLessThan(1000);
    expect(await made.problems()).toEqual([]);
    await made.sweep(0);
    await made.sweep(0);
    await workspace.add('more', await workspace.write('c.csv', csv(280)), { infer: true });
    expect(await made.problems()).toEqual([]);
  });
});

const id = (n: number): Sha256Id => `sha256:${String(n).padStart(64, '0')}` as Sha256Id;
const named = (tables: readonly TableFacts[], files: readonly [Sha256Id, FileFacts][]): string[][] =>
  planFrayed({ tables, files: new Map(files) }).families.map(({ jobs }) => jobs.map((job) => job.table.versions[0]!));

const table = (
  n: number,
  parts: readonly (readonly [number, number])[],
  more: Partial<TableFacts> = {},
): TableFacts => ({
  ref: { table: `holdout-table-v1:${String(n).padStart(64, '0')}` as TableId, schema: id(0) },
  setRoot: 'holdout-set-v1:0' as SetRoot,
  layout: id(n),
  versions: [`t${n}@1`],
  onTheWay: false,
  rows: parts.reduce((sum, [, rows]) => sum + rows, 0),
  columns: 2,
  parts: parts.map(([part, rows]) => ({ part: { id: id(part), rows: 1000 }, rows })),
  digestRecords: [],
  pieces: parts.length,
  runs: parts.length,
  strewn: false,
  raw: false,
  ...more,
});

const file = (n: number, live: number): [Sha256Id, FileFacts] => [
  id(n),
  { rows: 1000, live, bytes: 100_000, kind: 'lines' },
];

describe('a plan', () => {
  it('counts live rows over all tables, and repacks the largest of a family first', () => {
    const tables = [table(1, [[50, 100]]), table(2, [[50, 300]]), table(3, [[51, 100]])];
    expect(named(tables, [file(50, 400), file(51, 1000)])).toEqual([['t2@1', 't1@1']]);
    expect(named(tables, [file(50, 500), file(51, 1000)])).toEqual([]);
  });

  it('merges small parts only where they are many', () => {
    const many = Array.from({ length: 17 }, (_, n) => [100 + n, 1000] as const);
    const files = many.map(([n]) => file(n, 1000));
    expect(named([table(1, many)], files)).toEqual([['t1@1']]);
    expect(named([table(1, many.slice(1))], files)).toEqual([]);
  });

  it('leaves what a raw file needs, also to tables that use little of it', () => {
    const raw = table(1, [[50, 10]], { raw: true });
    expect(named([raw, table(2, [[50, 20]])], [file(50, 30)])).toEqual([]);
  });

  it('puts strewn rows in order only where nobody else uses their parts', () => {
    const strewn = table(1, [[50, 1000]], { strewn: true });
    expect(named([strewn], [file(50, 1000)])).toEqual([['t1@1']]);
    expect(named([strewn, table(2, [[50, 10]])], [file(50, 1000)])).toEqual([]);
  });
});
