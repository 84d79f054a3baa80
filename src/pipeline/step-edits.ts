/**
 * Which step of a dataset is the first that is new, gone, changed or moved: the shortest edit script from one list of steps to another (Wagner
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
  if (edit === null) return null;
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

function firstOfScript(
  was: readonly StepShape[],
  is: readonly StepShape[],
): Exclude<StepEdit, { kind: 'moved' }> | null {
  // What both begin and end with needs no edit.
  const shorter = Math.min(was.length, is.length);
  let from = 0;
  while (from < shorter && changeCost(was[from]!, is[from]!) === 0) from += 1;
  let alike = 0;
  while (alike < shorter - from && changeCost(was.at(-1 - alike)!, is.at(-1 - alike)!) === 0) alike += 1;
  const [wasEnd, isEnd] = [was.length - alike, is.length - alike];
  if (from === wasEnd) return from === isEnd ? null : { kind: 'new', is: from };
  if (from === isEnd) return { kind: 'gone', was: from };
  const changed = { kind: 'changed', was: from, is: from } as const;
  if ((wasEnd - from) * (isEnd - from) > costsMax) return changed;
  // costs[i][j]: edits from was[from + i … wasEnd] to is[from + j … isEnd]. The first steps differ: so does the script.
  const costs = Array.from({ length: wasEnd - from + 1 }, () => new Uint32Array(isEnd - from + 1));
  for (let i = wasEnd; i >= from; i -= 1) {
    const [row, next] = [costs[i - from]!, costs[i - from + 1]];
    for (let j = isEnd; j >= from; j -= 1) {
      const at = j - from;
      row[at] =
        next === undefined || j === isEnd
          ? wasEnd - i + isEnd - j
          : Math.min(next[at + 1]! + changeCost(was[i]!, is[j]!), next[at]! + 1, row[at + 1]! + 1);
    }
  }
  const cost = costs[0]![0]!;
  if (cost === costs[1]![1]! + changeCost(was[from]!, is[from]!)) return changed;
  return cost === costs[0]![1]! + 1 ? { kind: 'new', is: from } : { kind: 'gone', was: from };
}

/** Of longer lists the first step that differs counts as changed: 4 MB of costs. */
const costsMax = 1_000_000;

function changeCost(was: StepShape, is: StepShape): number {
  if (was.name !== is.name) return 2;
  return was.asks === null || is.asks === null || was.asks === is.asks ? 0 : 1;
}
