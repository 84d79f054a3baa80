import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { snapshotRecord } from '../../dist/schemas/records.js';
import { executeDrop, planDrop, rebuildDropped } from '../../dist/src/lineage/rebuild.js';
import type { RebuildRun } from '../../dist/src/lineage/rebuild.js';
import { openStoreEngine } from '../../dist/src/snapshots/store-engine.js';
import { resolveVersion } from '../../dist/src/snapshots/versions.js';
import { planSweep } from '../../dist/src/store/quarantine.js';
import type { QuarantinedFile, UnneededFile } from '../../dist/src/store/quarantine.js';
import { Store } from '../../dist/src/store/store.js';
import { partsOfLayout } from '../../dist/src/tables/stored-parts.js';
import { openTable } from '../../dist/src/tables/table-reader.js';
import { builtInTransforms } from '../../dist/transforms/index.js';
import { Sandbox } from './run-cli.js';

const now = new Date('2026-01-02T03:04:05Z');
let made: Sandbox;
let box: Sandbox;
const told = (...args: string[]): Promise<string> => box.told(args);

/** What needs no process of its own is done in this one. */
const inStore = async <T>(where: Sandbox, use: (run: RebuildRun) => Promise<T>): Promise<T> => {
  const store = await Store.open(join(where.folder, '.holdout'));
  const engine = await openStoreEngine(store, { threads: 2 });
  try {
    return await use({ store, engine, transforms: builtInTransforms, threads: 2, now });
  } finally {
    await engine.close();
    await store.close();
  }
};

/** The lines of a version, as `cat` gives them; a dropped one is made again. */
const linesOf = async (run: RebuildRun, name: string): Promise<string> => {
  const { snapshot } = resolveVersion(await run.store.journal(), name);
  const ref = await run.store.getRecord(snapshot, snapshotRecord);
  await rebuildDropped(run, ref);
  const reader = await openTable(run.store, run.engine, ref);
  let text = '';
  for await (const { bytes } of reader.jsonLines()) text += Buffer.from(bytes).toString();
  await reader.close();
  return text;
};

const drop = async (run: RebuildRun, name: string): Promise<void> => {
  await executeDrop(run, await planDrop(run, resolveVersion(await run.store.journal(), name)));
};

// One store is made, and copied for each test.
let fa = '';
let mix = '';
beforeAll(async () => {
  // Not as canonical JSON would spell them: what is made of whole lines must give them back as they were.
  const rows = Array.from({ length: 60 }, (_, i) => `{"text": "${'x'.repeat(i % 7)}",  "id": ${i}.0}\n`);
  made = await Sandbox.make({ 'a.jsonl': rows.join(''), 'b.csv': 'id,text\n1,one\n' });
  // The first select gives the very table that it is given.
  const steps = [
    'concat: {with: [a]}',
    'select: {columns: [text, id]}',
    'select: {columns: [id, text]}',
    'shuffle: {seed: 1}',
  ];
  for (const args of [
    ['init'],
    ['add', 'a', 'a.jsonl'],
    ['add', 'b', 'b.csv'],
    ['transform', 'a', 'fa', '--step', 'filter: {where: "length(text) > 2"}'],
    ['transform', 'fa', 'mix', ...steps.flatMap((step) => ['--step', step])],
  ]) {
    await made.told(args);
  }
  [fa, mix] = await inStore(made, async (run) => [await linesOf(run, 'fa'), await linesOf(run, 'mix')]);
  expect(fa.split('\n')[0]).toBe('{"text": "xxx",  "id": 3.0}');
  expect(mix.split('\n')[0]).toBe('{"id":53.0,"text":"xxxx"}');
});
afterAll(async () => made.remove());

beforeEach(async () => {
  box = await Sandbox.make();
  await cp(made.folder, box.folder, { recursive: true, preserveTimestamps: true });
});
afterEach(async () => box.remove());

const quarantined = async (): Promise<string[]> =>
  (await readdir(join(box.folder, '.holdout', 'quarantine'), { recursive: true }).catch(() => [])).filter((name) =>
    /\.(parquet|digests|layout)$/.test(name),
  );

describe('a dropped version', () => {
  it('is rebuilt, spelled as before, by whoever reads it, also after its files are deleted', async () => {
    await told('drop', 'mix');
    await told('drop', 'fa');
    expect((await quarantined()).length).toBeGreaterThan(1);
    expect(await told('lineage', 'mix')).toContain('dropped');
    await told('compact', '--grace', '0');
    expect(await quarantined()).toEqual([]);
    // SQL makes the rows again, too, and what they are made of.
    const sql = await told('sql', 'SELECT count(*) AS n FROM mix', '--format', 'jsonl');
    expect(JSON.parse(sql)).toEqual({ n: 93 });
    expect(await told('cat', 'mix')).toBe(mix);
    expect(await told('cat', 'fa')).toBe(fa);
    expect(await told('verify', '--read-data')).toContain('Intact');
  });

  it('leaves a store that is intact', async () => {
    await inStore(box, async (run) => {
      await drop(run, 'mix');
      const sweep = await run.store.planSweep(partsOfLayout, { now: 1000, graceMs: 0 });
      expect(sweep.others).toEqual([]);
      await run.store.executeSweep(sweep.plan, 1000);
      expect(await run.store.verifyStructure(partsOfLayout)).toEqual([]);
      expect(await linesOf(run, 'mix')).toBe(mix);
    });
  });

  it('changes nothing under --dry-run', async () => {
    const journal = await readdir(join(box.folder, '.holdout', 'journal'));
    expect(await told('drop', 'mix', '--dry-run')).toContain('would be dropped');
    expect(await readdir(join(box.folder, '.holdout', 'journal'))).toEqual(journal);
    expect(await quarantined()).toEqual([]);
  });

  it('is none that could not be rebuilt: read from files, or made of what is dropped', async () => {
    await inStore(box, async (run) => {
      await expect(drop(run, 'a')).rejects.toThrow('the only copy of a raw file');
      await expect(drop(run, 'b')).rejects.toThrow('read from files');
      await drop(run, 'fa');
      await expect(drop(run, 'mix')).rejects.toThrow('fa@1 is dropped');
    });
  });
});

const step = (id: number): string[] => ['--step', `filter: {where: "id > ${id}"}`];

describe('a version made by code of your own', () => {
  it('is dropped where that is allowed, read only after it was rebuilt by name, and never where nothing vouches', async () => {
    await box.write('up.mjs', 'export default (row) => ({ ...row, text: `${row.text}!` });\n');
    await told('transform', 'fa', 'up', '--step', 'module: {path: up.mjs}');
    const loose = `command: {run: [sed, 's/id/no/'], timeout_s: 60}`;
    await told('transform', 'fa', 'loose', '--step', loose);
    const before = await inStore(box, async (run) => {
      const up = await linesOf(run, 'up');
      await expect(drop(run, 'up')).rejects.toThrow('runs code of your own, which reading must not');
      await expect(drop({ ...run, runCode: true }, 'loose')).rejects.toThrow('nothing vouches for the code');
      return up;
    });
    expect(await told('drop', 'up', '--run-code')).toContain(
      '`holdout reproduce up@1 --run-code --restore` rebuilds it',
    );
    expect(await box.run(['cat', 'up'])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: up@1 was dropped, and code of your own makes it[^\n]*\nhint: [^\n]*--restore/,
      ),
    });
    await told('compact', '--grace', '0');
    await told('reproduce', 'up', '--run-code', '--restore');
    await inStore(box, async (run) => {
      expect(await linesOf(run, 'up')).toBe(before);
      expect(await run.store.verifyStructure(partsOfLayout)).toEqual([]);
    });
  });

  it('names all that go with it, what is read no more without that code, and the way back', async () => {
    await box.write('up.mjs', 'export default (row) => ({ ...row, text: `${row.text}!` });\n');
    await told('transform', 'fa', 'up', '--step', 'module: {path: up.mjs}');
    await told('transform', 'up', 'few', '--step', 'head: {n: 3}');
    await told('transform', 'up', 'twin', '--step', 'filter: {where: "id >= 0"}');
    const few = await told('cat', 'few');
    await told('drop', 'few');
    expect(await told('log', '--limit', '1')).toMatch(/drop +table \w{12} of few@1; it is rebuilt when it is read$/m);
    const { stdout, stderr } = await box.run(['drop', 'up', '--run-code']);
    expect(stdout).toContain('also frees twin@1: the same rows\n');
    expect(stderr).toMatch(
      /^note: few@1, which was dropped before, .*`holdout reproduce up@1 --run-code --restore`\n$/,
    );
    expect((await box.run(['drop', 'twin'])).stderr).toContain(
      'it is dropped already; up@1 holds the same rows, and was dropped with it',
    );
    const log = await told('log', '--limit', '2');
    expect(log).toMatch(/of up@1, twin@1; it takes code of your own: `holdout reproduce up@1 --run-code --restore`/);
    expect(log).toMatch(/of few@1; it takes code of your own: `holdout reproduce few@1 --run-code --restore`/);
    expect((await box.run(['cat', 'few'])).status).toBe(2);
    await told('reproduce', 'up@1', '--run-code', '--restore');
    expect(await told('cat', 'few')).toBe(few);
    expect(await told('log', '--limit', '2')).toMatch(/table \w{12} of few@1\n.*table \w{12} of up@1, twin@1\n/);
  });

  it('makes nothing again for a question that takes that code, and says once that it makes rows again', async () => {
    await box.write('up.mjs', 'export default (row) => ({ ...row, text: `${row.text}!` });\n');
    await told('transform', 'fa', 'few', ...[15, 25, 35].flatMap(step));
    const coded = [...step(10), ...step(20), ...step(30), '--step', 'module: {path: up.mjs}', ...step(40)];
    await told('transform', 'fa', 'up', ...coded);
    await told('drop', 'few');
    await told('drop', 'up', '--run-code');
    const journal = await readdir(join(box.folder, '.holdout', 'journal'));
    // Row 60 reaches the step behind the module; its rows up to there would have been made for nothing.
    const asked = await box.run(['why', 'up', '--row', '60']);
    expect(asked).toMatchObject({ status: 2, stdout: '' });
    expect(asked.stderr).toMatch(/^error: up@1 was dropped, and code of your own makes it[^\n]*\nhint: [^\n]*\n$/);
    expect(await readdir(join(box.folder, '.holdout', 'journal'))).toEqual(journal);
    expect((await box.run(['why', 'up', '--row', '2'])).stdout).toContain('dropped by filter');
    expect(await box.run(['why', 'few', '--row', '60'])).toMatchObject({
      status: 0,
      stderr: 'rows on the way were dropped: making them again\n',
    });
  });

  it('is rebuilt from the stored rows of a file that holds others now', async () => {
    await box.write('once.json', '[{"text":"a"},{"text":"b"}]');
    await box.write('up.mjs', 'export default (row) => ({ ...row, text: `${row.text}!` });\n');
    await told('add', 'once', 'once.json');
    await told('transform', 'once', 'louder', '--step', 'module: {path: up.mjs}');
    const before = await told('cat', 'louder');
    await told('drop', 'louder', '--run-code');
    await box.write('once.json', '[{"text":"c"}]');
    expect((await box.run(['reproduce', 'louder', '--run-code'])).status).toBe(3);
    expect(await told('reproduce', 'louder', '--run-code', '--restore')).toContain(
      'its files are gone: the rows that the store has are taken as they are',
    );
    expect(await told('cat', 'louder')).toBe(before);
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
    await inStore(box, async (run) => {
      const { store } = run;
      await drop(run, 'mix');
      const { move } = (await store.planSweep(partsOfLayout, { now: 1, graceMs: 1e9 })).plan;
      expect(move.length).toBeGreaterThan(1);
      for (let done = 0; done <= move.length; done++) {
        await store.executeSweep({ move: move.slice(0, done), remove: [], waiting: [], back: [] }, 1000 + done);
        expect(await store.verifyStructure(partsOfLayout)).toEqual([]);
        expect(await linesOf(run, 'fa')).toBe(fa);
        await store.executeSweep({ move: [], remove: [], waiting: [], back: move.slice(0, done) }, 2000 + done);
      }
      await store.executeSweep({ move, remove: [], waiting: [], back: [] }, 3000);
      expect(await linesOf(run, 'mix')).toBe(mix);
    });
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
    await inStore(box, async (run) => {
      const { store } = run;
      expect((await store.planSweep(partsOfLayout, { now: 1, graceMs: 1 })).plan.move).toEqual([]);
      const layouts = [...(await store.journal()).layouts.values()];
      const move = layouts.map((id): UnneededFile => ({ kind: 'layout', id, bytes: 0 }));
      await store.executeSweep({ move, remove: [], waiting: [], back: [] }, 5);
      expect(await store.verifyStructure(partsOfLayout)).toEqual([]);
      const { plan } = await store.planSweep(partsOfLayout, { now: 9, graceMs: 0 });
      await store.executeSweep(plan, 9);
      expect(await linesOf(run, 'mix')).toBe(mix);
      expect(await quarantined()).toEqual([]);
    });
  });
});
