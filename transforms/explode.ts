/**
 * `holdout/explode`: a row for each element of a list.
 * @module
 */
import { z } from 'zod';
import type { Column, ColumnType, TableSchema } from '../schemas/table-schema.ts';
import { HoldoutError } from '../src/errors.ts';
import { quoteIdentifier, quoteString } from '../src/identity/sql-text.ts';
import { explodeRows } from '../src/lineage/explode-rows.ts';
import { columnNamed } from '../src/lineage/row-values.ts';
import { defineTransform, type Transform } from '../src/lineage/transform.ts';
import { checkNames } from '../src/tables/types/column-names.ts';
import { typeName } from '../src/tables/types/stored-type.ts';
import { freeName, sqlType } from '../src/tables/sql-types.ts';
import { valuesOf } from './why-gone.ts';

/** Makes a row of each element of a list column. */
export const explode: Transform = defineTransform({
  name: 'holdout/explode',
  version: 1,
  kind: 'row-adding',
  summary: 'Makes a row of each element of a list; the other columns are repeated.',
  example: 'explode: {column: answers}',
  params: z.strictObject({
    column: z.string().min(1).describe('The column that holds lists; in the output it holds an element.'),
    empty: z
      .enum(['drop', 'keep'])
      .default('drop')
      .describe('What becomes of a row whose list is null or has no element. keep: one row with null.'),
    spread: z
      .boolean()
      .default(false)
      .describe('Whether the fields of elements that are structs become columns, in place of the column.'),
  }),
  describe: ({ column, empty, spread }) =>
    `a row for each element of ${column}${spread ? ', its fields as columns' : ''}` +
    (empty === 'keep' ? ', rows without elements kept' : ''),
  async run(context, { column, empty, spread }) {
    const { input } = context;
    const { type } = columnNamed(input.schema, column);
    const made = madeColumns({ name: column, type: elementType(column, type) }, spread);
    const schema: TableSchema = {
      ...input.schema,
      columns: input.schema.columns.flatMap((each) => (each.name === column ? made : [each])),
    };
    const problem = checkNames(schema.columns.map(({ name }) => name));
    if (problem !== null) {
      throw new HoldoutError('USAGE', `the fields of ${column} as columns: ${problem}`, {
        hint: 'Rename the column in a step before, or leave spread out.',
      });
    }
    const listType = sqlType(type === 'NULL' ? { list: 'NULL' } : type);
    const item = quoteIdentifier(freeName(input.schema, 'holdout_element'));
    return explodeRows(context, 'withoutElements', {
      schema,
      list: elementsSql(`${quoteIdentifier(column)}::${listType}`, listType, empty),
      item,
      values: schema.columns.map(({ name, type: of }) => {
        if (!made.some((each) => each.name === name)) return quoteIdentifier(name);
        const value = spread ? `struct_extract(${item}, ${quoteString(name)})` : item;
        return `(${value})::${sqlType(of)} AS ${quoteIdentifier(name)}`;
      }),
    });
  },
  async whyGone(context, { column }, { rows }) {
    const values = await valuesOf(context, [column], rows);
    return values.map((value) => `it has no element to make a row of: ${value}`);
  },
});

function elementsSql(list: string, type: string, empty: 'drop' | 'keep'): string {
  const none = `${empty === 'drop' ? '[]' : '[NULL]'}::${type}`;
  return `CASE WHEN coalesce(len(${list}), 0) = 0 THEN ${none} ELSE ${list} END`;
}

function elementType(name: string, type: ColumnType): ColumnType {
  if (type === 'NULL') return 'NULL';
  if (typeof type === 'object' && 'list' in type) return type.list;
  throw new HoldoutError('USAGE', `column "${name}" holds ${typeName(type)}, not lists`, {
    hint: type === 'JSON' ? 'Cast it to a list in a step before.' : 'Name a column that holds lists.',
  });
}

function madeColumns(element: Column, spread: boolean): readonly Column[] {
  if (!spread) return [element];
  const { name, type } = element;
  if (typeof type === 'object' && 'struct' in type) return type.struct;
  throw new HoldoutError('USAGE', `the elements of "${name}" hold ${typeName(type)}, which has no fields`, {
    hint: 'Leave spread out.',
  });
}
