/**
 * `holdout/dedupe`: one of each set of rows that are equal, in all columns or in some.
 * @module
 */
import { z } from 'zod';
import { quoteIdentifier } from '../src/identity/sql-text.ts';
import { firstOfEqual } from '../src/lineage/digest-groups.ts';
import { columnNamed, keyDigests, visitValues } from '../src/lineage/row-values.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import type { TableReader } from '../src/tables/table-reader.ts';
import type { Engine } from '../src/engine/engine.ts';
import type { ColumnType } from '../schemas/table-schema.ts';
import { selectByReason } from './dropped-rows.ts';
import { columns, listed } from './parameters.ts';

/** Keeps one row of each set of equal ones, in the table's order. */
export const dedupe: Transform = defineTransform({
  name: 'holdout/dedupe',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps one of each set of rows that are exactly equal.',
  example: 'dedupe: {by: [instruction, input], keep: longest}',
  params: z
    .strictObject({
      by: columns.optional().describe('Columns whose values make rows equal; without it all columns.'),
      keep: z
        .enum(['first', 'last', 'longest'])
        .default('first')
        .describe(
          'Which of equal rows stays. longest: the one with most characters of text (lists and structs count as JSON); ' +
            'of those the first.',
        ),
    })
    .transform(({ by, keep }) => (by === undefined ? { keep } : { by, keep })),
  describe: ({ by, keep }) =>
    `keep the ${keep} of rows that are equal in ${by === undefined ? 'all columns' : listed(by)}`,
  async run({ input, engine }, { by, keep }) {
    const first = firstOfEqual(by === undefined ? await input.digests() : await keyDigests({ input, engine }, by));
    // Rows that are equal in all columns are of one length.
    const lengths = keep === 'longest' && by !== undefined ? await textLengths(input, engine) : null;
    const best = Uint32Array.from(first);
    for (let row = 0; row < first.length; row++) {
      const of = first[row]!;
      const better = lengths === null ? keep === 'last' : lengths[row]! > lengths[best[of]!]!;
      if (better) best[of] = row;
    }
    const insteadOf = first.map((of) => best[of]!);
    const selected = selectByReason(
      ['duplicates'],
      Uint8Array.from(insteadOf, (stays, row) => (stays === row ? 0 : 1)),
    );
    return { ...selected, dropped: { ...selected.dropped!, insteadOf } };
  },
  whyGone: (_, { by, keep }, { rows }) =>
    Promise.resolve(
      rows.map(() => `equal in ${by === undefined ? 'all columns' : listed(by)} to a row that stays as the ${keep}`),
    ),
});

async function textLengths(input: TableReader, engine: Engine): Promise<Float64Array> {
  const lengths = new Float64Array(input.rows);
  const reads = input.schema.columns.flatMap(({ name, type }) => (holdsText(type) ? [name] : []));
  const sum = `(${['0', ...reads.map((name) => lengthSql(input, name))].join(' + ')})::DOUBLE`;
  await visitValues({ input, engine }, { reads, expressions: [sum] }, (position, chunk, row) => {
    lengths[position] = Number(chunk.value(1, row));
  });
  return lengths;
}

function lengthSql({ schema }: TableReader, name: string): string {
  const value = quoteIdentifier(name);
  const text = columnNamed(schema, name).type === 'VARCHAR' ? value : `to_json(${value})::VARCHAR`;
  return `coalesce(length(${text}), 0)`;
}

function holdsText(type: ColumnType): boolean {
  if (typeof type === 'string') return type === 'VARCHAR' || type === 'JSON';
  if ('list' in type) return holdsText(type.list);
  if ('map' in type) return holdsText(type.map.key) || holdsText(type.map.value);
  return 'struct' in type && type.struct.some((field) => holdsText(field.type));
}
