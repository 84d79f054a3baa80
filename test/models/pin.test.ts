import { mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { comparePins } from '../../dist/src/models/compare-pins.js';
import { createPin, readPin, writePin } from '../../dist/src/models/pin.js';
import { verifyPin } from '../../dist/src/models/verify-pin.js';
import type { PinContent } from '../../dist/src/models/pin.js';
import type { DataAtHand } from '../../dist/src/models/verify-pin.js';
import type { LeakReport } from '../../dist/schemas/leak-report.js';
import type { PinnedDataset, PinnedEval } from '../../dist/schemas/pin.js';
import type { SetRoot, Sha256Id, TableId } from '../../dist/schemas/ids.js';

const hex = (digit: string): string => digit.repeat(64);
const table = (digit: string): TableId => `holdout-table-v1:${hex(digit)}` as TableId;
const root = (digit: string): SetRoot => `holdout-set-v1:${hex(digit)}` as SetRoot;
const sha = (digit: string): Sha256Id => `sha256:${hex(digit)}` as Sha256Id;

const train = (digit: string): PinnedDataset => ({
  name: 'sft',
  version: 1,
  snapshot: sha('a'),
  table: table(digit),
  schema: sha('b'),
  setRoot: root(digit),
  rows: 10,
  role: 'train',
});
const evalSet = (digit: string, name = 'gsm8k'): PinnedEval => ({
  ...train(digit),
  name,
  role: 'eval',
  itemsRoot: root(digit),
  fields: { question: ['q'] },
});
const report = (verdict: LeakReport['verdict'], trainDigit: string, evalDigit: string): LeakReport =>
  ({
    verdict,
    trains: [{ table: table(trainDigit) }],
    evals: [{ itemsRoot: root(evalDigit) }],
  }) as unknown as LeakReport;

const data = (digit: string, items: string): DataAtHand => ({
  name: 'file.jsonl',
  table: table(digit),
  setRoot: root(digit),
  rows: 10,
  itemsRoot: () => Promise.resolve(root(items)),
});
const stored = (): Promise<string> => Promise.resolve('no store');

let folder: string;
const content = (more: Partial<PinContent> = {}): PinContent => ({
  modelDir: folder,
  holdoutVersion: '0.0.0',
  trains: [train('1')],
  evals: [evalSet('2')],
  report: null,
  scores: [],
  ...more,
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdout-test-'));
  await writeFile(join(folder, 'model.safetensors'), 'weights');
  await writeFile(join(folder, 'README.md'), '---\nlicense: mit\n---\n# Model\n');
});
afterEach(async () => rm(folder, { recursive: true }));

describe('a pin', () => {
  it.each([
    ['missing', null, /^NOT CHECKED/],
    ['stale', report('clean', '9', '2'), /^STALE.*sft@1/],
    ['leaking', report('leak', '1', '2'), /^LEAK/],
    ['incomplete', report('incomplete', '1', '2'), /^INCOMPLETE/],
    ['clean', report('clean', '1', '2'), /^Clean/],
  ])('says first that its report is %s', async (_, found, says) => {
    const pin = await createPin(content({ report: found === null ? null : { id: sha('f'), report: found } }));
    expect(pin.says).toMatch(says);
    const { path } = await writePin(folder, pin);
    const [firstLine = ''] = (await readFile(path, 'utf8')).split('\n');
    expect(firstLine).toContain(JSON.stringify(pin.says));
  });

  it('is read back as written, and made again is the same', async () => {
    const first = await writePin(folder, await createPin(content()));
    expect(first.card).toBe('written');
    expect(await readPin(folder)).toEqual({ pin: first.pin, id: first.id, path: first.path });
    const second = await writePin(folder, await createPin(content()));
    expect(second.id).toBe(first.id);
    expect(second.card).toBe('unchanged');
  });

  it('binds a score to the items of a pinned eval, and refuses one of another', async () => {
    const { scores } = await createPin(content({ scores: [{ eval: 'gsm8k', metric: 'em', value: 0.5 }] }));
    expect(scores).toEqual([{ eval: 'gsm8k', itemsRoot: root('2'), metric: 'em', value: 0.5 }]);
    await expect(createPin(content({ scores: [{ eval: 'mmlu', metric: 'em', value: 1 }] }))).rejects.toMatchObject({
      code: 'USAGE',
    });
  });

  it('has one value for each metric, however eval and metric are spelled', async () => {
    const score = { eval: 'gsm8k', metric: 'em', value: 0.5 };
    for (const other of [score, { ...score, eval: 'gsm8k@1' }, { ...score, metric: 'EM', value: 0.6 }]) {
      await expect(createPin(content({ scores: [score, other] }))).rejects.toMatchObject({ code: 'USAGE' });
    }
  });

  it('is not written where its card cannot take the entry, unless the card is left alone', async () => {
    await writeFile(join(folder, 'README.md'), '---\n  license: mit\n---\n');
    const pin = await createPin(content());
    await expect(writePin(folder, pin)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(await readdir(folder)).not.toContain('holdout.pin.json');
    expect((await writePin(folder, pin, { card: false })).card).toEqual({ left: 'as asked' });
    expect(await readdir(folder)).toContain('holdout.pin.json');
  });

  it('refuses a file that is no pin', async () => {
    await writeFile(join(folder, 'holdout.pin.json'), '{"type": "holdout/pin@1"}');
    await expect(readPin(folder)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('verifying a pin', () => {
  it('holds, then names what is missing, changed and unexpected', async () => {
    const pinned = await writePin(folder, await createPin(content()));
    expect((await verifyPin(folder, pinned, null)).state).toBe('holds');
    await writeFile(join(folder, 'extra.bin'), 'x');
    await writeFile(join(folder, 'README.md'), '---\nlicense: other\n---\n# Changed\n');
    await rm(join(folder, 'model.safetensors'));
    const { state, findings } = await verifyPin(folder, pinned, null);
    expect(state).toBe('differs');
    expect(findings.map(({ name, detail }) => [name, detail.split(':')[0]])).toEqual([
      ['README.md', 'changed'],
      ['model.safetensors', 'missing'],
      ['extra.bin', 'unexpected'],
    ]);
  });

  it('names a card that belongs to another pin', async () => {
    const first = await writePin(folder, await createPin(content()));
    await writePin(folder, await createPin(content({ trains: [train('3')] })));
    const { state, findings } = await verifyPin(folder, first, null);
    expect(state).toBe('differs');
    expect(findings).toContainEqual(expect.objectContaining({ what: 'card', state: 'differs' }));
  });

  it('names what its card says other', async () => {
    const scores = [{ eval: 'gsm8k', metric: 'em', value: 0.5 }];
    const pinned = await writePin(folder, await createPin(content({ scores })));
    const card = join(folder, 'README.md');
    const text = await readFile(card, 'utf8');
    for (const [from, to, where] of [
      ['"em": 0.5', '"em": 0.9', 'eval[0].scores.em is 0.9, pinned 0.5'],
      ['NOT CHECKED', 'Clean', 'says is "Clean'],
      ['  pin:', '  pim:', 'pim is "sha256'],
    ] as const) {
      await writeFile(card, text.replace(from, to));
      const { state, findings } = await verifyPin(folder, pinned, null);
      expect(state).toBe('differs');
      expect(findings.find(({ what }) => what === 'card')?.detail).toContain(where);
    }
  });

  it('compares its file with what a store has recorded', async () => {
    const scores = [{ eval: 'gsm8k', metric: 'em', value: 0.5 }];
    const kept = await writePin(folder, await createPin(content({ scores })));
    const changed = { pin: { ...kept.pin, scores: [{ ...kept.pin.scores[0]!, value: 0.9 }] }, id: sha('0') };
    const verdict = async (pinned: typeof kept | typeof changed, pins: (typeof kept)[], snapshots: Sha256Id[]) => {
      const known = { pins, snapshots: new Set(snapshots) };
      const { findings } = await verifyPin(folder, pinned, { trains: null, evals: null, stored, known });
      return findings.find(({ what }) => what === 'pin');
    };
    expect(await verdict(kept, [kept], [])).toMatchObject({ state: 'holds' });
    const differs = {
      state: 'differs',
      detail: expect.stringContaining('scores[0].value is 0.9, recorded 0.5') as string,
    };
    expect(await verdict(changed, [kept], [])).toMatchObject(differs);
    expect(await verdict(changed, [], [sha('a')])).toMatchObject({ state: 'cannot-tell' });
    expect(await verdict(changed, [], [])).toBe(undefined);
  });

  it('names a link that leads nowhere or out of the folder', async () => {
    const pinned = await writePin(folder, await createPin(content()));
    await rm(join(folder, 'model.safetensors'));
    await symlink('nowhere', join(folder, 'model.safetensors'));
    await symlink(tmpdir(), join(folder, 'out'));
    const { state, findings } = await verifyPin(folder, pinned, null);
    expect(state).toBe('differs');
    expect(findings.filter((each) => each.state === 'differs')).toEqual([
      expect.objectContaining({ name: 'model.safetensors', detail: 'now a symbolic link that leads nowhere' }),
      expect.objectContaining({ name: 'out', detail: expect.stringContaining("out of the model's folder") as string }),
    ]);
  });

  it('compares data given, and cannot tell without', async () => {
    const pinned = await writePin(folder, await createPin(content()));
    const states = async (trains: DataAtHand[] | null, evals: DataAtHand[] | null): Promise<string[]> => {
      const { findings } = await verifyPin(folder, pinned, { trains, evals, stored });
      return findings.filter(({ what }) => what === 'train' || what === 'eval').map(({ state }) => state);
    };
    expect(await states(null, null)).toEqual(['cannot-tell', 'cannot-tell']);
    expect(await states([data('1', '1')], [data('2', '2')])).toEqual(['holds', 'holds']);
    expect(await states([data('4', '1')], [data('5', '2')])).toEqual(['differs', 'differs']);
  });
});

describe('comparing pins', () => {
  const score = { eval: 'gsm8k', metric: 'em' };

  it('sets scores on the same items side by side', async () => {
    const a = await createPin(content({ scores: [{ ...score, value: 0.5 }] }));
    const b = await createPin(content({ scores: [{ ...score, value: 0.6 }], trains: [train('3')] }));
    expect(comparePins(a, b)).toEqual({
      comparable: true,
      rescore: [],
      scores: [{ eval: 'gsm8k', metric: 'em', a: 0.5, b: 0.6 }],
      differences: ['training data sft@1: only in A', 'training data sft@1: only in B'],
    });
  });

  it('refuses where the items differ, and says what to score again', async () => {
    const a = await createPin(content({ scores: [{ ...score, value: 0.5 }] }));
    const b = await createPin(content({ evals: [evalSet('7')], scores: [{ ...score, value: 0.6 }] }));
    const { comparable, rescore, scores } = comparePins(a, b);
    expect({ comparable, scores }).toEqual({ comparable: false, scores: [] });
    expect(rescore).toMatchObject([{ eval: 'gsm8k', comparable: false }]);
  });

  it('compares what is shared where an eval is in one pin only', async () => {
    const a = await createPin(content({ evals: [evalSet('2'), evalSet('5', 'mmlu')] }));
    const { comparable, rescore } = comparePins(a, await createPin(content()));
    expect(comparable).toBe(true);
    expect(rescore).toMatchObject([{ eval: 'mmlu', why: 'B was not scored on mmlu@1' }]);
  });
});
