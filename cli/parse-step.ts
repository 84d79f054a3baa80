/**
 * A step as a person writes it: YAML of one key, the step's name, over its parameters.
 * @module
 */
import { parseDocument } from 'yaml';
import { HoldoutError } from '../src/errors.ts';
import { findStep } from '../src/lineage/find-step.ts';
import type { PreparedStep, Transform } from '../src/lineage/transform.ts';

/**
 * Reads `filter: {where: "score > 3"}`, or `shuffle` alone where every parameter has a default.
 * @throws HoldoutError USAGE naming the step and what is wrong.
 */
export function parseStep(text: string, transforms: readonly Transform[]): PreparedStep {
  const { name, params } = readStep(text);
  return findStep(name, transforms).prepare(params);
}

function readStep(text: string): { readonly name: string; readonly params: unknown } {
  const document = parseDocument(text, { schema: 'core', version: '1.2', prettyErrors: true });
  const [wrong] = document.errors;
  if (wrong !== undefined) {
    throw stepError(text, `not YAML: ${wrong.message.split('\n', 1)[0]?.replace(/:$/, '') ?? ''}`);
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch {
    throw stepError(text, 'an alias (*NAME) cannot stand in a step');
  }
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
