/**
 * Checks a value that a person wrote against a schema, and says what is wrong with it, each mistake once: by the code
 * and the place of zod's issues, in the words of `value-words.ts`.
 * @module
 */
import type { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { inPlainWords, missingWords } from './value-words.ts';

/** Keys and indexes that lead to a value. */
export type ValuePath = readonly (string | number)[];

/** One thing that is wrong. */
export interface ValueProblem {
  /** Where it stands, from the value that was checked. */
  readonly path: ValuePath;
  readonly kind:
    /** Nothing stands there. */
    | 'missing'
    /** The value that stands there. */
    | 'value'
    /** `key` of the value that stands there cannot be a name. */
    | 'name'
    /** `key` of the value that stands there is none that it may have. */
    | 'unknown-key';
  readonly key: string;
  /** In words, to stand after the place and a colon; of a missing value `is missing`, without one. */
  readonly says: string;
}

type Issue = z.core.$ZodIssue;
type Checked<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problems: readonly ValueProblem[] };

/** Checks a value; `keys` are the names that its own members may have, for suggestions. */
export function checkValue<T>(schema: z.ZodType<T>, value: unknown, keys: readonly string[]): Checked<T> {
  const checked = schema.safeParse(value, inPlainWords);
  if (checked.success) return { ok: true, value: checked.data };
  const issues = checked.error.issues.flatMap((issue) => leavesOf(issue, []));
  const missing = issues.filter(({ issue }) => isMissing(issue)).map(({ path }) => path);
  const meant = new Set<string>();
  const problems = issues.flatMap(({ issue, path }): ValueProblem[] => {
    if (issue.code !== 'unrecognized_keys') return [problemOf(issue, path)];
    const lacking = missing.filter((each) => samePath(each.slice(0, -1), path)).map((each) => String(each.at(-1)));
    return issue.keys.map((key) => {
      const known = [...lacking, ...(path.length === 0 ? keys : [])].filter((name) => name !== key);
      const near = nearestName(key, known);
      if (near !== null) meant.add(JSON.stringify([...path, near]));
      const says = `unknown key ${JSON.stringify(key)}${near === null ? '' : ` (did you mean ${near}?)`}`;
      return { path, kind: 'unknown-key', key, says };
    });
  });
  // A key that is only misspelt is not missing as well.
  const told = problems.filter(({ kind, path }) => kind !== 'missing' || !meant.has(JSON.stringify(path)));
  return { ok: false, problems: told };
}

/** What is wrong with a value, in one line; empty where nothing is. */
export function problemsText(schema: z.ZodType, value: unknown, whole: string): string {
  const checked = checkValue(schema, value, []);
  if (checked.ok) return '';
  return checked.problems.map((problem) => problemText(problem, whole)).join('; ');
}

/** A problem with its place; `whole` is what the value itself is called. */
export function problemText({ path, kind, key, says }: ValueProblem, whole: string): string {
  const where = path.length === 0 ? whole : placeText(path);
  if (kind === 'missing') return `${where} ${says}`;
  if (kind === 'name') return `${where}: ${JSON.stringify(key)} cannot be a name here: ${says}`;
  return `${where}: ${says}`;
}

/** `with, item 2, weight`: places in lists count from 1. */
export function placeText(path: ValuePath): string {
  let text = '';
  for (const [index, segment] of path.entries()) {
    if (typeof segment === 'number') text += `${index === 0 ? '' : ', '}item ${segment + 1}`;
    else if (index === 0) text += segment;
    else text += typeof path[index - 1] === 'number' ? `, ${segment}` : `.${segment}`;
  }
  return text;
}

interface Leaf {
  readonly issue: Issue;
  readonly path: ValuePath;
}

/** An issue, or those of the form of a union that the value was most likely meant to have. */
function leavesOf(issue: Issue, outer: ValuePath): Leaf[] {
  const own = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
  const path = [...outer, ...own];
  if (issue.code !== 'invalid_union' || issue.input === undefined) return [{ issue, path }];
  const branches = issue.errors.map((issues) => ({ issues, apart: Math.max(...issues.map(apartOf)) }));
  const [best] = branches.toSorted((a, b) => a.apart - b.apart || a.issues.length - b.issues.length);
  if (best === undefined || best.apart === kindsApart) return [{ issue, path }];
  return best.issues.flatMap((each) => leavesOf(each, path));
}

const kindsApart = 2;

/** How far a value is from a form: something in it is wrong, its size is, or it is of another kind altogether. */
function apartOf(issue: Issue): number {
  if (issue.path.length > 0) return 0;
  if (issue.code === 'invalid_type' || issue.code === 'invalid_value') return kindsApart;
  if (issue.code !== 'invalid_union') return 1;
  return Math.min(...issue.errors.map((branch) => Math.max(...branch.map(apartOf))), kindsApart);
}

function problemOf(issue: Issue, path: ValuePath): ValueProblem {
  if (isMissing(issue)) return { path, kind: 'missing', key: '', says: missingWords };
  if (issue.code === 'invalid_key') {
    return { path: path.slice(0, -1), kind: 'name', key: String(path.at(-1)), says: issue.message };
  }
  return { path, kind: 'value', key: '', says: issue.message };
}

/** A value that has words of its own for being wrong may be missing and say more: `version: must be 1`. */
function isMissing({ code, input, message }: Issue): boolean {
  return input === undefined && (code === 'invalid_type' || code === 'invalid_union' || message === missingWords);
}

function samePath(a: ValuePath, b: ValuePath): boolean {
  return a.length === b.length && a.every((segment, index) => segment === b[index]);
}
