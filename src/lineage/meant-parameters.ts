/**
 * How a step is written, for whoever wrote it otherwise: `filter: "score > 3"` means its one parameter that takes a text.
 * @module
 */
import type { z } from 'zod';
import { shortStepName } from './find-step.ts';
import { parametersOf } from './parameters.ts';

/** What is needed of a step. */
export interface WrittenStep {
  readonly name: string;
  readonly example: string;
  readonly params: z.ZodType;
}

const valueCharactersMax = 200;

/**
 * What to do about parameters that are wrong: the step as it was most likely meant, where one parameter alone takes what
 * stands in their place; else its example where no names stand there, and the names of its parameters.
 */
export function parametersHint({ name, example, params }: WrittenStep, given: unknown): string {
  const known = parametersOf(params).map((parameter) => parameter.name);
  if (known.length === 0) return 'it has no parameters';
  const isNamed = isMap(given);
  const listed = `its parameters: ${known.join(', ')}`;
  if (isNamed && Object.keys(given).some((key) => known.includes(key))) {
    return known.map((key) => listHint(params, given, key)).find((hint) => hint !== undefined) ?? listed;
  }
  const meant = known.flatMap((parameter) => {
    const fits = [given, [given]].find((value) => params.safeParse({ [parameter]: value }).success);
    return fits === undefined ? [] : [`${shortStepName(name)}: {${parameter}: ${flowText(fits)}}`];
  });
  const [only] = meant;
  if (only !== undefined && meant.length === 1 && only.length <= valueCharactersMax) return `it is written ${only}`;
  return isNamed ? listed : `${listed}; for example ${example}`;
}

/** How a parameter is written that takes a list, where one value stands that the list may have; else nothing. */
export function listHint(params: z.ZodType, given: unknown, key: string): string | undefined {
  const value = isMap(given) ? given[key] : undefined;
  if ((typeof value !== 'string' && typeof value !== 'number') || String(value).length > valueCharactersMax)
    return undefined;
  const isWrong = (meant: unknown): boolean =>
    params.safeParse({ ...(given as object), [key]: meant }).error?.issues.some(({ path }) => path[0] === key) === true;
  return isWrong(value) && !isWrong([value]) ? `it is written ${key}: ${flowText([value])}` : undefined;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as YAML on one line: without quotation marks where none are needed. */
function flowText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (!isMap(value)) return isPlain(value) ? value : JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${flowText(key)}: ${flowText(member)}`);
  return `{${members.join(', ')}}`;
}

/** A word that YAML takes for the text that it is. */
function isPlain(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z_][A-Za-z0-9_-]*$/.test(value) && !/^(?:true|false|null)$/i.test(value);
}
