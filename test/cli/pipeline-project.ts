/**
 * A pipeline of two files, two datasets made of them, an eval set and a check, for tests of `run`.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach } from 'vitest';
import { Sandbox, lines } from './run-cli.ts';

/** A dataset. */
export const rows = Array.from({ length: 60 }, (_, i) => ({
  id: i,
  instruction: `do ${i % 20}`,
  output: i % 6 === 5 ? null : 'word '.repeat(i % 7),
}));
/** Rows of another one. */
export const more = Array.from({ length: 5 }, (_, i) => ({
  id: 100 + i,
  instruction: `make ${i}`,
  output: `a longer text of its own, number ${i}`,
}));
/** What the eval set asks. */
export const question =
  'A robe takes two bolts of blue fibre and half that much white fibre. How many bolts does it take?';
const items = [{ question, answer: 'three' }];

/** What becomes of them. */
export const pipeline = `version: 1
datasets:
  raw: {files: [data/a.jsonl], role: train}
  other: {files: data/b.jsonl, role: train}
  clean:
    from: raw
    steps:
      - filter: {where: "length(output) > 10"}
      - dedupe: {by: [instruction]}
        name: once
      - shuffle
  train:
    from: [clean, other]
    steps: [head: {n: 18}]
evals:
  ev: {files: [eval.jsonl], fields: {question: question, answer: answer}}
checks:
  - {train: train, against: ev}
`;

interface Shown {
  readonly name: string;
  readonly action: string;
  readonly reason: string | null;
  readonly version: number;
  readonly new: boolean;
  readonly table: string;
  readonly rows: number;
  readonly steps: readonly { readonly name: string; readonly rows: number; readonly counts: object }[];
}
/** What `run --json` prints. */
export interface Ran {
  readonly datasets: readonly Shown[];
  readonly checks: readonly { readonly check: string; readonly action: string; readonly verdict: string }[];
  readonly lock: { readonly file: string; readonly written: boolean };
  readonly difference: { readonly of: string; readonly step: string | null; readonly what: string } | null;
}

/** Folders for a file of tests, removed after each. */
export interface PipelineFolders {
  /** The files with an empty store. */
  readonly makeBox: (files?: Readonly<Record<string, string>>) => Promise<Sandbox>;
  /** The files with the store of a first run, of which each test gets a copy. */
  readonly makeRun: () => Promise<Sandbox>;
  /** What the first run said. */
  readonly ran: Promise<Ran>;
}

/** Runs the pipeline once, with these files beside or in place of its own; its store is copied for each test that asks. */
export function usePipeline(own: Readonly<Record<string, string>> = {}): PipelineFolders {
  const boxes: Sandbox[] = [];
  const fresh = makeFresh(own);
  const done = fresh.then(async (from) => {
    const box = await from.copy();
    return { box, ran: await box.json<Ran>(['run']) };
  });
  afterEach(async () => {
    for (const box of boxes.splice(0)) await box.remove();
  });
  afterAll(async () => {
    await (await fresh).remove();
    await (await done).box.remove();
  });
  const copyOf = async (from: Sandbox): Promise<Sandbox> => {
    const box = await from.copy();
    boxes.push(box);
    return box;
  };
  return {
    async makeBox(files = {}) {
      const box = await copyOf(await fresh);
      for (const [name, text] of Object.entries(files)) await box.write(name, text);
      return box;
    },
    makeRun: async () => copyOf((await done).box),
    ran: done.then(({ ran }) => ran),
  };
}

async function makeFresh(own: Readonly<Record<string, string>>): Promise<Sandbox> {
  const box = await Sandbox.make({
    'data/a.jsonl': lines(rows),
    'data/b.jsonl': lines(more),
    'eval.jsonl': lines(items),
    'holdout.yaml': pipeline,
    ...own,
  });
  await box.run(['init']);
  return box;
}

/** The text of its lock. */
export const lockOf = (box: Sandbox): Promise<string> => readFile(join(box.folder, 'holdout.lock'), 'utf8');
/** What was done to each dataset. */
export const actionsOf = ({ datasets }: Ran): Record<string, string> =>
  Object.fromEntries(datasets.map(({ name, action }) => [name, action]));
/** Nothing was. */
export const upToDate = {
  raw: 'up-to-date',
  other: 'up-to-date',
  clean: 'up-to-date',
  train: 'up-to-date',
  ev: 'up-to-date',
};
