/**
 * Which hit of a leak report a row went for, as a sentence.
 * @module
 */
import type { LeakHit, LeakReport } from '../schemas/leak-report.ts';
import { digestBytesOf } from '../src/identity/ids.ts';
import { DIGEST_BYTES } from '../src/merkle/table-tree.ts';
import type { WhyGone } from '../src/lineage/transform.ts';
import { counted, firstOf } from './why-gone.ts';

/** What of the report counts, and how its eval sets are called. */
export interface HitNaming {
  readonly hits: 'leak' | 'all';
  /** The name of eval set `index` of the report. */
  readonly nameOf: (index: number) => string;
}

/** For each row the strongest hit that it went for; null for a row that the report does not name. */
export function whyHit(
  report: LeakReport,
  digests: Uint8Array,
  rows: readonly number[],
  { hits, nameOf }: HitNaming,
): WhyGone {
  const bytes = Buffer.from(digests.buffer, digests.byteOffset, digests.length);
  const wanted = new Map<string, LeakHit[]>();
  for (const row of rows) wanted.set(keyOf(bytes, row), []);
  for (const hit of report.hits) {
    if (hits === 'leak' && !hit.leak) continue;
    wanted.get(Buffer.from(digestBytesOf(hit.row.digest)).toString('latin1'))?.push(hit);
  }
  const nameOfSet = (hit: LeakHit): string => nameOf(report.evals.findIndex(({ name }) => name === hit.eval));
  return rows.map((row) => {
    const found = [...(wanted.get(keyOf(bytes, row)) ?? [])].sort(
      (a, b) => Number(b.leak) - Number(a.leak) || b.coverage - a.coverage || a.item.row - b.item.row,
    );
    const says = found.map(
      (hit) =>
        `${hit.leak ? 'leak' : hit.class} of item ${counted(hit.item.row + 1)} of ${nameOfSet(hit)}` +
        ` (${hit.leak ? `${hit.class}, ` : ''}coverage ${hit.coverage.toFixed(2)})`,
    );
    return says.length === 0 ? null : firstOf(says);
  });
}

function keyOf(digests: Buffer, row: number): string {
  return digests.toString('latin1', row * DIGEST_BYTES, (row + 1) * DIGEST_BYTES);
}
