/**
 * Whether the scores of two pins may be set side by side: only where they were measured on the same items.
 * @module
 */
import type { SetRoot } from '../../schemas/ids.ts';
import type { PinRecord, PinnedEval } from '../../schemas/pin.ts';
import { versionName } from './pin-report.ts';

/** Scores of one metric on the same items. */
export interface ComparedScore {
  readonly eval: string;
  readonly metric: string;
  readonly a: number | null;
  readonly b: number | null;
}

/** Outcome of a comparison. */
export interface PinComparison {
  readonly comparable: boolean;
  /** Evals of one name with other items, or in one pin only: what to score again before comparing. */
  readonly rescore: readonly { readonly eval: string; readonly why: string; readonly comparable: boolean }[];
  readonly scores: readonly ComparedScore[];
  /** What else differs, in one line each. */
  readonly differences: readonly string[];
}

/** Compares two pins; refuses where an eval of one name holds other items, or where no items are shared. */
export function comparePins(a: PinRecord, b: PinRecord): PinComparison {
  const shared = a.eval.filter((each) => b.eval.some((other) => other.itemsRoot === each.itemsRoot));
  const clashes = a.eval.flatMap((each) => {
    const others = b.eval.filter((candidate) => candidate.name === each.name);
    const [other] = others;
    return other === undefined || others.some((o) => o.itemsRoot === each.itemsRoot) ? [] : [clash(each, other)];
  });
  const clashing = new Set(clashes.map((each) => each.eval));
  const alone = [...aloneIn(a, b, clashing, 'B'), ...aloneIn(b, a, clashing, 'A')];
  return {
    comparable: clashes.length === 0 && shared.length > 0,
    rescore: [...clashes, ...alone],
    scores: shared.flatMap((each) => compareScores(each, a, b)),
    differences: [...fileDifferences(a, b), ...trainDifferences(a, b)],
  };
}

function clash(a: PinnedEval, b: PinnedEval): PinComparison['rescore'][number] {
  const why = `A was scored on ${versionName(a)} (${a.itemsRoot}), B on ${versionName(b)} (${b.itemsRoot})`;
  return { eval: a.name, why, comparable: false };
}

function aloneIn(
  has: PinRecord,
  lacks: PinRecord,
  clashing: ReadonlySet<string>,
  lacking: 'A' | 'B',
): PinComparison['rescore'][number][] {
  const roots = new Set<SetRoot>(lacks.eval.map((each) => each.itemsRoot));
  return has.eval
    .filter((each) => !roots.has(each.itemsRoot) && !clashing.has(each.name))
    .map((each) => ({ eval: each.name, why: `${lacking} was not scored on ${versionName(each)}`, comparable: true }));
}

function compareScores(items: PinnedEval, a: PinRecord, b: PinRecord): ComparedScore[] {
  const of = (pin: PinRecord): Map<string, number> =>
    new Map(pin.scores.filter((s) => s.itemsRoot === items.itemsRoot).map((s) => [s.metric, s.value]));
  const [left, right] = [of(a), of(b)];
  return [...new Set([...left.keys(), ...right.keys()])].map((metric) => ({
    eval: items.name,
    metric,
    a: left.get(metric) ?? null,
    b: right.get(metric) ?? null,
  }));
}

function fileDifferences(a: PinRecord, b: PinRecord): string[] {
  const left = new Map(a.files.map((file) => [file.path, file.sha256]));
  const right = new Map(b.files.map((file) => [file.path, file.sha256]));
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((path) => {
    if (left.get(path) === right.get(path)) return [];
    if (!left.has(path)) return [`file ${path}: only in B`];
    return [right.has(path) ? `file ${path}: differs` : `file ${path}: only in A`];
  });
}

function trainDifferences(a: PinRecord, b: PinRecord): string[] {
  return [...trainOnlyIn(a, b, 'A'), ...trainOnlyIn(b, a, 'B')];
}

function trainOnlyIn(one: PinRecord, other: PinRecord, name: string): string[] {
  return one.train
    .filter((each) => !other.train.some((candidate) => candidate.table === each.table))
    .map((each) => `training data ${versionName(each)}: only in ${name}`);
}
