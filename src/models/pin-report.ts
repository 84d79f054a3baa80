/**
 * What a leak report says about a pin: whether it covers what is pinned, and the sentence that a reader sees first.
 * @module
 */
import type { Sha256Id } from '../../schemas/ids.ts';
import type { LeakReport } from '../../schemas/leak-report.ts';
import type { PinRecord, PinnedDataset, PinnedEval, PinnedReport } from '../../schemas/pin.ts';

/** What is to be covered. */
export type Pinned = Pick<PinRecord, 'train' | 'eval'>;

/** Names of pinned datasets that a report does not speak of: training sets by table, evals by their items. */
export function uncoveredBy(report: LeakReport, pinned: Pinned): string[] {
  const tables = new Set(report.trains.map((train) => train.table));
  const items = new Set(report.evals.map((each) => each.itemsRoot));
  return [
    ...pinned.train.filter((train) => !tables.has(train.table)).map(versionName),
    ...pinned.eval.filter((each) => !items.has(each.itemsRoot)).map(versionName),
  ];
}

/** A report as a pin states it. */
export function describeReport(id: Sha256Id, report: LeakReport, pinned: Pinned): PinnedReport {
  const uncovered = uncoveredBy(report, pinned);
  return { id, verdict: report.verdict, state: uncovered.length === 0 ? 'current' : 'stale', uncovered };
}

/** The pin's first line: missing, stale, leaking and incomplete are said before anything else. */
export function pinSays(report: PinnedReport | null, pinned: Pinned): string {
  if (pinned.eval.length === 0) return 'No eval set is pinned: this pin says nothing about leaks.';
  if (pinned.train.length === 0)
    return 'NOT CHECKED: no training data is pinned, so nothing says that the evals stayed out.';
  if (report === null) return 'NOT CHECKED: no leak report covers these training and eval sets.';
  const short = report.id.slice(7, 19);
  if (report.state === 'stale') {
    return `STALE: leak report ${short} does not cover ${report.uncovered.join(', ')}.`;
  }
  return verdictSays[report.verdict](short);
}

const verdictSays: Readonly<Record<LeakReport['verdict'], (report: string) => string>> = {
  leak: (report) => `LEAK: leak report ${report} found eval items in the training data.`,
  incomplete: (report) => `INCOMPLETE: leak report ${report} could not check everything.`,
  clean: (report) =>
    `Clean: leak report ${report} found no eval item in the training data (paraphrase is not checked).`,
};

/** `name@3`, or the name alone where no version is known. */
export function versionName(dataset: Pick<PinnedDataset | PinnedEval, 'name' | 'version'>): string {
  return dataset.version === null ? dataset.name : `${dataset.name}@${dataset.version}`;
}
