/**
 * `holdout/mask-pii`: personal data and secrets in texts, replaced by what kind they were.
 * @module
 */
import { z } from 'zod';
import { HoldoutError } from '../src/errors.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { type Kind, kindNames } from './mask-pii/kinds.ts';
import { checkPatterns, pattern, patternSql } from './mask-pii/patterns.ts';
import { keptColumns, namesOf, textColumns } from './output-columns.ts';
import { columns, listed } from './parameters.ts';
import { mapTexts } from './texts/map-texts.ts';

const standing: Readonly<Record<Kind, string>> = {
  keys: '[KEY]',
  email: '[EMAIL]',
  iban: '[IBAN]',
  card: '[CARD]',
  ip: '[IP]',
  phone: '[PHONE]',
  secrets: '[SECRET]',
};
const kind = z.enum(kindNames);
const usual: Kind[] = kindNames.filter((name) => name !== 'secrets');
const patternsMax = 100;

/** Masks texts; what a finder takes for personal data is in its module's comment. */
export const maskPii: Transform = defineTransform({
  name: 'holdout/mask-pii',
  version: 1,
  kind: 'mapping',
  summary:
    'Replaces email addresses, telephone, card and account numbers, IP addresses and keys in texts by their kind.',
  example: 'mask-pii: {columns: [instruction, output], kinds: [email, phone, keys]}',
  params: z.strictObject({
    columns: columns.describe('The text columns that are masked; null stays null.'),
    kinds: z
      .array(kind)
      .default(usual)
      .describe(
        'email: local@domain.tld in ASCII. phone: with + and 8 to 15 digits, or as the USA, France, Britain and Germany ' +
          'write them with signs between; no digits in one run. ip: IPv4, and IPv6 that begins with four digits. card: a ' +
          "brand's digits with the check digit right. iban: of the country's length with the check digits right. keys: " +
          'of AWS, GitHub, GitLab, OpenAI, Slack, Google, Stripe and others, JSON Web Tokens, private keys. secrets (only ' +
          'when named): values that look drawn by chance, assigned to names such as password or api_key.',
      ),
    replacement: z
      .partialRecord(kind, z.string().max(1000))
      .default({})
      .describe('What stands for a kind; [EMAIL], [PHONE], [IP], [CARD], [IBAN], [KEY] and [SECRET] unless said here.'),
    patterns: z
      .array(pattern)
      .max(patternsMax)
      .default([])
      .describe(
        'Patterns of your own, before the kinds and in this order: {name, regex, replace}. Regular expressions of RE2, ' +
          'so none can take forever; \\1 in replace is the first group. Counted under their names.',
      ),
  }),
  describe: ({ columns: names, kinds, patterns }) =>
    `mask ${listed([...kinds, ...patterns.map(({ name }) => name)])} in ${listed(names)}`,
  async run(context, { columns: names, kinds, replacement, patterns }) {
    const { input, engine } = context;
    const { schema } = input;
    const masked = textColumns(schema, names);
    const own = patterns.map(({ name }) => name);
    const taken = own.find((name, index) => own.indexOf(name) < index || Object.hasOwn(standing, name));
    if (taken !== undefined) throw new HoldoutError('USAGE', `the name "${taken}" of a pattern is taken`);
    await checkPatterns(engine, patterns);
    const { maskPlan } = await import('./mask-pii/work.ts');
    const plan = maskPlan({
      kinds,
      replacements: { ...standing, ...replacement },
      patterns: patterns.length,
      names: namesOf(masked),
      pairs: patterns.length > 0,
    });
    const counters = [...kindNames, ...own];
    const beside = patterns.length === 0 ? undefined : patternSql(patterns);
    const { changed, values, counts, touched } = await mapTexts(context, masked, plan, counters.length, beside);
    const counted = counters.map((name, index): [string, number] => [name, counts[index]!]);
    return {
      kind: 'columns',
      schema,
      kept: keptColumns(schema, changed),
      values,
      keep: null,
      counts: {
        rowsTouched: touched,
        ...Object.fromEntries(counted.filter(([name]) => own.includes(name) || kinds.some((each) => each === name))),
      },
    };
  },
});
