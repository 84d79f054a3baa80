/**
 * `holdout/clean-text`: texts in one Unicode form, without what nobody sees, out of HTML where asked.
 * @module
 */
import { z } from 'zod';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { cleanCounts } from './clean-text/counts.ts';
import { keptColumns, namesOf, textColumns } from './output-columns.ts';
import { columns, listed } from './parameters.ts';
import { mapTexts } from './texts/map-texts.ts';

/** Cleans the texts of columns; null stays null. */
export const cleanText: Transform = defineTransform({
  name: 'holdout/clean-text',
  version: 1,
  kind: 'mapping',
  summary: 'Brings texts into one Unicode form and takes out unseen characters, needless white space and HTML.',
  example: 'clean-text: {columns: [instruction, output], html: text, whitespace: lines}',
  params: z.strictObject({
    columns: columns.describe('The text columns that are cleaned; null stays null.'),
    html: z
      .enum(['text', 'keep'])
      .default('keep')
      .describe(
        'First. text: tags and comments of HTML go, entities become characters, scripts and styles go with what they ' +
          'hold, blocks begin a line and paragraphs leave one empty; what is no element of HTML stays (List<String>, ' +
          '<think>, a < b). White space collapses where block elements stand, as in a browser. Only for columns of HTML.',
      ),
    control: z
      .enum(['strip', 'keep'])
      .default('strip')
      .describe(
        'Then. strip: control characters go (U+0000 … U+009F, category Cc), except tab, line feed, vertical tab, form ' +
          'feed, carriage return and next line, which are white space.',
      ),
    zero_width: z
      .enum(['strip', 'keep'])
      .default('strip')
      .describe(
        'Then. strip: U+00AD, U+180E, U+200B, U+2060 … U+2064 and U+FEFF go. The joiners U+200C and U+200D stay, as ' +
          'emoji and Persian need them, and so do marks of direction.',
      ),
    unicode: z
      .enum(['nfc', 'nfkc', 'none'])
      .default('nfc')
      .describe(
        'Then. nfc: composed characters; nfkc: compatible ones, too (ﬁ becomes fi, ² becomes 2). By the tables of the ' +
          'Unicode version that runs, which the lineage records: text whose characters that version knows comes out the ' +
          'same under every later one.',
      ),
    whitespace: z
      .enum(['collapse', 'lines', 'trim', 'keep'])
      .default('trim')
      .describe(
        'Last, for the 25 characters of White_Space. trim: none at both ends. lines: also every line end is \\n, none ' +
          'follows blanks, at most one empty line in a row; indentation stays. collapse: each run of them is one blank.',
      ),
  }),
  describe: ({ columns: names, html, control, zero_width: zeroWidth, unicode, whitespace }) =>
    `clean ${listed(names)}: ${listed([
      ...(html === 'text' ? ['text of HTML'] : []),
      ...(control === 'strip' ? ['no control characters'] : []),
      ...(zeroWidth === 'strip' ? ['no zero-width characters'] : []),
      ...(unicode === 'none' ? [] : [unicode.toUpperCase()]),
      ...(whitespace === 'keep' ? [] : [`white space: ${whitespace}`]),
    ])}`,
  toldCounts: ['rowsTouched', ...cleanCounts],
  async run(context, { columns: names, zero_width: zeroWidth, ...settings }) {
    const { schema } = context.input;
    const cleaned = textColumns(schema, names);
    // The parser of HTML is loaded for a run alone.
    const { cleanPlan } = await import('./clean-text/work.ts');
    const plan = cleanPlan({ ...settings, zeroWidth, pairs: false, names: namesOf(cleaned) });
    const { changed, values, counts, touched } = await mapTexts(context, cleaned, plan, cleanCounts.length);
    return {
      kind: 'columns',
      schema,
      kept: keptColumns(schema, changed),
      values,
      keep: null,
      counts: {
        rowsTouched: touched,
        ...Object.fromEntries(cleanCounts.map((name, index) => [name, counts[index]!])),
      },
    };
  },
});
