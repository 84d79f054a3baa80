/**
 * What a schema finds wrong with a value, in plain words: what stands there, and what may. One case for each code that
 * zod gives an issue; words that a schema brings itself go before these.
 * @module
 */
import type { z } from 'zod';
import { nearestName } from './nearest-name.ts';

type RawIssue = z.core.$ZodRawIssue;

/** Of a value that does not stand where one must. */
export const missingWords = 'is missing';

const textShownMax = 60;
const optionsShownMax = 20;

/** For `safeParse`: each issue then has words of this file, and the value that it is about. */
export const inPlainWords: z.core.ParseContext<z.core.$ZodIssue> = { error: wordsOf, reportInput: true };

/** The words of an issue, to stand after the place of the value and a colon. */
function wordsOf(issue: RawIssue): string {
  const { input } = issue;
  switch (issue.code) {
    case 'invalid_type':
      return input === undefined ? missingWords : `expected ${typeWord(issue.expected)}, not ${shown(input)}`;
    case 'invalid_value':
      if (input === undefined) return missingWords;
      return `expected ${alternatives(issue.values.map(String))}, not ${shown(input)}${near(input, issue.values)}`;
    case 'invalid_union': {
      if (input === undefined) return missingWords;
      const expected = [...new Set(issue.errors.flatMap((branch) => branch.flatMap(expectedAtRoot)))];
      const what = expected.length === 0 ? 'another value' : alternatives(expected);
      return `expected ${what}, not ${shown(input)}${near(input, expected)}`;
    }
    case 'too_big': {
      const bound = Number(issue.maximum);
      const most = issue.exact === true ? 'exactly' : issue.inclusive === false ? 'less than' : 'at most';
      return sizeWords(input, { bound: `${most} ${bound}`, isOver: true });
    }
    case 'too_small': {
      const bound = Number(issue.minimum);
      const least = issue.exact === true ? 'exactly' : issue.inclusive === false ? 'more than' : 'at least';
      return sizeWords(input, { bound: `${least} ${bound}`, isOver: false });
    }
    case 'invalid_format':
      return issue.format === 'regex' && typeof issue.pattern === 'string'
        ? `${shown(input)} is not of the form ${issue.pattern}`
        : `${shown(input)} is no ${issue.format}`;
    case 'not_multiple_of':
      return `${shown(input)} is no multiple of ${issue.divisor}`;
    case 'unrecognized_keys':
      return `unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues[0]?.message ?? 'is not valid';
    case 'custom':
  }
  return `${shown(input)} is not valid`;
}

/** What a branch of a union wants in place of the value; nothing where the value was of the right kind. */
function expectedAtRoot(issue: z.core.$ZodIssue): string[] {
  if (issue.path.length > 0) return [];
  if (issue.code === 'invalid_type') return [typeWord(issue.expected)];
  if (issue.code === 'invalid_value') return issue.values.map(String);
  return issue.code === 'invalid_union' ? issue.errors.flatMap((branch) => branch.flatMap(expectedAtRoot)) : [];
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'names with values',
  record: 'names with values',
};

function typeWord(expected: string): string {
  return typeWords[expected] ?? expected;
}

/** A value as it stands in an error: short, and so that `3` and `"3"` are told apart. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object' && value !== null) return 'names with values';
  if (typeof value !== 'string') return String(value);
  const text = value.length <= textShownMax ? value : `${value.slice(0, textShownMax)}…`;
  return `the text ${JSON.stringify(text)}`;
}

function sizeWords(input: unknown, { bound, isOver }: { readonly bound: string; readonly isOver: boolean }): string {
  if (Array.isArray(input)) return input.length === 0 ? 'the list is empty' : `the list has ${input.length}: ${bound}`;
  if (typeof input === 'string') {
    return input === '' ? 'the text is empty' : `the text has ${input.length} characters: ${bound}`;
  }
  return `${shown(input)} is too ${isOver ? 'large' : 'small'}: ${bound}`;
}

function alternatives(options: readonly string[]): string {
  const listed = options.slice(0, optionsShownMax);
  if (options.length > listed.length) return `${listed.join(', ')} … (${options.length} in all)`;
  return listed.length < 2 ? listed.join('') : `${listed.slice(0, -1).join(', ')} or ${listed.at(-1)!}`;
}

function near(input: unknown, options: readonly unknown[]): string {
  if (typeof input !== 'string') return '';
  const meant = nearestName(
    input,
    options.filter((option) => typeof option === 'string'),
  );
  return meant === null ? '' : ` (did you mean ${meant}?)`;
}
