/**
 * A small table with everything that could part two runs of a step (equal rows, nulls, ties, −0, text past ASCII), laid
 * out twice: in one part, and as rows that alternate between two.
 * @module
 */
import { parseStep } from '../../dist/cli/parse-step.js';
import type { Sha256Id } from '../../dist/schemas/ids.js';
import type { SnapshotRecord } from '../../dist/schemas/records.js';
import { type TableSchema, tableSchema } from '../../dist/schemas/table-schema.js';
import type { Engine } from '../../dist/src/engine/engine.js';
import { bindStep } from '../../dist/src/lineage/bind-step.js';
import { type AppliedStep, applyStep } from '../../dist/src/lineage/run-step.js';
import type { PreparedStep } from '../../dist/src/lineage/transform.js';
import { tableKey } from '../../dist/src/store/journal-state.js';
import { LayoutBuilder } from '../../dist/src/tables/layout-builder.js';
import type { Layout } from '../../dist/src/tables/layout.js';
import { readLayout } from '../../dist/src/tables/stored-parts.js';
import { openLayout } from '../../dist/src/tables/table-reader.js';
import { builtInTransforms } from '../../dist/transforms/index.js';
import { Workspace } from '../snapshots/workspace.js';

export interface Row {
  readonly id: number;
  readonly text: string | null;
  readonly group: string | null;
  readonly score: number | null;
  readonly tags: readonly string[];
}

const scores = [1.5, 0, -0, null, 3.25, -2, 1.5, 100.125];
const texts = ['short', 'a longer text of words', null, 'żółw 🐢 zażółć', '', 'the same again and again and again'];

/** 120 rows, some of them equal. */
export const rows: readonly Row[] = Array.from({ length: 120 }, (_, i) => ({
  id: i % 10 === 9 ? 9 : i,
  text: texts[(i * 7) % texts.length] ?? null,
  group: i % 10 === 9 ? 'nine' : ([null, 'a', 'b', 'c', 'ä'][i % 5] ?? null),
  score: i % 10 === 9 ? 9.5 : (scores[(i * 3) % scores.length] ?? null),
  tags: i % 10 === 9 ? [] : Array.from({ length: i % 3 }, (_, k) => `t${k}`),
})).map((row, i) => (i % 10 === 9 ? { ...row, text: i % 20 === 9 ? 'nine' : 'nine again' } : row));

/** JSON has no −0 in JavaScript's own spelling. */
const line = (row: Row): string =>
  JSON.stringify(row).replace(/"score":0([,}])/, row.id % 2 === 0 ? '"score":-0.0$1' : '"score":0.0$1');

/** Eval items, one of which stands in the rows. */
const held = [
  { question: 'the same again and again and again', answer: 'x' },
  { question: 'which of these is nowhere to be found in the table?', answer: 'none' },
];

/** Text for most of the rows, to be joined by `id`; not in their order. */
export const generated = Array.from({ length: 120 }, (_, i) => (i * 7) % 120)
  .filter((id) => id % 10 === 9 || id % 3 > 0)
  .map((id) => ({ key: id, answer: id % 4 === 0 ? null : `answer ${id}`, meta: { words: id % 5 } }));

/** What a step takes of the one before. */
type StepBefore = Pick<AppliedStep, 'schema'> & { readonly output: Pick<SnapshotRecord, 'table' | 'schema'> };

export type LayoutKind = 'compact' | 'frayed';

/** A store with the table. */
export class StepBench {
  readonly workspace: Workspace;
  readonly table: SnapshotRecord;
  private readonly layouts: Readonly<Record<LayoutKind, Layout>>;

  private constructor(workspace: Workspace, table: SnapshotRecord, layouts: Readonly<Record<LayoutKind, Layout>>) {
    this.workspace = workspace;
    this.table = table;
    this.layouts = layouts;
  }

  static async make(): Promise<StepBench> {
    const workspace = await Workspace.make();
    const add = async (name: string, of: readonly Row[]): Promise<Layout> => {
      await workspace.add(name, await workspace.write(`${name}.jsonl`, of.map((row) => `${line(row)}\n`).join('')));
      const { record } = await workspace.version(name);
      return readLayout(workspace.store, (await workspace.store.journal()).layouts.get(tableKey(record))!);
    };
    const even = await add(
      'even',
      rows.filter((_, i) => i % 2 === 0),
    );
    const odd = await add(
      'odd',
      rows.filter((_, i) => i % 2 === 1),
    );
    const builder = new LayoutBuilder([...even.parts, ...odd.parts]);
    for (let i = 0; i < rows.length; i++) builder.push((i % 2) * even.rows + (i >> 1), 1);
    await workspace.add('held', await workspace.write('held.jsonl', linesOf(held)), { role: 'eval' });
    await workspace.add('generated', await workspace.write('generated.jsonl', linesOf(generated)));
    const compact = await add('all', rows);
    const { record } = await workspace.version('all');
    return new StepBench(workspace, record, { compact, frayed: builder.finish() });
  }

  /** Runs steps one after the other, each on the overlay of the one before. */
  async run(
    steps: readonly string[],
    { threads = 2, layout = 'compact' }: { readonly threads?: number; readonly layout?: LayoutKind } = {},
  ): Promise<AppliedStep[]> {
    return this.withEngine(threads, async (engine) => {
      const done: AppliedStep[] = [];
      for (const text of steps) {
        const before = done.at(-1);
        done.push(await this.apply(engine, prepare(text), before?.layout ?? this.layouts[layout], before, threads));
      }
      return done;
    });
  }

  /** Runs steps on a dataset of the store. */
  async runOn(dataset: string, steps: readonly string[]): Promise<AppliedStep[]> {
    const { store } = this.workspace;
    const { record } = await this.workspace.version(dataset);
    const whole = await readLayout(store, (await store.journal()).layouts.get(tableKey(record))!);
    const schema = await store.getRecord(record.schema, tableSchema);
    return this.withEngine(2, async (engine) => {
      const done: AppliedStep[] = [];
      for (const text of steps) {
        const before = done.at(-1) ?? { output: record, schema };
        done.push(await this.apply(engine, prepare(text), done.at(-1)?.layout ?? whole, before));
      }
      return done;
    });
  }

  /** The rows that steps leave. */
  async rowsAfter(...steps: readonly string[]): Promise<Row[]> {
    return this.rowsOf((await this.run(steps)).at(-1)!);
  }

  /** The rows that steps leave of a dataset of the store, parsed. */
  async rowsAfterOf(dataset: string, ...steps: readonly string[]): Promise<Record<string, unknown>[]> {
    return this.rowsOf((await this.runOn(dataset, steps)).at(-1)!);
  }

  private async rowsOf<T>({ layout, schema }: AppliedStep): Promise<T[]> {
    const text = await this.linesOf(layout, schema);
    return text
      .split('\n')
      .slice(0, -1)
      .map((each) => JSON.parse(each) as T);
  }

  /** Row digests of what a step gave. */
  async digestsOf({ layout, schema }: AppliedStep): Promise<Uint8Array> {
    return this.withEngine(1, async (engine) => {
      const reader = await openLayout(this.workspace.store, engine, schema, layout);
      try {
        return await reader.digests();
      } finally {
        await reader.close();
      }
    });
  }

  /** The rows of a layout as JSON Lines. */
  async linesOf(layout: Layout, schema?: TableSchema): Promise<string> {
    const { store } = this.workspace;
    return this.withEngine(1, async (engine) => {
      const seen = schema ?? (await store.getRecord(this.table.schema, tableSchema));
      const reader = await openLayout(store, engine, seen, layout);
      let text = '';
      for await (const { bytes } of reader.jsonLines()) text += Buffer.from(bytes).toString();
      await reader.close();
      return text;
    });
  }

  withEngine<T>(threads: number, use: (engine: Engine) => Promise<T>): Promise<T> {
    return this.workspace.engine(use, threads);
  }

  /** Runs one step on the rows of a layout: the bench's own table, or what a step before gave. */
  async apply(
    engine: Engine,
    step: PreparedStep,
    layout: Layout,
    before?: StepBefore,
    threads = 2,
  ): Promise<AppliedStep> {
    const { store } = this.workspace;
    const schema = before?.schema ?? (await store.getRecord(this.table.schema, tableSchema));
    const ref = before?.output ?? this.table;
    const reader = await openLayout(store, engine, schema, layout);
    const resolve = async (name: string): Promise<Sha256Id> => (await this.workspace.version(name)).entry.snapshot;
    try {
      const bound = await bindStep({ store, resolve }, step, { table: ref.table, schema: ref.schema });
      return await applyStep({ store, engine, threads }, bound, { reader, layout, ref });
    } finally {
      await reader.close();
    }
  }

  layout(kind: LayoutKind): Layout {
    return this.layouts[kind];
  }
}

/** Values as JSON Lines. */
export function linesOf(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

export function prepare(text: string): PreparedStep {
  return parseStep(text, builtInTransforms);
}
