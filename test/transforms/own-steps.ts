/**
 * Takes steps of a person's own in a store of its own, as `holdout transform` does, without a process for each.
 * @module
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { derivationRecord, realisationRecord, snapshotRecord } from '../../dist/schemas/records.js';
import type { DerivationRecord, RealisationRecord } from '../../dist/schemas/records.js';
import type { Engine } from '../../dist/src/engine/engine.js';
import type { HoldoutError } from '../../dist/src/errors.js';
import { deriveChain } from '../../dist/src/lineage/derive-chain.js';
import type { ChainStep } from '../../dist/src/lineage/derive-chain.js';
import { withNames } from '../../dist/src/lineage/describe-step.js';
import { type LineageStep, lineageGraph } from '../../dist/src/lineage/graph.js';
import { whyDropped } from '../../dist/src/lineage/why-dropped.js';
import type { RowFate } from '../../dist/src/lineage/why-dropped.js';
import type { TableAccess } from '../../dist/src/lineage/row-origins.js';
import { findStep } from '../../dist/src/lineage/find-step.js';
import { reproduceVersion } from '../../dist/src/lineage/reproduce.js';
import type { Reproduction } from '../../dist/src/lineage/reproduce.js';
import { type TracedRow, traceBack, tracePlaces, traceRows } from '../../dist/src/lineage/trace.js';
import { resolveVersion } from '../../dist/src/snapshots/versions.js';
import { openTable, tableDigests } from '../../dist/src/tables/table-reader.js';
import { builtInTransforms } from '../../dist/transforms/index.js';
import { Workspace } from '../snapshots/workspace.js';

const now = new Date('2026-01-02T03:04:05Z');

/** What a step came to. */
export interface Taken extends ChainStep {
  readonly rowsOut: readonly Record<string, unknown>[];
  readonly derivation: DerivationRecord;
  readonly realisation: RealisationRecord;
  readonly reused: boolean;
}

/** A project with a dataset `data`. */
export class OwnSteps {
  readonly workspace: Workspace;

  private constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  static async make(rows: readonly unknown[], files: Readonly<Record<string, string>> = {}): Promise<OwnSteps> {
    const project = new OwnSteps(await Workspace.make());
    for (const [name, text] of Object.entries(files)) await project.write(name, text);
    await project.add('data', rows);
    return project;
  }

  async add(name: string, rows: readonly unknown[]): Promise<void> {
    const lines = rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row)));
    await this.workspace.add(name, await this.workspace.write(`${name}.jsonl`, `${lines.join('\n')}\n`));
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(this.workspace.path(name)), { recursive: true });
    await writeFile(this.workspace.path(name), text);
  }

  /** Takes one step, as YAML writes it, from a version to `name`. */
  async take(
    yaml: string,
    { from = 'data', to = 'out', threads = 2, signal = undefined as AbortSignal | undefined } = {},
  ): Promise<Taken> {
    const [[stepName, params]] = Object.entries(parse(yaml) as Record<string, unknown>) as [[string, unknown]];
    const { store } = this.workspace;
    const base = resolveVersion(await store.journal(), from);
    const { table, schema } = await store.getRecord(base.snapshot, snapshotRecord);
    return this.workspace.engine(async (engine) => {
      const sourceOf = await tracePlaces(store, engine, base);
      const { version, steps } = await deriveChain({
        store,
        engine,
        holdoutVersion: '0.0.0',
        steps: [findStep(stepName, builtInTransforms).prepare(params)],
        input: {
          ref: { table, schema },
          reader: await openTable(store, engine, { table, schema }),
          sourceOf: (row) => Promise.resolve(sourceOf(row)),
        },
        base,
        name: to,
        now,
        threads,
        signal,
        resolve: async (name) => resolveVersion(await store.journal(), name).snapshot,
        itemsRootOf: () => Promise.resolve(null),
      });
      const { derivation, realisation, reused } = version.step;
      const reader = await openTable(store, engine, version.record);
      let text = '';
      for await (const { bytes } of reader.jsonLines()) text += Buffer.from(bytes).toString();
      return {
        ...steps[0]!,
        rowsOut: text
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as Record<string, unknown>),
        derivation: await store.getRecord(derivation, derivationRecord),
        realisation: await store.getRecord(realisation, realisationRecord),
        reused,
      };
    });
  }

  /** The error of a step that must not be taken; nothing is registered by it. */
  async failure(yaml: string): Promise<HoldoutError> {
    const names = await this.names();
    const error: unknown = await this.take(yaml).then(
      () => new Error('it was taken'),
      (cause: unknown) => cause,
    );
    expect(await this.names()).toEqual(names);
    return error as HoldoutError;
  }

  /** Lines of the raw file that each row of a version came from. */
  async linesOf(name: string): Promise<(number | undefined)[]> {
    const { store } = this.workspace;
    const { entry, record } = await this.workspace.version(name);
    return this.workspace.engine(async (engine) => {
      const sourceOf = await traceRows(store, engine, entry);
      return Array.from({ length: record.rows }, (_, row) => sourceOf(row)?.line);
    });
  }

  /** Rows of `data` that each row of a version was made of, where it was made of a group of them; else why it ends. */
  async madeOf(name: string): Promise<readonly (readonly number[] | string | null)[]> {
    const { traced } = await this.#tracedRows(name);
    return traced.map(({ stops, madeOf }) => madeOf?.rows.map(({ hops }) => hops.at(-1)!.row) ?? stops);
  }

  /** The raw rows that each row of a version was made of, as `data:3`, in order; else why its trace ends. */
  async originsOf(name: string): Promise<readonly (readonly string[] | string)[]> {
    const { steps, traced } = await this.#tracedRows(name);
    const raw = ({ hops }: TracedRow): string => `${steps[hops.at(-1)!.step]!.entry.name}:${hops.at(-1)!.row}`;
    return traced.map((each) => each.stops ?? (each.madeOf?.rows.map(raw) ?? [raw(each)]).toSorted());
  }

  async #tracedRows(
    name: string,
  ): Promise<{ readonly steps: readonly LineageStep[]; readonly traced: readonly TracedRow[] }> {
    const { store } = this.workspace;
    const { entry, record } = await this.workspace.version(name);
    return this.workspace.engine(async (engine) => {
      const steps = await lineageGraph(store, await store.journal(), entry);
      const rows = Array.from({ length: record.rows }, (_, row) => row);
      return { steps, traced: await traceBack(this.#access(engine), steps, rows, 1_000_000) };
    });
  }

  #access(engine: Engine): TableAccess {
    const { store } = this.workspace;
    return { store, open: (ref) => openTable(store, engine, ref), digests: (ref) => tableDigests(store, ref) };
  }

  /** What became of each row of `base` on the way to a version; sentences name versions as people know them. */
  async fates(name: string, base = 'data'): Promise<readonly RowFate[]> {
    const { store } = this.workspace;
    const { entry } = await this.workspace.version(name);
    const data = await this.workspace.version(base);
    return this.workspace.engine(async (engine) => {
      const steps = await lineageGraph(store, await store.journal(), entry);
      const run = { ...this.#access(engine), engine, transforms: builtInTransforms, threads: 2 };
      const from = steps.find((step) => step.entry.seq === data.entry.seq)!;
      const rows = Array.from({ length: data.record.rows }, (_, row) => row);
      const fates = await whyDropped(run, steps, from.index, rows);
      return fates.map((fate) => ({
        ...fate,
        dropped: fate.dropped.map((each) => ({
          ...each,
          why: each.why === null ? null : withNames(each.why, steps, steps[each.step]!),
        })),
      }));
    });
  }

  async reproduce(name = 'out', runCode = true): Promise<Reproduction> {
    const { store } = this.workspace;
    const target = resolveVersion(await store.journal(), name);
    const workDirectory = await store.tempDirectory();
    return this.workspace.engine((engine) =>
      reproduceVersion({
        store,
        engine,
        transforms: builtInTransforms,
        target,
        raw: { files: [] },
        workDirectory,
        threads: 1,
        now,
        restore: false,
        runCode,
      }),
    );
  }

  /** Names in the journal: what is registered. */
  async names(): Promise<string[]> {
    return [...(await this.workspace.store.journal()).names.keys()];
  }

  async remove(): Promise<void> {
    await this.workspace.remove();
  }
}
