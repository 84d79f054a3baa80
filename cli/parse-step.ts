/**
 * A step as a person writes it: YAML of one key, the step's name, over its parameters.
 * @module
 */
import { parseDocument } from 'yaml';
import { HoldoutError } from '../src/errors.ts';
import type { PreparedStep, Transform } from '../src/lineage/transform.ts';
import { nearestName } from './text.ts';

const builtInPrefix = 'holdout/';

/** The name of a step as people write it: `filter` is `holdout/filter`. */
export function shortStepName(name: string): string {
  return name.startsWith(builtInPrefix) ? name.slice(builtInPrefix.length) : name;
}

/**
 * Reads `filter: {where: "score > 3"}`, or `shuffle` alone where every parameter has a default.
 * @throws HoldoutError USAGE naming the step and what is wrong.
 */
export function parseStep(text: string, transforms: readonly Transform[]): PreparedStep {
  const { name, params } = readStep(text);
  return findStep(name, transforms).prepare(params);
}

/** The newest version of a step. @throws HoldoutError NOT_FOUND with the nearest name. */
export function findStep(name: string, transforms: readonly Transform[]): Transform {
  const found = transforms
    .filter((each) => shortStepName(each.name) === shortStepName(name))
    .toSorted((a, b) => b.version - a.version)[0];
  if (found !== undefined) return found;
  const near = nearestName(
    shortStepName(name),
    transforms.map((each) => shortStepName(each.name)),
  );
  throw new HoldoutError('NOT_FOUND', `there is no step "${name}"`, {
    hint: near === null ? '`holdout transforms` lists the steps' : `did you mean ${near}?`,
  });
}

function readStep(text: string): { readonly name: string; readonly params: unknown } {
  const document = parseDocument(text, { schema: 'core', version: '1.2', prettyErrors: true });
  const [wrong] = document.errors;
  if (wrong !== undefined) {
    throw stepError(text, `not YAML: ${wrong.message.split('\n', 1)[0]?.replace(/:$/, '') ?? ''}`);
  }
  const value: unknown = document.toJS({ maxAliasCount: 0 });
  if (typeof value === 'string' && value !== '') return { name: value, params: {} };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw stepError(text, 'not a step');
  }
  const [first, ...more] = Object.entries(value as Record<string, unknown>);
  if (first === undefined) throw stepError(text, 'not a step');
  if (more.length > 0) throw stepError(text, 'several keys, where one step is expected; give --step once for each');
  const [name, params] = first;
  return { name, params: params ?? {} };
}

function stepError(text: string, says: string): HoldoutError {
  return new HoldoutError('USAGE', `--step ${JSON.stringify(text)}: ${says}`, {
    hint: `a step is written NAME: {PARAMETER: VALUE, …}, for example 'filter: {where: "length(output) > 20"}'`,
  });
}
