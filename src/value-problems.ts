/**
 * Checks a value that a person wrote against a schema, and says what is wrong with it, each mistake once: by the code
 * and the place of zod's issues, in the words of `value-words.ts`.
 * @module
 */
import type { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { keysAt } from './schema-keys.ts';
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
  const leaves = checked.error.issues.flatMap((issue) => leavesOf(issue, []));
  const problems: ValueProblem[] = [];
  // A key that is only misspelt is not missing as well, and what lacks where an unknown key stands is told with that.
  const toldElsewhere = new Set<string>();
  for (const { issue, path } of leaves) {
    if (issue.code !== 'unrecognized_keys') {
      problems.push(problemOf(issue, path));
      continue;
    }
    const lacking = leaves
      .filter((leaf) => isMissing(leaf.issue) && samePath(leaf.path.slice(0, -1), path))
      .map((leaf) => String(leaf.path.at(-1)));
    for (const name of lacking) toldElsewhere.add(placeKey('missing', [...path, name]));
    // Of a map with an unknown key a rule about all of it says what else may be missing.
    const rules = leaves.filter((leaf) => leaf.issue.code === 'custom' && samePath(leaf.path, path));
    if (rules.length > 0) toldElsewhere.add(placeKey('value', path));
    const known = [...new Set([...lacking, ...(path.length === 0 ? keys : keysAt(schema, path))])];
    problems.push(
      ...unknownKeys({ schema, value, path, unknown: issue.keys, known, lacking, rules: rules.map(ruleText) }),
    );
  }
  const told = problems.filter(({ kind, path }) => !toldElsewhere.has(placeKey(kind, path)));
  return { ok: false, problems: told };
}

interface UnknownKeys {
  readonly schema: z.ZodType;
  readonly value: unknown;
  /** Where the map stands in the value. */
  readonly path: ValuePath;
  readonly unknown: readonly string[];
  readonly known: readonly string[];
  /** Those of the known ones that must be there and are not. */
  readonly lacking: readonly string[];
  /** What rules about the whole map say. */
  readonly rules: readonly string[];
}

/** A problem for each unknown key of a map, with the key that was meant; the first says what else is wrong with the map. */
function unknownKeys({ schema, value, path, unknown, known, lacking, rules }: UnknownKeys): readonly ValueProblem[] {
  const others = (key: string): readonly string[] => known.filter((name) => name !== key);
  const meant = new Map(unknown.map((key) => [key, nearestName(key, others(key))]));
  const [only] = unknown;
  if (unknown.length === 1 && meant.get(only!) === null && lacking.length === 1) {
    meant.set(only!, onlyFitting(schema, value, { path, key: only!, known, wanted: lacking[0]! }));
  }
  const named = [...meant.values()];
  const unsaid = lacking.filter((name) => !named.includes(name));
  const missing = unsaid.length === 0 ? '' : `, and ${lackingText(unsaid)}`;
  const also = missing + (named.includes(null) ? rules.join('') : '');
  return unknown.map((key, index) => {
    const near = meant.get(key) ?? null;
    const says = `unknown key ${JSON.stringify(key)}${near === null ? '' : ` (did you mean ${near}?)`}`;
    return { path, kind: 'unknown-key', key, says: index === 0 ? says + also : says };
  });
}

interface Misnamed {
  readonly path: ValuePath;
  readonly key: string;
  readonly known: readonly string[];
  /** What is missing beside it. */
  readonly wanted: string;
}

/** `wanted`, where the value under the unknown key fits it and no other known key that is not given; else null. */
function onlyFitting(schema: z.ZodType, value: unknown, { path, key, known, wanted }: Misnamed): string | null {
  const around = path.reduce((inner, segment) => (inner as Record<string, unknown>)[segment], value);
  const given = around as Readonly<Record<string, unknown>>;
  const fits = known.filter((name) => {
    if (Object.hasOwn(given, name)) return false;
    const issues = schema.safeParse(withRenamed(value, path, key, name)).error?.issues ?? [];
    const at = [...path, name];
    return !issues.flatMap((issue) => leavesOf(issue, [])).some((leaf) => samePath(leaf.path.slice(0, at.length), at));
  });
  return fits.length === 1 && fits[0] === wanted ? wanted : null;
}

/** The value with one key of the map at `path` called otherwise. */
function withRenamed(value: unknown, path: ValuePath, from: string, to: string): unknown {
  const [segment, ...rest] = path;
  if (segment === undefined) {
    return Object.fromEntries(Object.entries(value as object).map(([key, each]) => [key === from ? to : key, each]));
  }
  const inner = withRenamed((value as Record<string, unknown>)[segment], rest, from, to);
  if (Array.isArray(value)) return (value as unknown[]).with(Number(segment), inner);
  return { ...(value as object), [segment]: inner };
}

function placeKey(kind: ValueProblem['kind'], path: ValuePath): string {
  return JSON.stringify([kind, ...path]);
}

function ruleText({ issue }: Leaf): string {
  return `; ${issue.message}`;
}

function lackingText(names: readonly string[]): string {
  const [last = '', ...before] = names.toReversed();
  return before.length === 0 ? `${last} ${missingWords}` : `${before.toReversed().join(', ')} and ${last} are missing`;
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
