/**
 * Which steps of a dataset are new, gone or changed: the shortest edit script from one list of steps to another (Wagner
 * and Fischer, 1974). To put a step of another name in the place of one costs two, one gone and one new.
 * @module
 */

/** A step by its name, and all that it asks as text; null where nobody knows. */
export interface StepShape {
  readonly name: string;
  readonly asks: string | null;
}

/** The first step in which two lists differ, by its index in the list that has it. */
export type StepEdit =
  | { readonly kind: 'changed'; readonly was: number; readonly is: number }
  | { readonly kind: 'gone'; readonly was: number }
  /** It stands elsewhere in the other list. */
  | { readonly kind: 'moved'; readonly was: number; readonly is: number }
  | { readonly kind: 'new'; readonly is: number };

/**
 * The first edit, or null where none is needed. Of scripts of one length a step counts rather as changed, then as new; one
 * that is as often in both lists was moved.
 */
export function firstEdit(was: readonly StepShape[], is: readonly StepShape[]): StepEdit | null {
  const edit = firstOfScript(was, is);
  if (edit === null || edit.kind === 'moved') return edit;
  if (edit.kind === 'changed' && was[edit.was]!.name === is[edit.is]!.name) return edit;
  const step = edit.kind === 'gone' ? was[edit.was]! : is[edit.is]!;
  const [before, after] = [placesOf(was, step), placesOf(is, step)];
  if (before.length !== after.length) return edit;
  const nth = edit.kind === 'gone' ? before.indexOf(edit.was) : after.indexOf(edit.is);
  return { kind: 'moved', was: before[nth]!, is: after[nth]! };
}

/** Where a step stands that asks the same. */
function placesOf(steps: readonly StepShape[], { name, asks }: StepShape): readonly number[] {
  return steps.flatMap((each, index) => (each.name === name && each.asks === asks ? [index] : []));
}

function firstOfScript(was: readonly StepShape[], is: readonly StepShape[]): StepEdit | null {
  // costs[i][j]: edits from was[i…] to is[j…].
  const costs = Array.from({ length: was.length + 1 }, () => new Uint32Array(is.length + 1));
  const passing = (i: number, j: number): number => costs[i + 1]![j + 1]! + changeCost(was[i]!, is[j]!);
  for (let i = was.length; i >= 0; i -= 1) {
    for (let j = is.length; j >= 0; j -= 1) {
      if (i === was.length || j === is.length) costs[i]![j] = was.length - i + is.length - j;
      else costs[i]![j] = Math.min(passing(i, j), costs[i + 1]![j]! + 1, costs[i]![j + 1]! + 1);
    }
  }
  for (let at = 0; ; at += 1) {
    if (at === was.length && at === is.length) return null;
    if (at === was.length) return { kind: 'new', is: at };
    if (at === is.length) return { kind: 'gone', was: at };
    const cost = costs[at]![at]!;
    if (cost !== passing(at, at))
      return cost === costs[at]![at + 1]! + 1 ? { kind: 'new', is: at } : { kind: 'gone', was: at };
    if (changeCost(was[at]!, is[at]!) > 0) return { kind: 'changed', was: at, is: at };
  }
}

function changeCost(was: StepShape, is: StepShape): number {
  if (was.name !== is.name) return 2;
  return was.asks === null || is.asks === null || was.asks === is.asks ? 0 : 1;
}
