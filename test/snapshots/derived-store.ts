/**
 * A store with derived versions, made and compacted in this process.
 * @module
 */
import { parseStep } from '../../dist/cli/parse-step.js';
import { deriveChain } from '../../dist/src/lineage/derive-chain.js';
import { executeDrop, planDrop, rebuildDropped } from '../../dist/src/lineage/rebuild.js';
import { executeCompact } from '../../dist/src/snapshots/compact.js';
import type { RepackOutcome } from '../../dist/src/snapshots/compact.js';
import { storeFacts } from '../../dist/src/snapshots/compact-facts.js';
import { planFrayed, planNamed } from '../../dist/src/snapshots/compact-plan.js';
import type { CompactPlan } from '../../dist/src/snapshots/compact-plan.js';
import { verifyStore } from '../../dist/src/snapshots/verify.js';
import type { SweepPlan } from '../../dist/src/store/quarantine.js';
import { partsOfLayout } from '../../dist/src/tables/stored-parts.js';
import { openTable } from '../../dist/src/tables/table-reader.js';
import { builtInTransforms } from '../../dist/transforms/index.js';
import { Workspace } from './workspace.js';

export const noon = new Date('2026-01-02T12:00:00Z');

/** A workspace whose versions can be derived, dropped and compacted. */
export class DerivedStore {
  readonly workspace: Workspace;

  private constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  static async make(): Promise<DerivedStore> {
    return new DerivedStore(await Workspace.make());
  }

  /** A store that another process made. */
  static async open(folder: string): Promise<DerivedStore> {
    return new DerivedStore(await Workspace.open(folder));
  }

  async derive(from: string, name: string, ...steps: readonly string[]): Promise<void> {
    const { store } = this.workspace;
    const { entry, record } = await this.workspace.version(from);
    await this.workspace.engine(async (engine) => {
      const reader = await openTable(store, engine, record);
      await deriveChain({
        store,
        engine,
        holdoutVersion: '0.0.0',
        steps: steps.map((step) => parseStep(step, builtInTransforms)),
        input: { ref: record, setRoot: record.setRoot, reader },
        base: entry,
        name,
        now: noon,
        threads: 2,
        resolve: async (other) => (await this.workspace.version(other)).entry.snapshot,
        itemsRootOf: () => Promise.reject(new Error('no eval sets here')),
      });
      await reader.close();
    });
  }

  async drop(name: string): Promise<void> {
    const { entry } = await this.workspace.version(name);
    await this.workspace.engine(async (engine) => {
      const run = { store: this.workspace.store, engine, transforms: builtInTransforms, threads: 2, now: noon };
      await executeDrop(run, await planDrop(run, entry));
    });
  }

  /** What a compaction would repack, of the whole store or of one version. */
  async plan(name?: string): Promise<CompactPlan> {
    const facts = await storeFacts(this.workspace.store);
    if (name === undefined) return planFrayed(facts);
    const { record } = await this.workspace.version(name);
    return planNamed(facts, ({ ref }) => ref.table === record.table && ref.schema === record.schema);
  }

  async repack(plan: CompactPlan): Promise<readonly RepackOutcome[]> {
    const { store } = this.workspace;
    return this.workspace.engine((engine) => executeCompact({ store, engine, now: noon }, plan));
  }

  /** Moves what nothing needs to quarantine, and deletes it at once or after a day. */
  async sweep(graceMs = 86_400_000): Promise<SweepPlan> {
    const { plan, others } = await this.workspace.store.sweep(partsOfLayout, { now: Date.now(), graceMs });
    if (others.length > 0) throw new Error('somebody else has the store open');
    return plan;
  }

  /** The lines of every version, by name; dropped ones are made again. */
  async texts(): Promise<ReadonlyMap<string, string>> {
    const { store } = this.workspace;
    const texts = new Map<string, string>();
    for (const { name, version } of [...(await store.journal()).names.values()].flat()) {
      const { record } = await this.workspace.version(`${name}@${version}`);
      await this.workspace.engine((engine) =>
        rebuildDropped({ store, engine, transforms: builtInTransforms, threads: 2, now: noon }, record),
      );
      texts.set(`${name}@${version}`, (await this.workspace.lines(`${name}@${version}`)).join('\n'));
    }
    return texts;
  }

  /** Whether every row is what its digest and its table's id say. */
  async problems(): Promise<readonly string[]> {
    const { store } = this.workspace;
    const { damages } = await this.workspace.engine((engine) => verifyStore(store, { readData: true, engine }));
    return damages.map(({ says }) => says);
  }

  async remove(): Promise<void> {
    await this.workspace.remove();
  }
}
