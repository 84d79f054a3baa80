/**
 * `holdout/quality`: the rows whose text passes rules of thumb for prose, those of Gopher, C4 and FineWeb among them.
 * @module
 */
import { z } from 'zod';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { selectByReason } from './dropped-rows.ts';
import { type Preset, type Rule, gopherStopWords, gopherStopWordsMin, presets, rules } from './quality/rules.ts';
import { rulesText } from './quality/rules-text.ts';
import { type QualitySettings, judgeOf, qualityPlan, reasonsOf } from './quality/work.ts';
import { columnTextSql } from './texts/column-text.ts';
import { readTexts, textsOfRow } from './texts/read-texts.ts';
import { forEachBatch } from './texts/worker-pool.ts';

const off = z.enum(['off']);
const phrases = z.array(z.string().min(1).max(1000)).max(100_000);
const stopWordsLeast = z.int().positive();

/** What a person may give; rules by their names. */
interface Given {
  readonly column: string;
  readonly preset?: Preset | undefined;
  readonly stop_words_min?: number | 'off' | undefined;
  readonly stop_words?: readonly string[] | undefined;
  readonly bad_words?: readonly string[] | undefined;
  readonly [rule: string]: unknown;
}

/** What stands in the derivation: the column, and each rule that is on with its bound, whatever preset set it. */
type Resolved = { readonly column: string } & { readonly [rule: string]: z.core.util.JSONType };

/** Keeps rows by rules of thumb on one text column; each row's verdict hangs on its text alone. */
export const quality: Transform = defineTransform({
  name: 'holdout/quality',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps the rows whose text passes rules of thumb for prose (Gopher, C4, FineWeb); counts why rows go.',
  example: 'quality: {column: text, preset: gopher, words_min: 20, top_2gram_max: off}',
  params: z
    .strictObject({
      column: z
        .string()
        .min(1)
        .describe('A text column, or messages, whose texts are taken together. A row that has null there goes.'),
      preset: z
        .enum(presets)
        .optional()
        .describe(
          'Published bounds; each parameter beside it overrides, and "off" takes a rule away. Without it only the rules ' +
            'that are given count. gopher: Rae et al. 2021, appendix A. c4: the rules on whole pages of Raffel et al. ' +
            '2020, section 2.2. fineweb: what Penedo et al. 2024 add. Rules are tried in the order of these ' +
            'parameters, and a row counts for the first that it fails; at a bound it stays.',
        ),
      ...Object.fromEntries(rules.map((rule) => [rule.name, parameterOf(rule)])),
      stop_words_min: stopWordsLeast
        .or(off)
        .optional()
        .describe('The least number of different stop words. gopher: 2.'),
      stop_words: phrases
        .min(1)
        .optional()
        .describe(
          `Which words those are, as the leak check compares words; gopher's are English: ${gopherStopWords.join(', ')}.`,
        ),
      bad_words: phrases
        .min(1)
        .optional()
        .describe(
          'Words and phrases of a list of your own; a row with one of them goes. Case and accents do not count.',
        ),
    })
    .transform((given, context): Resolved => {
      const resolved = resolve(given);
      for (const wrong of contradictions(resolved)) context.addIssue({ code: 'custom', message: wrong });
      return resolved;
    }),
  describe: ({ column, ...bounds }) =>
    `keep rows whose ${column} ${rulesText(bounds, (preset) => resolve({ column, preset }))}`,
  async run(context, resolved) {
    const { input, engine } = context;
    const { column } = resolved;
    columnTextSql(input.schema, column);
    const settings = settingsOf(resolved);
    const why = new Uint8Array(input.rows);
    await forEachBatch(
      context,
      readTexts({ input, engine, columns: [column] }),
      qualityPlan(settings),
      (positions, { of }) => {
        for (let row = 0; row < positions.length; row++) why[positions[row]!] = of[row]!;
        context.onProgress?.(positions[positions.length - 1]! + 1);
      },
    );
    return selectByReason(reasonsOf(settings), why);
  },
  async whyGone({ input, engine }, resolved, { rows }) {
    const settings = settingsOf(resolved);
    const [judge, names] = [judgeOf(settings), reasonsOf(settings)];
    const texts = new Map<number, string | null>();
    const asked = new Set(rows);
    const source = { input, engine, columns: [resolved.column], wanted: (row: number) => asked.has(row) };
    for await (const batch of readTexts(source)) {
      for (const [at, row] of batch.positions.entries()) texts.set(row, textsOfRow(batch, at, 1)[0] ?? null);
    }
    return rows.map((row) => {
      const text = texts.get(row) ?? null;
      const name = names[judge(text) - 1];
      if (text === null || name === undefined) return text === null ? `${resolved.column} is null` : null;
      return reasonText(name, resolved);
    });
  },
});

function parameterOf({ bound, says, published }: Rule): z.ZodType {
  const values = { count: z.int().nonnegative(), share: z.number().min(0).max(1), ratio: z.number().nonnegative() };
  const bounds = Object.entries(published).map(([preset, value]) => `${preset}: ${bound === 'switch' ? 'on' : value}`);
  const text = [says, bounds.length === 0 ? [] : `${bounds.join(', ')}.`].flat().join(' ');
  return (bound === 'switch' ? z.enum(['on', 'off']) : values[bound].or(off)).optional().describe(text);
}

function resolve(given: Given): Resolved {
  const { column, preset } = given;
  const resolved: Record<string, z.core.util.JSONType> = {};
  for (const { name, bound, published } of rules) {
    const publishedBound = preset === undefined ? undefined : published[preset];
    const standard = bound === 'switch' && publishedBound !== undefined ? 'on' : publishedBound;
    const value = given[name] ?? standard;
    if (typeof value === 'number' || value === 'on') resolved[name] = value;
  }
  const least = given.stop_words_min ?? (preset === 'gopher' ? gopherStopWordsMin : undefined);
  if (typeof least === 'number') {
    resolved['stop_words_min'] = least;
    resolved['stop_words'] = [...(given.stop_words ?? gopherStopWords)];
  } else if (given.stop_words !== undefined) {
    resolved['stop_words'] = [...given.stop_words];
  }
  if (given.bad_words !== undefined) resolved['bad_words'] = [...given.bad_words];
  return { column, ...resolved };
}

function contradictions(resolved: Resolved): string[] {
  const wrong: string[] = [];
  if (reasonsOf(settingsOf(resolved)).length === 1) wrong.push('give a preset or at least one rule');
  if (resolved['stop_words'] !== undefined && resolved['stop_words_min'] === undefined) {
    wrong.push('stop_words has no meaning without stop_words_min');
  }
  for (const name of ['words', 'mean_word_length']) {
    const [min = 0, max = Infinity] = [resolved[`${name}_min`], resolved[`${name}_max`]];
    if (Number(min) > Number(max)) wrong.push(`${name}_min (${Number(min)}) is more than ${name}_max (${Number(max)})`);
  }
  return wrong;
}

function settingsOf(resolved: Resolved): QualitySettings {
  const bounds: Record<string, number> = {};
  for (const { name } of rules) {
    const value = resolved[name];
    if (value !== undefined) bounds[name] = value === 'on' ? 1 : Number(value);
  }
  const list = (name: string): string[] => (resolved[name] ?? []) as string[];
  const least = resolved['stop_words_min'] ?? 0;
  return { bounds, stopWords: list('stop_words'), stopWordsMin: Number(least), badWords: list('bad_words') };
}

/** Why a row went that failed a rule first. */
function reasonText(name: string, resolved: Resolved): string {
  if (name === 'bad_words') return `one of the bad words stands in ${resolved.column}`;
  if (name === 'stop_words_min') {
    return `${resolved.column} has fewer than ${Number(resolved[name])} of the stop words`;
  }
  const rule = rules.find((each) => each.name === name);
  const says = (rule?.says ?? '').replace(/[.;,:].*$/s, '');
  if (rule?.bound === 'switch') return `${resolved.column} has ${says.replace(/^Whether a row with (.*) goes$/, '$1')}`;
  const side = name.endsWith('_min') ? 'below' : 'above';
  return `${resolved.column} is ${side} ${name} ${Number(resolved[name])} (${says.slice(0, 1).toLowerCase()}${says.slice(1)})`;
}
