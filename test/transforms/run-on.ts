/**
 * Runs a selecting step on rows made for a test.
 * @module
 */
import { bindStep } from '../../dist/src/lineage/bind-step.js';
import { applyStep } from '../../dist/src/lineage/run-step.js';
import { gatherDigests, identifyDigests } from '../../dist/src/lineage/select-rows.js';
import { tableKey } from '../../dist/src/store/journal-state.js';
import { readLayout } from '../../dist/src/tables/stored-parts.js';
import type { Workspace } from '../snapshots/workspace.js';
import { prepare } from './step-bench.js';

export interface RanOn {
  /** Positions of the rows that stay. */
  readonly kept: readonly number[];
  /** For each row why it goes; null where it stays. */
  readonly why: readonly (string | null)[];
  readonly counts: Readonly<Record<string, number>>;
}

let tables = 0;
const resolve = (named: string): Promise<never> => Promise.reject(new Error(`nobody asks for ${named}`));

export async function runOn(workspace: Workspace, rows: readonly object[], text: string): Promise<RanOn> {
  const name = `rows-${++tables}`;
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  await workspace.add(name, await workspace.write(`${name}.jsonl`, lines));
  const { store } = workspace;
  return workspace.read(name, async (reader, engine) => {
    const { record } = await workspace.version(name);
    const bound = await bindStep({ store, resolve }, prepare(text), record);
    const layout = await readLayout(store, (await store.journal()).layouts.get(tableKey(record))!);
    const applied = await applyStep({ store, engine, threads: 2 }, bound, { reader, layout, ref: record });
    const { names, of } = applied.dropped!;
    const kept = [...rows.keys()].filter((row) => of[row] === 0);
    const { table } = identifyDigests(gatherDigests(await reader.digests(), Uint32Array.from(kept)));
    if (table !== applied.output.table) throw new Error('the reasons do not fit the rows that stay');
    return { kept, why: [...rows.keys()].map((row) => names[of[row]! - 1] ?? null), counts: applied.counts };
  });
}

/** Numbers from 0 to below 1, the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
