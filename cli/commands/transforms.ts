/**
 * `holdout transforms`: the steps, documented from their definitions.
 * @module
 */
import { findStep, shortStepName } from '../../src/lineage/find-step.ts';
import { type Parameter, parametersOf } from '../../src/lineage/parameters.ts';
import type { Transform } from '../../src/lineage/transform.ts';
import { builtInTransforms } from '../../transforms/index.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { writeJson, writeLines } from '../output.ts';

/** Lists the steps, or documents one. */
export const transforms: Action = async ({ context, operands }) => {
  const [name] = operands;
  const shown = name === undefined ? builtInTransforms : [findStep(name, builtInTransforms)];
  if (context.json) await writeJson({ transforms: shown.map(asJson) });
  else await writeLines(name === undefined ? listLines(shown) : shown.flatMap(documentLines));
  return exitStatus.ok;
};

function listLines(shown: readonly Transform[]): string[] {
  const width = Math.max(...shown.map((each) => shortStepName(each.name).length));
  return shown.map((each) => `${shortStepName(each.name).padEnd(width)}  ${each.summary}`);
}

function documentLines(step: Transform): string[] {
  return [
    `${shortStepName(step.name)}  (${step.name}, version ${step.version}, ${step.kind})`,
    `  ${step.summary}`,
    '',
    ...parametersOf(step.params).flatMap(parameterLines),
    '',
    'Example:',
    `  holdout transform sft out --step '${step.example.replaceAll("'", `'\\''`)}'`,
  ];
}

function parameterLines({ name, type, required, default: fallback, description }: Parameter): string[] {
  const otherwise = fallback === undefined ? 'optional' : `default ${JSON.stringify(fallback)}`;
  return [`  ${name}: ${type}${required ? '' : `; ${otherwise}`}`, `      ${description}`];
}

function asJson({ name, version, kind, summary, example, params }: Transform): Record<string, unknown> {
  return { name, version, kind, summary, parameters: parametersOf(params), example };
}
