/**
 * One schema for the tables that a step puts together: columns of all of them, widened where their types differ, and
 * every value checked to be held exactly.
 * @module
 */
import type { ColumnType, TableSchema } from '../../schemas/table-schema.ts';
import type { Engine } from '../engine/engine.ts';
import { HoldoutError } from '../errors.ts';
import { valuePreimageSql } from '../identity/row-encoding-sql.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { castValueSql } from '../tables/types/cast-value.ts';
import { checkNames } from '../tables/types/column-names.ts';
import { typeName } from '../tables/types/stored-type.ts';
import { sameType, unitedSchema } from '../tables/types/widen-schema.ts';

const lackingShownMax = 5;

/** A table under the name that errors give it. */
export interface NamedInput {
  readonly label: string;
  readonly reader: Pick<TableReader, 'schema' | 'relationSql'>;
}

/**
 * The schema of all tables together, in their order. Only columns whose type has to widen are read.
 * @throws HoldoutError `CONFLICT` for types that no type holds, for a value that the wider type does not hold exactly,
 * and for names that differ only in upper and lower case.
 */
export async function uniteInputs(
  engine: Engine,
  tables: readonly [NamedInput, ...NamedInput[]],
): Promise<TableSchema> {
  const [first, ...rest] = tables;
  let { schema } = first.reader;
  for (const { label, reader } of rest) {
    schema = unitedSchema(schema, reader.schema, (name, before, now) => {
      return new HoldoutError(
        'CONFLICT',
        `column "${name}" holds ${typeName(now)} in ${label} and ${typeName(before)} before it`,
        { hint: `Cast, rename or drop the column in one of the datasets first.${textHint(before, now)}` },
      );
    });
  }
  const problem = checkNames(schema.columns.map(({ name }) => name));
  if (problem !== null) {
    throw new HoldoutError('CONFLICT', `the columns of ${tables.map(({ label }) => label).join(', ')}: ${problem}`, {
      hint: 'Rename the column in one of the datasets first.',
    });
  }
  for (const table of tables) await checkExact(engine, table, schema);
  return schema;
}

/** Where one dataset has text and the other has not, it was most often read from CSV. */
function textHint(...types: readonly ColumnType[]): string {
  const hasText = types.includes('VARCHAR');
  return hasText ? ' Columns of CSV are text unless it is added with --infer (`infer: true` in holdout.yaml).' : '';
}

/** What the person should know of columns that some of the tables lack: which, and of which table. */
export function lackingNotes(tables: readonly NamedInput[], { columns }: TableSchema): readonly string[] {
  return tables.flatMap(({ label, reader }) => {
    const own = new Set(reader.schema.columns.map(({ name }) => name));
    const lacking = columns.flatMap(({ name }) => (own.has(name) ? [] : [name]));
    if (lacking.length === 0) return [];
    const more = lacking.length > lackingShownMax ? ` and ${lacking.length - lackingShownMax} more` : '';
    const [noun, are] = lacking.length === 1 ? ['column', 'is'] : ['columns', 'are'];
    return [
      `${label} lacks the ${noun} ${lacking.slice(0, lackingShownMax).join(', ')}${more}, which ${are} null in its rows`,
    ];
  });
}

/**
 * Compares each value's encoding before and after, where a column's type is another in the schema.
 * @throws HoldoutError `CONFLICT` where one would change
 */
export async function checkExact(engine: Engine, { label, reader }: NamedInput, schema: TableSchema): Promise<void> {
  const types = new Map(schema.columns.map(({ name, type }): [string, ColumnType] => [name, type]));
  const widened = reader.schema.columns.filter(
    ({ name, type }) => type !== 'NULL' && !sameType(type, types.get(name) ?? type),
  );
  if (widened.length === 0) return;
  const counts = widened.map(({ name, type }) => {
    const value = quoteIdentifier(name);
    const wider = types.get(name)!;
    return `count(*) FILTER (${valuePreimageSql(type, value)} <> ${valuePreimageSql(wider, castValueSql(value, type, wider))})`;
  });
  const sql = `SELECT ${counts.map((count, index) => `${count} AS c${index}`).join(', ')} FROM (${reader.relationSql()})`;
  const [found] = await engine.rows<Record<string, bigint>>(sql);
  const index = widened.findIndex((_, at) => found?.[`c${at}`] !== 0n);
  const column = widened[index];
  if (column === undefined) return;
  const count = Number(found?.[`c${index}`]);
  throw new HoldoutError(
    'CONFLICT',
    `column "${column.name}" of ${label}: ${count.toLocaleString('en-US')} ${count === 1 ? 'value' : 'values'} of ` +
      `${typeName(column.type)} cannot be held as ${typeName(types.get(column.name)!)} exactly`,
    { hint: 'Integers past 2^53 and fractions do not share a column: cast or rename it in one of the datasets first.' },
  );
}
