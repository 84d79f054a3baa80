/**
 * `holdout/join`: columns of another dataset, such as generated text, beside the rows of the input that have its keys.
 * @module
 */
import { z } from 'zod';
import type { Column, TableSchema } from '../schemas/table-schema.ts';
import { HoldoutError } from '../src/errors.ts';
import { quoteIdentifier } from '../src/identity/sql-text.ts';
import { type KeyPair, matchRows } from '../src/lineage/join-keys.ts';
import { BlockRows } from '../src/lineage/block-rows.ts';
import { columnNamed, setBit } from '../src/lineage/row-values.ts';
import { type Keep, RowFailure, noRow } from '../src/lineage/step-output.ts';
import { type StepContext, type Transform, datasetParam, defineTransform } from '../src/lineage/transform.ts';
import { jsonRowSql } from '../src/tables/json-text-sql.ts';
import type { ReadTable } from '../src/tables/read/read-table-types.ts';
import { freeName, sqlType } from '../src/tables/sql-types.ts';
import type { TableReader } from '../src/tables/table-reader.ts';
import { checkNames } from '../src/tables/types/column-names.ts';
import { datasetLabel, listed } from './parameters.ts';
import { valuesOf } from './why-gone.ts';

const columnName = z.string().min(1);
/** Rows whose new values are fetched and put in order at once. */
const chunkRows = 1 << 18;
/** Characters of a key that an error shows. */
const keyCharactersMax = 200;

/** Adds columns of another dataset by key. */
export const join: Transform = defineTransform({
  name: 'holdout/join',
  version: 1,
  kind: 'mapping',
  summary: 'Adds columns of another dataset, such as generated text, to the rows that have its keys.',
  example: 'join: {dataset: generated, on: id, columns: [answer]}',
  params: z
    .strictObject({
      dataset: datasetParam.describe('The dataset that has the columns, NAME or NAME@VERSION.'),
      on: z
        .union([
          columnName,
          z.array(z.union([columnName, z.strictObject({ left: columnName, right: columnName })])).min(1),
        ])
        .describe(
          'The key: a column, or a list of columns or {left, right} for columns of other names. A null matches nothing.',
        ),
      columns: z
        .array(z.union([columnName, z.strictObject({ column: columnName, as: columnName })]))
        .min(1)
        .optional()
        .describe('Columns that are added, {column, as} under another name; without it all that are no key.'),
      on_missing: z
        .enum(['fail', 'drop', 'keep'])
        .default('fail')
        .describe('A row whose key the dataset lacks: the step fails, the row goes, or its new columns are null.'),
      on_duplicate: z
        .enum(['fail', 'first'])
        .default('fail')
        .describe('A key that stands twice in the dataset: the step fails, or its first row counts.'),
    })
    .transform(({ columns, ...rest }) => ({ ...rest, ...(columns === undefined ? {} : { columns }) })),
  describe: ({ dataset, on, on_missing: missing }) =>
    `join ${datasetLabel(dataset)} on ${listed(keyPairs(on).map(({ left, right }) => (left === right ? left : `${left} = ${right}`)))}` +
    (missing === 'fail' ? '' : `, rows without it ${missing === 'drop' ? 'dropped' : 'kept'}`),
  datasets: ({ dataset }) => [{ at: ['dataset'], names: dataset, as: 'table' }],
  async run(context, { dataset, on, columns: wanted, on_missing: missing, on_duplicate: twice }) {
    const { input, engine, others } = context;
    const right = others[0]!.reader;
    const label = datasetLabel(dataset);
    const pairs = keyPairs(on);
    for (const pair of pairs) {
      columnNamed(input.schema, pair.left, 'the input');
      columnNamed(right.schema, pair.right, label);
    }
    const { matches, duplicate } = await matchRows({ input, engine }, { input: right, engine }, pairs);
    if (duplicate !== null && twice === 'fail') {
      const key = await keyText(
        context,
        right,
        pairs.map((pair) => pair.right),
        duplicate,
      );
      throw new HoldoutError(
        'INPUT_INVALID',
        `key ${key} stands twice in ${label}: row ${duplicate + 1} has it again`,
        {
          hint: 'on_duplicate: first takes the first row of each key; or add the column to the key that tells them apart',
        },
      );
    }
    const taken = takenColumns(right.schema, pairs, wanted, label);
    const schema: TableSchema = {
      ...input.schema,
      columns: [...input.schema.columns, ...taken.map(({ as, type }) => ({ name: as, type }))],
    };
    checkCollisions(input.schema, schema, label);

    const bitmap = new Uint8Array(Math.ceil(input.rows / 8));
    const dropped = new Uint8Array(input.rows);
    let [lacking, firstLacking] = [0, 0];
    for (const [row, match] of matches.entries()) {
      if (match !== noRow || missing === 'keep') setBit(bitmap, row);
      if (match !== noRow) continue;
      if (lacking === 0) firstLacking = row;
      lacking += 1;
      if (missing === 'drop') dropped[row] = 1;
    }
    if (lacking > 0 && missing === 'fail') {
      const key = await keyText(
        context,
        input,
        pairs.map((pair) => pair.left),
        firstLacking,
      );
      throw new RowFailure(
        firstLacking,
        `${label} has no row of key ${key}; ${lacking.toLocaleString('en-US')} rows have none`,
        {
          hint: missingHint(input.schema, right.schema, pairs),
        },
      );
    }
    const kept = missing === 'drop' ? matches.filter((match) => match !== noRow) : matches;
    const keep: Keep | null = kept.length === input.rows ? null : { bitmap };
    return {
      kind: 'columns',
      schema,
      kept: new Map(input.schema.columns.map(({ name }): [string, string] => [name, name])),
      values: { kind: 'read', table: await fetchRows(context, right, taken, kept) },
      keep,
      counts: { missing: lacking },
      ...(missing === 'drop' ? { dropped: { names: ['missing'], of: dropped } } : {}),
    };
  },
  async whyGone(context, { dataset, on }, { rows }) {
    const names = keyPairs(on).map(({ left }) => left);
    const values = await valuesOf(context, names, rows);
    return values.map((value) => `no row of ${datasetLabel(dataset)} has its key (${value})`);
  },
});

type On = string | readonly (string | KeyPair)[];

function keyPairs(on: On): readonly KeyPair[] {
  return (typeof on === 'string' ? [on] : on).map((each) =>
    typeof each === 'string' ? { left: each, right: each } : each,
  );
}

interface TakenColumn extends Column {
  readonly as: string;
}

function takenColumns(
  right: TableSchema,
  pairs: readonly KeyPair[],
  wanted: readonly (string | { readonly column: string; readonly as: string })[] | undefined,
  label: string,
): readonly TakenColumn[] {
  if (wanted !== undefined) {
    return wanted.map((each) => {
      const { column, as } = typeof each === 'string' ? { column: each, as: each } : each;
      return { ...columnNamed(right, column, label), as };
    });
  }
  const keys = new Set(pairs.map((pair) => pair.right));
  const taken = right.columns.filter(({ name }) => !keys.has(name)).map((column) => ({ ...column, as: column.name }));
  if (taken.length === 0) throw new HoldoutError('USAGE', `${label} has no column beside the key: nothing to add`);
  return taken;
}

function checkCollisions(left: TableSchema, all: TableSchema, label: string): void {
  const problem = checkNames(all.columns.map(({ name }) => name));
  if (problem === null) return;
  const own = new Set(left.columns.map(({ name }) => name));
  const both = all.columns.slice(left.columns.length).find(({ name }) => own.has(name));
  throw new HoldoutError(
    'CONFLICT',
    both === undefined ? problem : `column "${both.name}" stands in the input and in ${label}`,
    {
      hint: `columns: [{column: ${both?.name ?? 'NAME'}, as: NEW_NAME}] adds it under another name, or lists only the others`,
    },
  );
}

function missingHint(left: TableSchema, right: TableSchema, pairs: readonly KeyPair[]): string {
  const types = pairs.map((pair) => [
    sqlType(columnNamed(left, pair.left).type),
    sqlType(columnNamed(right, pair.right).type),
  ]);
  const other = types.find(([a, b]) => (a === 'VARCHAR') !== (b === 'VARCHAR'));
  if (other !== undefined) return `the key is ${other[0]!} here and ${other[1]!} there: cast one of them first`;
  return 'on_missing: drop leaves such rows out, on_missing: keep gives them null';
}

/** The key of a row as JSON, for an error. */
async function keyText(
  { engine }: StepContext,
  reader: TableReader,
  names: readonly string[],
  row: number,
): Promise<string> {
  const position = freeName(reader.schema, 'holdout_position');
  const columns = names.map((name) => columnNamed(reader.schema, name));
  const text = await engine.value<string>(
    `SELECT ${jsonRowSql({ ...reader.schema, columns })} FROM (${reader.relationSql({ position })})
     WHERE ${quoteIdentifier(position)} = ${row}`,
  );
  return text.length <= keyCharactersMax ? text : `${text.slice(0, keyCharactersMax)}…`;
}

/** The new columns of each row, in order; null where a row has no match. */
async function fetchRows(
  context: StepContext,
  right: TableReader,
  taken: readonly TakenColumn[],
  matches: Uint32Array,
): Promise<ReadTable> {
  const { engine } = context;
  const made = new BlockRows(context, {
    type: 'holdout/schema@1',
    columns: taken.map(({ as, type }) => ({ name: as, type })),
  });
  const position = freeName(right.schema, 'holdout_position');
  const values = taken.map(({ name, as }) => `r.${quoteIdentifier(name)} AS ${quoteIdentifier(as)}`).join(', ');
  for (let first = 0; first < matches.length; first += chunkRows) {
    const chunk = matches.subarray(first, first + chunkRows);
    await engine.registerTable('holdout_matches', [
      { name: 'number', type: 'INTEGER', values: Int32Array.from(chunk, (_, index) => index) },
      { name: 'source', type: 'BIGINT', values: Array.from(chunk, (row) => (row === noRow ? null : BigInt(row))) },
    ]);
    await made.add(
      `SELECT ${values} FROM holdout_matches AS m LEFT JOIN (${right.relationSql({ position })}) AS r
       ON r.${quoteIdentifier(position)} = m.source ORDER BY m.number`,
    );
  }
  return made.finish();
}
