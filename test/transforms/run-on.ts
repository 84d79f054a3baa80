/**
 * Runs a selecting step on rows made for a test.
 * @module
 */
import { gatherDigests, identifyDigests } from '../../dist/src/lineage/select-rows.js';
import type { Workspace } from '../snapshots/workspace.js';
import { applyOn } from './apply-on.js';

export interface RanOn {
  /** Positions of the rows that stay. */
  readonly kept: readonly number[];
  /** For each row why it goes; null where it stays. */
  readonly why: readonly (string | null)[];
  readonly counts: Readonly<Record<string, number>>;
}

export async function runOn(workspace: Workspace, rows: readonly object[], text: string): Promise<RanOn> {
  return applyOn(workspace, rows, text, {}, async (applied, reader) => {
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
