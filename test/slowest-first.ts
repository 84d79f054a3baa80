/**
 * Starts the slowest test files first, so that no process is left with one of them at the end while the other has no more.
 * @module
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The files that take longest, in this order; a file that is slow and not named here costs time at the end, no more. */
const slowest = [
  'transforms/module',
  'transforms/edge-tables',
  'transforms/sql-traced',
  'transforms/own-columns',
  'cli/compact-processes',
  'transforms/steps',
  'cli/run',
  'cli/run-lineage',
  'transforms/sql-groups',
  'store/processes',
  'transforms/command',
  'cli/stopped-steps',
  'leakage/real-data',
  'cli/command-faults',
  'snapshots/compact',
  'cli/step-refusals',
  'cli/run-mistakes',
  'cli/own-process',
  'transforms/near-dedupe',
].map((name) => `/test/${name}.test.ts`);

/** The order of test files: the named ones, then the others, large ones first. */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const at = slowest.findIndex((end) => moduleId.endsWith(end));
  return at < 0 ? slowest.length : at;
}
