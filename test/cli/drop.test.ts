import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planSweep } from '../../dist/src/store/quarantine.js';
import type { QuarantinedFile, UnneededFile } from '../../dist/src/store/quarantine.js';
import { Store } from '../../dist/src/store/store.js';
import { partsOfLayout } from '../../dist/src/tables/stored-parts.js';
import { Sandbox, lines } from './run-cli.js';

let box: Sandbox;
const told = async (...args: string[]): Promise<string> => {
  const { status, stdout, stderr } = await box.run(args);
  if (status !== 0) throw new Error(stderr);
  return stdout;
};
/** Rows as values: the spelling of a line is no part of a derived row. */
const rowsOf = async (name: string): Promise<unknown[]> =>
  (await told('cat', name))
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

beforeEach(async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ id: i, text: 'x'.repeat(i % 7) }));
  box = await Sandbox.make({ 'a.jsonl': lines(rows), 'b.csv': 'id,text\n1,one\n' });
  await told('init');
  await told('add', 'a', 'a.jsonl');
  await told('add', 'b', 'b.csv');
  const steps = ['concat: {with: [a]}', 'select: {columns: [text, id]}', 'shuffle: {seed: 1}'];
  await told('transform', 'a', 'fa', '--step', 'filter: {where: "length(text) > 2"}');
  await told('transform', 'fa', 'mix', ...steps.flatMap((step) => ['--step', step]));
});
afterEach(async () => box.remove());

const quarantined = async (): Promise<string[]> =>
  (await readdir(join(box.folder, '.holdout', 'quarantine'), { recursive: true }).catch(() => [])).filter((name) =>
    /\.(parquet|digests|layout)$/.test(name),
  );

describe('a dropped version', () => {
  it('is rebuilt, with the same rows, by whoever reads it, also after its files are deleted', async () => {
    const before = await rowsOf('mix');
    await told('drop', 'mix');
    expect((await quarantined()).length).toBeGreaterThan(1);
    expect(await told('lineage', 'mix')).toContain('dropped');
    expect(await told('verify', '--read-data')).toContain('Intact');
    await told('compact', '--grace', '0');
    expect(await quarantined()).toEqual([]);
    expect(await rowsOf('mix')).toEqual(before);
    expect(await told('lineage', 'mix')).not.toContain('dropped');
    expect(await told('verify', '--read-data')).toContain('Intact');
  });

  it('takes what it is made of with it only where that can be rebuilt, too', async () => {
    const before = await rowsOf('mix');
    await told('drop', 'mix');
    await told('drop', 'fa');
    await told('compact', '--grace', '0');
    const sql = await told('sql', 'SELECT count(*) AS n FROM mix', '--format', 'jsonl');
    expect(JSON.parse(sql)).toEqual({ n: before.length });
    expect(await rowsOf('mix')).toEqual(before);
  });

  it('changes nothing under --dry-run', async () => {
    const { journal } = { journal: await readdir(join(box.folder, '.holdout', 'journal')) };
    expect(await told('drop', 'mix', '--dry-run')).toContain('would be dropped');
    expect(await readdir(join(box.folder, '.holdout', 'journal'))).toEqual(journal);
    expect(await quarantined()).toEqual([]);
  });

  it.each([
    ['a', 'the only copy of a raw file'],
    ['b', 'read from files'],
  ])('is not %s, which could not be rebuilt', async (name, reason) => {
    const { status, stderr } = await box.run(['drop', name]);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(reason) as string });
  });

  it('is not what a dropped version before it is missing for', async () => {
    await told('drop', 'fa');
    const { status, stderr } = await box.run(['drop', 'mix']);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('fa@1 is dropped') as string });
  });
});

const file = (id: string): UnneededFile => ({ kind: 'part', id: `sha256:${id.repeat(64)}`, bytes: 1 }) as UnneededFile;

const waiting = (id: string, since: number): QuarantinedFile => ({ ...file(id), since });

const ends = (files: readonly UnneededFile[]): unknown[] => files.map((each) => each.id.at(-1));

describe('a sweep', () => {
  it('moves what nothing needs, deletes it after its time, and takes back what is needed after all', () => {
    const needed = new Set([file('a').id, file('c').id]);
    const plan = planSweep(
      {
        stored: [file('a'), file('b')],
        quarantined: [waiting('c', 0), waiting('d', 0), waiting('e', 90), waiting('f', 900)],
      },
      (each: UnneededFile) => needed.has(each.id),
      { now: 100, graceMs: 50 },
    );
    const ids = {
      move: ends(plan.move),
      remove: ends(plan.remove),
      waiting: ends(plan.waiting),
      back: ends(plan.back),
    };
    // f was moved in the future: a clock that was set back deletes nothing.
    expect(ids).toEqual({ move: ['b'], remove: ['d'], waiting: ['e', 'f'], back: ['c'] });
  });

  it('that is ended after any of its moves leaves a whole store', async () => {
    const before = await rowsOf('mix');
    await told('drop', 'mix');
    const store = await Store.open(join(box.folder, '.holdout'));
    // Back to where the drop was journalled and nothing was moved.
    const { plan } = await store.planSweep(partsOfLayout, { now: Date.now(), graceMs: 1e9 });
    const moved = [...plan.waiting];
    for (let done = 0; done <= moved.length; done++) {
      await store.executeSweep({ move: [], remove: [], waiting: [], back: moved.slice(done) }, 1000 + done);
      expect(await store.verifyStructure(partsOfLayout)).toEqual([]);
      await store.executeSweep({ move: moved.slice(done), remove: [], waiting: [], back: [] }, 2000 + done);
    }
    await store.close();
    expect(await rowsOf('mix')).toEqual(before);
  });

  it('moves nothing while somebody else has the store open', async () => {
    const store = await Store.open(join(box.folder, '.holdout'));
    await store.tempDirectory();
    expect(await told('drop', 'mix')).toContain('Nothing was moved: 1 other command');
    expect(await quarantined()).toEqual([]);
    await store.close();
    await told('compact');
    expect((await quarantined()).length).toBeGreaterThan(1);
  });

  it('hides nothing that is needed: a needed file in quarantine is taken back', async () => {
    const before = await rowsOf('mix');
    const store = await Store.open(join(box.folder, '.holdout'));
    const all = (await store.planSweep(partsOfLayout, { now: 1, graceMs: 1 })).plan.move;
    expect(all).toEqual([]);
    const layouts = [...(await store.journal()).layouts.values()];
    const move = layouts.map((id): UnneededFile => ({ kind: 'layout', id, bytes: 0 }));
    await store.executeSweep({ move, remove: [], waiting: [], back: [] }, 5);
    await store.close();
    expect(await told('verify')).toContain('Intact');
    await told('compact', '--grace', '0');
    expect(await rowsOf('mix')).toEqual(before);
    expect(await quarantined()).toEqual([]);
  });
});
