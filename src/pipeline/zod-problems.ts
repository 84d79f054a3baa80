/**
 * What a zod schema finds wrong, as sentences with the place of the value in the YAML file.
 * @module
 */
import type { z } from 'zod';
import { nearestName } from '../nearest-name.ts';
import type { Path, PlacedYaml, Problem } from './yaml-places.ts';

/** Where the value stands that was checked, and what a key may be called there. */
export interface CheckedValue {
  readonly yaml: Pick<PlacedYaml, 'at' | 'keyAt'>;
  /** Path of the value in the file. */
  readonly path: Path;
  /** What the value is, for the sentence: `dataset "raw"`. */
  readonly what: string;
  /** Keys that the value may have; no suggestion for deeper ones. */
  readonly keys: readonly string[];
}

type Issue = z.core.$ZodIssue;

/** The problems that a failed check names. */
export function problemsOf(error: z.core.$ZodError, checked: CheckedValue): Problem[] {
  const { keys, what } = checked;
  const found = error.issues.flatMap((issue) => issueProblems(issue, [], checked));
  // A key that is only misspelt is not missing as well.
  const unknown = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [],
  );
  const meantKeys = unknown.flatMap((key) => nearestName(key, keys) ?? []).map((key) => `${what}: ${key} is missing`);
  return found.filter(({ message }) => !meantKeys.includes(message));
}

function issueProblems(issue: Issue, outer: Path, checked: CheckedValue): Problem[] {
  const { yaml, what } = checked;
  const inner: Path = [...outer, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
  const path = [...checked.path, ...inner];
  const where = inner.length === 0 ? what : `${what}: ${inner.join('.')}`;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...yaml.keyAt(path, key),
      message: `${where}: unknown key "${key}"${meant(key, inner.length === 0 ? checked.keys : [])}`,
      ...(inner.length === 0 && checked.keys.length > 0 ? { hint: `its keys: ${checked.keys.join(', ')}` } : {}),
    }));
  }
  if (issue.code === 'invalid_union' && issue.errors.every((branch) => branch.some(isMissing))) {
    return [{ ...yaml.at(path), message: `${where} is missing` }];
  }
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    const likely = likelyBranch(issue.errors);
    if (likely !== null) return likely.flatMap((each) => issueProblems(each, inner, checked));
    const expected = issue.errors.flatMap((branch) => branch.flatMap((each) => expectedBy(each)));
    return [{ ...yaml.at(path), message: `${where}: expected ${[...new Set(expected)].join(' or ')}` }];
  }
  if (issue.code === 'invalid_key') {
    const key = String(inner.at(-1) ?? '');
    const says = issue.issues[0]?.message ?? 'not a name';
    return [{ ...yaml.keyAt(path.slice(0, -1), key), message: `"${key}" cannot be a name here: ${says}` }];
  }
  if (isMissing(issue)) {
    return [{ ...yaml.at(path), message: `${where} is missing` }];
  }
  return [{ ...yaml.at(path), message: `${where}: ${lowerFirst(issue.message.replace(/^Invalid input: /, ''))}` }];
}

function isMissing({ code, message }: Issue): boolean {
  return code === 'invalid_type' && message.endsWith('received undefined');
}

/** The one form of several that the value was most likely meant to have: the one it does not miss at the outset. */
function likelyBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | null {
  const fitting = branches.filter(
    (issues) => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  );
  return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

function expectedBy(issue: Issue): string[] {
  return issue.code === 'invalid_type' ? [issue.expected] : [issue.message];
}

function meant(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  return near === null ? '' : ` (did you mean ${near}?)`;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
