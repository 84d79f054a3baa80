/**
 * What `compact` did or would do, for people and as JSON.
 * @module
 */
import type { RepackOutcome } from '../src/snapshots/compact.ts';
import type { CompactPlan, FrayReason, RepackJob } from '../src/snapshots/compact-plan.ts';
import type { LayoutSize } from '../src/snapshots/repack.ts';
import { layoutBytes } from '../src/snapshots/stored-size.ts';
import type { Store } from '../src/store/store.ts';
import { sweepJson, sweepLines } from './sweep.ts';
import type { Swept } from './sweep.ts';
import { clip, formatBytes, plural } from './text.ts';

/** A version that was named and stays as it is. */
export interface LeftVersion {
  readonly version: string;
  readonly why: string;
}

/** How a run of `compact` went. */
export interface Compacted {
  readonly dryRun: boolean;
  readonly plan: CompactPlan;
  readonly left: readonly LeftVersion[];
  readonly outcomes: readonly RepackOutcome[];
  readonly swept: Swept;
}

const reasons: Readonly<Record<FrayReason, string>> = {
  'dead-rows': 'files that it draws from hold mostly rows that no version needs',
  'small-parts': 'it draws from many small parts',
  strewn: 'its rows are strewn over parts that no other version needs',
  named: 'named',
  shares: 'its rows were copied for another version',
};
const shownMax = 20;
const namesWidth = 60;

/** Lines for people. */
export async function compactLines(store: Store, told: Compacted): Promise<string[]> {
  const { dryRun, left, outcomes, swept } = told;
  const lines: string[] = [];
  for (const { job } of dryRun ? planned(told) : []) {
    lines.push(`${nameOf(job)} would be repacked: ${reasons[job.why]}; ${sizeText(await sizeOf(store, job))}`);
  }
  for (const { job, result } of outcomes) {
    if (result.state === 'repacked') {
      lines.push(`${nameOf(job)} is repacked: ${sizeText(result.before)} → ${sizeText(result.after)}`);
    } else if (result.state === 'changed') {
      lines.push(`${nameOf(job)} stays as it is: another command has changed it meanwhile`);
    }
  }
  if (lines.length > shownMax) {
    const more = lines.length - shownMax;
    lines.splice(shownMax, more, `… and ${plural(more, 'more table')}; --json lists all`);
  }
  const { writtenBytes, freedBytes } = bytesOf(told);
  if (lines.length > 0) {
    const [written, freed] = [formatBytes(writtenBytes), formatBytes(freedBytes)];
    lines.push(
      dryRun
        ? `about ${written} would be written, and about ${freed} freed after the grace time`
        : `${written} written; ${freed} will be freed after the grace time`,
    );
  }
  for (const { version, why } of left) lines.push(`${version} stays as it is: ${why}`);
  const { move, remove, back } = swept.plan;
  if (lines.length === 0 && [...move, ...remove, ...back].length === 0) {
    lines.push('Nothing to do: no layout is frayed, and every file is needed.');
  }
  return [...lines, ...sweepLines(swept, dryRun)];
}

/** The same as JSON. */
export async function compactJson(store: Store, told: Compacted): Promise<Record<string, unknown>> {
  const { dryRun, left, outcomes, swept } = told;
  const repacked: Record<string, unknown>[] = [];
  for (const { job } of dryRun ? planned(told) : []) {
    repacked.push({ ...jobJson(job), before: await sizeOf(store, job), after: null });
  }
  for (const { job, result } of outcomes) {
    if (result.state === 'repacked') {
      repacked.push({ ...jobJson(job), before: result.before, after: result.after });
    }
  }
  return { dryRun, repacked, left, ...bytesOf(told), ...sweepJson(swept) };
}

/** Tables that would be repacked; whether those that only follow others do is seen when they are. */
function planned({ plan }: Compacted): readonly { readonly job: RepackJob }[] {
  return plan.families.flatMap(({ jobs }) => jobs.filter(({ why }) => why !== 'shares').map((job) => ({ job })));
}

function bytesOf({ dryRun, plan, outcomes, swept }: Compacted): { writtenBytes: number; freedBytes: number } {
  const unneeded = swept.plan.move.reduce((sum, { bytes }) => sum + bytes, 0);
  if (dryRun) {
    const sumOf = (key: 'writtenBytes' | 'freedBytes'): number =>
      plan.families.reduce((sum, each) => sum + each[key], 0);
    return { writtenBytes: sumOf('writtenBytes'), freedBytes: sumOf('freedBytes') + unneeded };
  }
  const written = outcomes.reduce((sum, { result }) => sum + (result.state === 'repacked' ? result.newBytes : 0), 0);
  return { writtenBytes: written, freedBytes: unneeded };
}

async function sizeOf(store: Store, { table }: RepackJob): Promise<LayoutSize> {
  return { parts: table.parts.length, pieces: table.pieces, bytes: await layoutBytes(store, table.layout) };
}

function nameOf({ table: { versions, onTheWay } }: RepackJob): string {
  const names = clip(versions.join(', '), namesWidth);
  return onTheWay ? `a step on the way to ${names}` : names;
}

function sizeText({ parts, pieces, bytes }: LayoutSize): string {
  return `${plural(parts, 'part')}, ${plural(pieces, 'piece')}, ${formatBytes(bytes)}`;
}

function jobJson({ table, why }: RepackJob): Record<string, unknown> {
  const { ref, versions, onTheWay, rows } = table;
  return { ...ref, versions, onTheWay, rows, why };
}
