/**
 * A value of the YAML file against its schema; what is wrong with it has its place in the file.
 * @module
 */
import type { z } from 'zod';
import { keysAt } from '../schema-keys.ts';
import { type ValueProblem, checkValue, placeText, problemText } from '../value-problems.ts';
import type { Path, PlacedYaml, Problem } from './yaml-places.ts';

/** Where the value stands, and what a key may be called there. */
export interface ValueOfFile {
  readonly yaml: Pick<PlacedYaml, 'at' | 'keyAt'>;
  /** Path of the value in the file. */
  readonly path: Path;
  /** What the value is, for the sentence: `dataset "raw"`. */
  readonly what: string;
  /** Keys that the value may have. */
  readonly keys: readonly string[];
  /** What to do where the value as a whole is wrong. */
  readonly hint?: string | undefined;
  /** What to do where the value of one of its keys is wrong. */
  readonly hintOf?: (key: string) => string | undefined;
}

/** A value that is right, or what is wrong with it; `missing` are the paths in the value where nothing stands. */
export type CheckedValue<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly (Problem & { readonly missing?: string })[] };

/** Checks a value of the file. */
export function checkOfFile<T>(schema: z.ZodType<T>, value: unknown, of: ValueOfFile): CheckedValue<T> {
  const checked = checkValue(schema, value, of.keys);
  if (checked.ok) return checked;
  return { ok: false, problems: checked.problems.map((problem) => placed(problem, of, schema)) };
}

function placed(problem: ValueProblem, of: ValueOfFile, schema: z.ZodType): Problem & { missing?: string } {
  const { yaml, what, keys } = of;
  const path = [...of.path, ...problem.path];
  const { kind, key, says } = problem;
  if (kind === 'name') {
    return { ...yaml.keyAt(path, key), message: `${JSON.stringify(key)} cannot be a name here: ${says}` };
  }
  const isOfWhole = problem.path.length === 0;
  const message = `${isOfWhole ? '' : `${what}: `}${problemText(problem, what)}`;
  if (kind === 'missing') return { ...yaml.at(path), message, missing: placeText(problem.path) };
  const known = isOfWhole ? keys : kind === 'unknown-key' ? keysAt(schema, problem.path) : [];
  const itsKeys = known.length === 0 || kind === 'value' ? undefined : `its keys: ${known.join(', ')}`;
  const [first] = problem.path;
  const ofKey = problem.path.length === 1 && kind === 'value' ? of.hintOf?.(String(first)) : undefined;
  const hint = isOfWhole ? (of.hint ?? itsKeys) : (ofKey ?? itsKeys);
  const place = kind === 'value' ? yaml.at(path) : yaml.keyAt(path, key);
  return { ...place, message, ...(hint === undefined ? {} : { hint }) };
}
