/**
 * `holdout/length`: the rows whose text in one column is neither too short nor too long.
 * @module
 */
import { z } from 'zod';
import { quoteIdentifier } from '../src/identity/sql-text.ts';
import { textColumn, visitValues } from '../src/lineage/row-values.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { selectByReason } from './dropped-rows.ts';
import { fetchFields } from '../src/tables/rows-at.ts';
import { rowCount } from './parameters.ts';
import { counted } from './why-gone.ts';

/** As the engine's `\\S+`: ASCII white space alone. */
const wordRuns = /[^\t\n\f\r ]+/g;

/** Keeps rows by the length of a text column; a row without text there goes. */
export const length: Transform = defineTransform({
  name: 'holdout/length',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps the rows whose text in a column has a length within bounds.',
  example: 'length: {column: output, min: 20, max: 8000}',
  params: z
    .strictObject({
      column: z.string().min(1).describe('A text column. A row that has null there goes.'),
      unit: z
        .enum(['characters', 'words'])
        .default('characters')
        .describe('Unicode code points, or runs of anything but ASCII white space.'),
      min: rowCount.optional().describe('The least length that stays.'),
      max: rowCount.optional().describe('The greatest length that stays.'),
    })
    .refine(({ min, max }) => min !== undefined || max !== undefined, 'give min, max or both')
    .refine(({ min = 0, max = Infinity }) => min <= max, 'min is more than max')
    .transform(({ column, unit, min, max }) => ({
      column,
      unit,
      ...(min === undefined ? {} : { min }),
      ...(max === undefined ? {} : { max }),
    })),
  describe: ({ column, unit, min, max }) =>
    `keep rows with ${[min === undefined ? [] : `at least ${min}`, max === undefined ? [] : `at most ${max}`].flat().join(' and ')} ${unit} in ${column}`,
  async run({ input, engine }, { column, unit, min = 0, max = Infinity }) {
    const name = quoteIdentifier(textColumn(input.schema, column).name);
    const measured = unit === 'characters' ? `length(${name})` : `len(regexp_extract_all(${name}, '\\S+'))`;
    const of = new Uint8Array(input.rows);
    const expressions = [`(${measured})::DOUBLE`];
    await visitValues({ input, engine }, { reads: [column], expressions }, (position, chunk, row) => {
      const value = chunk.value(1, row);
      if (value === null) of[position] = 3;
      else if (Number(value) < min) of[position] = 1;
      else if (Number(value) > max) of[position] = 2;
    });
    return selectByReason(['tooShort', 'tooLong', 'null'], of);
  },
  async whyGone({ input, engine }, { column, unit, min = 0, max = Infinity }, { rows }) {
    const fields = await fetchFields(engine, input, rows);
    return rows.map((row) => {
      const text = JSON.parse(fields.get(row)?.get(column) ?? 'null') as string | null;
      if (text === null) return `${column} is null`;
      const long = unit === 'characters' ? Array.from(text).length : (text.match(wordRuns) ?? []).length;
      const bound = long < min ? `at least ${counted(min)}` : `at most ${counted(max)}`;
      return `${counted(long)} ${long === 1 ? unit.slice(0, -1) : unit} in ${column}, and ${bound} stay`;
    });
  },
});
