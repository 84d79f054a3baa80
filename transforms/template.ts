/**
 * `holdout/template`: rows with a text from templates. Under `pick: one` which template a row gets is decided by a number
 * from 0 to below 1 out of seed, row digest and which of equal rows it is, times the number of templates, rounded down.
 * @module
 */
import { z } from 'zod';
import { quoteIdentifier } from '../src/identity/sql-text.ts';
import { type Explosion, explodeRows } from '../src/lineage/explode-rows.ts';
import { numberedBlock } from '../src/lineage/block-rows.ts';
import { columnNamed } from '../src/lineage/row-values.ts';
import { seededRowNumbers } from '../src/lineage/seeded-hash.ts';
import { RowFailure } from '../src/lineage/step-output.ts';
import { templateSql, templateText } from '../src/lineage/template.ts';
import { type StepContext, type Transform, defineTransform } from '../src/lineage/transform.ts';
import { freeName } from '../src/tables/sql-types.ts';
import { checkedSchema } from './output-columns.ts';
import { columns, seed } from './parameters.ts';

const templatesMax = 1000;

/** Makes rows with a text, one for each template or one template drawn for each row. */
export const template: Transform = defineTransform({
  name: 'holdout/template',
  version: 1,
  kind: 'row-adding',
  summary: 'Makes rows with a text from templates: a row for each template, or one template drawn by seed.',
  example: 'template: {templates: ["Q: {question}", "Please answer: {question}"], column: prompt}',
  seeded: true,
  params: z
    .strictObject({
      templates: z
        .array(templateText)
        .min(1)
        .max(templatesMax)
        .describe('Texts in which {column} or {column.field} stands for a value; {{ and }} stand for braces.'),
      column: z.string().min(1).describe('The column that gets the text; a column of that name is replaced.'),
      columns: columns.optional().describe('Columns of the input that stay, in this order; without it all.'),
      pick: z
        .enum(['each', 'one'])
        .default('each')
        .describe('each: a row for each row and template. one: a row for each row, its template drawn by seed.'),
      nulls: z
        .enum(['fail', 'empty', 'drop'])
        .default('fail')
        .describe('What a null value does: the step fails, nothing stands in its place, or the text is left out.'),
      seed,
    })
    .transform(({ columns: kept, ...rest }) => ({ ...rest, ...(kept === undefined ? {} : { columns: kept }) })),
  describe: ({ templates, column, pick, seed: drawn }) =>
    `${pick === 'each' ? 'each' : 'one'} of ${templates.length} templates into ${column}` +
    (pick === 'one' ? ` (seed ${drawn})` : ''),
  async run(context, { templates, column, columns: names, pick, nulls }) {
    const { input } = context;
    const kept = (names ?? input.schema.columns.map(({ name }) => name)).filter((name) => name !== column);
    const schema = checkedSchema({
      ...input.schema,
      columns: [...kept.map((name) => columnNamed(input.schema, name)), { name: column, type: 'VARCHAR' }],
    });
    const texts = templates.map((text) => templateSql(text, input.schema, nulls === 'empty' ? 'empty' : 'whole'));
    const item = quoteIdentifier(freeName(input.schema, 'holdout_text'));
    const wanted = pick === 'each' ? texts.length : 1;
    let leftOut = 0;
    const onRow = (position: number, count: number): void => {
      if (count < wanted && nulls === 'fail') {
        throw new RowFailure(position, 'a value that its template names is null', {
          hint: 'nulls: empty puts nothing in its place, nulls: drop leaves the text out',
        });
      }
      leftOut += wanted - count;
    };
    const table = await explodeRows(context, 'textsWithNulls', {
      schema,
      ...(await textsOf(context, texts, pick)),
      item,
      values: [...kept.map((name) => quoteIdentifier(name)), `${item} AS ${quoteIdentifier(column)}`],
      onRow,
    });
    return { ...table, counts: { textsWithNulls: leftOut } };
  },
  whyGone: (_, { templates }, { rows }) =>
    Promise.resolve(
      rows.map(() => `a value that ${templates.length === 1 ? 'its template' : 'each of its templates'} names is null`),
    ),
});

const picks = 'holdout_picks';

/** The texts of a row as a list, without those that are null. */
async function textsOf(
  { input, engine, seed: drawn }: StepContext,
  texts: readonly string[],
  pick: 'each' | 'one',
): Promise<Pick<Explosion, 'list' | 'source'>> {
  if (pick === 'each') return { list: present(texts.join(', ')) };
  const numbers = seededRowNumbers({ purpose: 'template', seed: drawn }, await input.digests());
  const row = freeName(input.schema, 'holdout_row');
  const chosen = quoteIdentifier(freeName(input.schema, 'holdout_pick'));
  const cases = texts.map((text, index) => `WHEN ${index} THEN ${text}`).join(' ');
  return {
    list: present(`CASE ${chosen} ${cases} END`),
    async source(block) {
      const drawnHere = numbers.subarray(block.firstRow, block.firstRow + block.rows);
      await engine.registerTable(picks, [
        { name: 'at', type: 'INTEGER', values: Int32Array.from(drawnHere, (_, index) => index) },
        { name: 'pick', type: 'INTEGER', values: Int32Array.from(drawnHere, (n) => Math.floor(n * texts.length)) },
      ]);
      const numbered = numberedBlock(block, row);
      const at = quoteIdentifier(row);
      return `SELECT b.*, p.pick AS ${chosen} FROM (${numbered}) AS b JOIN ${picks} AS p ON p.at = b.${at} ORDER BY b.${at}`;
    },
  };
}

function present(list: string): string {
  return `list_filter([${list}]::VARCHAR[], lambda t: t IS NOT NULL)`;
}
