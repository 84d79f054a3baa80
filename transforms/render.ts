/**
 * `holdout/render`: one text column out of the others, by a template.
 * @module
 */
import { z } from 'zod';
import type { TableSchema } from '../schemas/table-schema.ts';
import { type ExpressionColumn, whyColumnsFail } from '../src/lineage/map-columns.ts';
import { templateColumns, templateSql, templateText } from '../src/lineage/template.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { columnsNamed, withExpressions } from './output-columns.ts';
import { columns, listed } from './parameters.ts';

/** Writes a text into a column, one for each row. */
export const render: Transform = defineTransform({
  name: 'holdout/render',
  version: 1,
  kind: 'mapping',
  summary: 'Writes one text out of the columns of each row, by a template.',
  example:
    'render: {template: "### Instruction:\\n{instruction}\\n{?input}### Input:\\n{input}\\n{/input}### Response:\\n{output}", into: text}',
  params: z.strictObject({
    template: templateText.describe(
      '{column} and {column.field} stand for a value: text as it is, others as canonical JSON. {?column}…{/column} stands ' +
        'only where the value is neither null nor an empty text, {^column}…{/column} only where it is. {{ and }} are ' +
        'braces. Nothing is run and no value is read as a template.',
    ),
    into: z.string().min(1).default('text').describe('The column that gets the text; one of that name is replaced.'),
    drop: columns.or(z.tuple([])).default([]).describe('Columns that go, such as those that the text was made of.'),
    nulls: z
      .enum(['fail', 'empty', 'drop', 'keep'])
      .default('fail')
      .describe(
        'A row whose template meets a null outside of a hidden section: fail names the first one and makes nothing; ' +
          'empty puts nothing in its place; drop leaves the row out, keep makes the text null; both count such rows.',
      ),
  }),
  describe: ({ template, into, drop }) =>
    `render a template of ${template.length} characters into ${into}${drop.length === 0 ? '' : `, drop ${listed(drop)}`}`,
  async run(context, { template, into, drop, nulls }) {
    const { schema } = context.input;
    const gone = columnsNamed(schema, drop).map(({ name }) => name);
    const made = renderedColumn(schema, { template, into, nulls });
    const on = nulls === 'empty' ? 'fail' : nulls;
    const left = gone.filter((name) => name !== into);
    return withExpressions(context, [made], on, left.length === 0 ? {} : { columnsDropped: left.length }, left);
  },
  whyGone: (context, params, { rows }) => whyColumnsFail(context, [renderedColumn(context.input.schema, params)], rows),
});

function renderedColumn(
  schema: TableSchema,
  { template, into, nulls }: { readonly template: string; readonly into: string; readonly nulls: string },
): ExpressionColumn {
  return {
    name: into,
    type: 'VARCHAR',
    sql: templateSql(template, schema, nulls === 'empty' ? 'empty' : 'whole'),
    says: `column "${into}"`,
    reads: templateColumns(template, schema),
    required: 'a value that the template names is null',
  };
}
