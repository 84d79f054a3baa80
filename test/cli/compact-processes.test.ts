import { existsSync } from 'node:fs';
import { cp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { snapshotRecord } from '../../dist/schemas/records.js';
import { resolveVersion } from '../../dist/src/snapshots/versions.js';
import { tableKey } from '../../dist/src/store/journal-state.js';
import { Store } from '../../dist/src/store/store.js';
import { DerivedStore } from '../snapshots/derived-store.js';
import { Sandbox } from './run-cli.js';

const killer = fileURLToPath(new URL('kill-at.mjs', import.meta.url));
const spelled = Array.from({ length: 400 }, (_, i) => `{"text": "text ${i % 7}",  "id": ${i}.0}\n`).join('');

let whole: Sandbox;
let frayed: Sandbox;
let texts: ReadonlyMap<string, string>;

const copyOf = async (of: Sandbox): Promise<Sandbox> => {
  const box = await Sandbox.make();
  await cp(of.folder, box.folder, { recursive: true, preserveTimestamps: true });
  onTestFinished(() => box.remove());
  return box;
};

beforeAll(async () => {
  whole = await Sandbox.make({ 'a.jsonl': spelled });
  const made = await DerivedStore.make();
  const { workspace } = made;
  await workspace.add('lines', join(whole.folder, 'a.jsonl'));
  await made.derive('lines', 'mixed', 'filter: {where: "id % 3 > 0"}', 'concat: {with: [lines]}');
  await made.derive(
    'lines',
    'wide',
    'sql: {query: "SELECT id, repeat(text, 9) AS text FROM input GROUP BY id, text ORDER BY id"}',
  );
  await made.derive('wide', 'some', 'sample: {fraction: 0.2, seed: 1}');
  await made.derive('some', 'fewer', 'filter: {where: "id % 2 = 0"}', 'shuffle: {seed: 2}');
  texts = await made.texts();
  await workspace.close();
  await cp(join(workspace.folder, '.holdout'), join(whole.folder, '.holdout'), { recursive: true });
  await made.drop('wide');
  await workspace.close();
  frayed = await Sandbox.make({ 'a.jsonl': spelled });
  await cp(join(workspace.folder, '.holdout'), join(frayed.folder, '.holdout'), { recursive: true });
  await made.remove();
});
afterAll(async () => {
  await whole.remove();
  await frayed.remove();
});

/** Ends the work that was cut off, and makes sure that nothing was lost. */
const mustBeWhole = async (box: Sandbox, more: readonly (readonly [string, string])[] = []): Promise<void> => {
  const made = await DerivedStore.open(box.folder);
  try {
    expect(await made.problems()).toEqual([]);
    await made.repack(await made.plan());
    expect((await made.plan()).families).toEqual([]);
    await made.sweep(0);
    await made.sweep(0);
    expect(await readdir(join(box.folder, '.holdout', 'quarantine')).catch(() => [])).toEqual([]);
    expect(await made.problems()).toEqual([]);
    expect(await made.texts()).toEqual(new Map([...texts, ...more]));
  } finally {
    await made.workspace.close();
  }
};

describe.each([
  ['compact', () => frayed],
  ['compact mixed some --grace 0', () => frayed],
  ['drop wide', () => whole],
])('`%s`', (command, from) => {
  it('killed before any of its changes loses nothing, and the next one ends its work', async () => {
    const args = command.split(' ');
    const counted = await copyOf(from());
    const countPath = join(counted.folder, 'count');
    const env = { NODE_OPTIONS: `--import ${killer}` };
    expect((await counted.run(args, { env: { ...env, KILL_COUNT: countPath } })).status).toBe(0);
    const changes = Number(await readFile(countPath, 'utf8'));
    expect(changes).toBeGreaterThan(20);
    // One at random each run, so that in time all are met.
    const points = [0.4, 0.8, 0.95, Math.random()].map((share) => 1 + Math.floor(share * (changes - 1)));
    await Promise.all(
      points.map(async (point) => {
        const box = await copyOf(from());
        const { status } = await box.run(args, { env: { ...env, KILL_AT: String(point) } });
        expect(status, `killed before change ${point} of ${changes}`).toBeNull();
        await mustBeWhole(box);
      }),
    );
  });
});

describe('commands at the same time', () => {
  it('lose nothing: two of compact, an add, a cat, a transform and a drop', async () => {
    const box = await copyOf(frayed);
    await box.write('b.jsonl', `${spelled}{"text": "more",  "id": 401}\n`);
    const commands = [
      ['compact', '--grace', '0'],
      ['cat', 'fewer'],
      ['add', 'lines', 'b.jsonl'],
      ['compact', '--grace', '0'],
      ['transform', 'some', 'odd', '--step', 'filter: {where: "id % 2 = 1"}'],
      ['drop', 'mixed'],
    ];
    const outcomes = await Promise.all(commands.map((args) => box.run(args)));
    expect(outcomes.map(({ status, stderr }) => [status, stderr])).toEqual(commands.map(() => [0, '']));
    expect(outcomes[1]!.stdout).toBe(`${texts.get('fewer@1')}\n`);
    const odd = texts
      .get('some@1')!
      .split('\n')
      .filter((line) => (JSON.parse(line) as { id: number }).id % 2 === 1);
    await mustBeWhole(box, [
      ['lines@2', `${spelled}{"text": "more",  "id": 401}`],
      ['odd@1', odd.join('\n')],
    ]);
  });

  it('wait while another one moves files, which does not begin while they work', async () => {
    const box = await copyOf(frayed);
    const root = join(box.folder, '.holdout');
    const store = await Store.open(root);
    const mark = join(dirname(await store.tempPath()), 'sweeping');
    await writeFile(mark, '');
    // While files are moved anything may be away.
    const state = await store.journal();
    const record = await store.getRecord(resolveVersion(state, 'fewer').snapshot, snapshotRecord);
    const layout = store.filePath('layout', state.layouts.get(tableKey(record))!);
    await rename(layout, join(box.folder, 'away'));
    const cat = box.run(['cat', 'fewer']);
    const own = await readdir(join(root, 'tmp'));
    while ((await readdir(join(root, 'tmp'))).length === own.length) await new Promise((next) => setTimeout(next, 5));
    // Meanwhile others run from beginning to end, which read no rows and so wait for nobody.
    for (let n = 0; n < 2; n++) expect((await box.run(['ls'])).status).toBe(0);
    await rename(join(box.folder, 'away'), layout);
    await rm(mark);
    expect(await cat).toMatchObject({ status: 0, stdout: `${texts.get('fewer@1')}\n` });
    const { stdout } = await box.run(['compact']);
    expect(stdout).toContain('Nothing was moved: 1 other command');
    expect(existsSync(join(root, 'quarantine'))).toBe(false);
    await store.close();
    await mustBeWhole(box);
  });
});
