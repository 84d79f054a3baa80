import * as fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { HoldoutError } from '../dist/src/errors.js';
import { parametersHint } from '../dist/src/lineage/meant-parameters.js';
import { checkValue, problemText, problemsText } from '../dist/src/value-problems.js';
import { builtInTransforms } from '../dist/transforms/index.js';

/** What zod says of itself where nobody gives it words. */
const rawWords =
  /Invalid (?:input|option|key|value|string|number|discriminator)|Too (?:big|small)|Unrecognized|received |undefined|\[object|\b(?:string|boolean|array|object|int|record)\b|[<>]=/;

const anything = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, -1, 0, 0.5, 3, 2.5, 1e9, 1e300, -1e300, NaN, Infinity, -Infinity),
  fc.constantFrom<unknown>('', ' ', 'x', 'off', 'a\nb', 'x'.repeat(300), [], {}, [[]], [''], [null], [3], { '': 1 }),
  fc.constantFrom<unknown>([{ x: 1 }], [{ column: 'a', ordr: 'asc' }], { a: null }, { 'a b': { c: [] } }),
);

/** The value with something else at one place in it, or a key too many, or one that is missing. */
function changed(value: unknown, steps: readonly number[], bad: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined || typeof value !== 'object' || value === null) return bad;
  const entries = Object.entries(value as Record<string, unknown>);
  const at = step % (entries.length + 2);
  if (Array.isArray(value)) {
    return at >= entries.length
      ? [...(value as unknown[]), bad]
      : value.map((each, i) => (i === at ? changed(each, rest, bad) : (each as unknown)));
  }
  if (at === entries.length) return { ...value, [`unknwn`]: bad };
  if (at === entries.length + 1) return Object.fromEntries(entries.slice(1));
  const [key, member] = entries[at]!;
  return { ...value, [key]: changed(member, rest, bad) };
}

/** Every parameter of a step with some value beside those of its example, so that each of them is met. */
function fullExample(example: string, params: z.ZodType): Record<string, unknown> {
  const { properties = {} } = z.toJSONSchema(params, { io: 'input' }) as { properties?: Record<string, object> };
  const written = parse(example) as string | Record<string, object | null>;
  const given = typeof written === 'string' ? {} : Object.values(written)[0];
  return { ...Object.fromEntries(Object.keys(properties).map((key) => [key, key])), ...given };
}

describe('what is wrong with a step', () => {
  let refusals = 0;
  const codes = new Set<string>();

  it.each(builtInTransforms.map((transform) => [transform.name, transform] as const))(
    'is said in plain words for whatever is given to %s',
    (_, transform) => {
      const { example, params } = transform;
      const full = fullExample(example, params);
      const given = fc
        .tuple(fc.constantFrom(full, parse(example) as unknown), fc.array(fc.nat(40), { maxLength: 5 }), anything)
        .map(([base, steps, bad]) => changed(base === full ? full : Object.values(base as object)[0], steps, bad));
      fc.assert(
        fc.property(given, (value) => {
          for (const { code } of params.safeParse(value).error?.issues ?? []) codes.add(code);
          try {
            transform.prepare(value);
          } catch (error) {
            if (!(error instanceof HoldoutError)) throw error;
            expect(error.code).toBe('USAGE');
            expect(error.message.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')).not.toMatch(rawWords);
            refusals += 1;
          }
        }),
        { numRuns: 400 },
      );
    },
  );

  afterAll(() => {
    expect(refusals).toBeGreaterThan(builtInTransforms.length * 100);
    for (const code of ['invalid_type', 'invalid_value', 'invalid_union', 'too_big', 'too_small', 'custom'])
      expect(codes).toContain(code);
    expect(codes).toContain('unrecognized_keys');
  });

  it.each<[step: string, params: unknown, says: string]>([
    ['sample', { fraction: 3 }, 'fraction: 3 is too large: at most 1'],
    ['head', { n: '3' }, 'n: expected a number, not the text "3"'],
    ['head', { n: 2.5 }, 'n: expected a whole number, not 2.5'],
    ['filter', { were: 'x', else: 1 }, 'unknown key "were" (did you mean where?); unknown key "else"'],
    ['decontaminate', { against: 'gsm8k' }, 'against: expected a list, not the text "gsm8k"'],
    ['sort', { by: ['a', { column: 'b', order: 'up' }] }, 'by, item 2, order: expected asc or desc, not the text "up"'],
    ['sort', { by: [3] }, 'by, item 1: expected text or names with values, not 3'],
    [
      'quality',
      { column: 't', words_min: 'of' },
      'words_min: expected a number or off, not the text "of" (did you mean off?)',
    ],
    [
      'mixture',
      { weight: 1, with: [{ dataset: 'a', wieght: 2 }] },
      'with, item 1: unknown key "wieght" (did you mean weight?)',
    ],
    [
      'mixture',
      { weight: 1, with: [{ dataset: 3, weight: 2 }] },
      'with, item 1, dataset: expected the name of a dataset',
    ],
    ['command', { run: [] }, 'run: the list is empty'],
    ['head', { count: 10 }, 'unknown key "count" (did you mean n?)'],
    ['sample', { n: 3 }, 'unknown key "n"; give fraction or count'],
    ['sample', { fractoin: 0.3 }, 'unknown key "fractoin" (did you mean fraction?)'],
    ['mixture', { shares: {} }, 'unknown key "shares", and weight and with are missing'],
    ['split', { shares: { a: 1 }, take: 'a' }, 'unknown key "take" (did you mean which?)'],
    ['sort', { by: [{ col: 'a' }] }, 'by, item 1: unknown key "col" (did you mean column?)'],
  ])('names value and what may stand there: %s %j', (step, params, says) => {
    const transform = builtInTransforms.find(({ name }) => name === `holdout/${step}`)!;
    expect(() => transform.prepare(params)).toThrow(`holdout/${step}: ${says}`);
    expect(() => transform.prepare(params)).toThrow(new RegExp(`${says.replaceAll(/[^\w ]/g, '.')}$`));
  });
});

describe('parameters in place of which a value stands', () => {
  it.each<[step: string, given: unknown, hint: string]>([
    ['filter', 'length(output) > 20', 'it is written filter: {where: "length(output) > 20"}'],
    ['filter', 'length(output) >> > 20', 'it is written filter: {where: "length(output) >> > 20"}'],
    ['sample', 0.1, 'it is written sample: {fraction: 0.1}'],
    ['sample', 100, 'it is written sample: {count: 100}'],
    ['dedupe', 'instruction', 'it is written dedupe: {by: [instruction]}'],
    ['rename', { a: 'b c' }, 'it is written rename: {columns: {a: "b c"}}'],
    ['shuffle', true, 'its parameters: seed; for example shuffle: {seed: 7}'],
    ['mixture', { shares: {} }, 'its parameters: weight, with, rows, size, repeat, order, seed'],
  ])('are told as they are written: %s %j', (step, given, hint) => {
    const transform = builtInTransforms.find(({ name }) => name === `holdout/${step}`)!;
    expect(() => transform.prepare(given)).toThrow(expect.objectContaining({ hint }) as Error);
  });

  it.each(builtInTransforms.map((transform) => [transform.name, transform] as const))(
    'have a way to write them that the step takes: %s',
    (_, transform) => {
      let written = 0;
      for (const given of ['a', 'a b', 0.5, 7, ['a'], { x: 'y' }]) {
        const [, text] = /^it is written (.*)$/.exec(parametersHint(transform, given)) ?? [];
        if (text === undefined) continue;
        written += 1;
        const [params] = Object.values(parse(text) as Record<string, unknown>);
        expect(() => transform.prepare(params)).not.toThrow();
      }
      const { required = [] } = z.toJSONSchema(transform.params, { io: 'input' });
      // These two want a bound beside their column.
      if (['holdout/length', 'holdout/quality'].includes(transform.name)) expect(written).toBe(0);
      else if (required.length === 1) expect(written).toBeGreaterThan(0);
    },
  );
});

describe('what is wrong with a value', () => {
  const schema = z.strictObject({
    name: z.string().regex(/^[a-z]+$/),
    sizes: z.record(z.string().max(3), z.number().gt(0).lt(2)),
    pair: z.tuple([z.number(), z.number()]).optional(),
    even: z.number().multipleOf(2).optional(),
    mail: z.email().optional(),
  });
  it.each<[value: unknown, says: string]>([
    [{ name: 'A', sizes: {} }, 'name: the text "A" is not of the form /^[a-z]+$/'],
    [
      { name: 'a', sizes: { x: 2, y: 0 } },
      'sizes.x: 2 is too large: less than 2; sizes.y: 0 is too small: more than 0',
    ],
    [{ name: 'a', sizes: { long: 1 } }, 'sizes: "long" cannot be a name here: the text has 4 characters: at most 3'],
    [{ name: 'a', sizes: {}, pair: [1, 2, 3] }, 'pair: the list has 3: at most 2'],
    [{ name: 'a', sizes: {}, even: 3 }, 'even: 3 is no multiple of 2'],
    [{ name: 'a', sizes: {}, mail: 'x' }, 'mail: the text "x" is no email'],
    [
      { nam: 'a', sizes: [] },
      'sizes: expected names with values, not an empty list; it: unknown key "nam" (did you mean name?)',
    ],
    [undefined, 'it is missing'],
  ])('has a sentence for each code of an issue: %j', (value, says) => {
    expect(problemsText(schema, value, 'it')).toBe(says);
  });

  it('is told of the form of a value that comes nearest, with its whole path', () => {
    const either = z.union([z.array(z.strictObject({ a: z.int() })), z.strictObject({ b: z.string() }), z.literal(3)]);
    const told = (value: unknown): string => {
      const checked = checkValue(z.strictObject({ x: either }), value, ['x']);
      return checked.ok ? '' : checked.problems.map((problem) => problemText(problem, 'it')).join('; ');
    };
    expect(told({ x: [{ a: 1 }, { a: 'n' }] })).toBe('x, item 2, a: expected a number, not the text "n"');
    expect(told({ x: { b: 1 } })).toBe('x.b: expected text, not 1');
    expect(told({ x: 4 })).toBe('x: expected a list, names with values or 3, not 4');
    expect(told({})).toBe('x is missing');
    expect(told({ y: 1 })).toBe('it: unknown key "y", and x is missing');
  });
});
