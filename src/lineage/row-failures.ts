/**
 * Which rows an SQL expression fails on. The engine's own message names no row and comes from whichever thread was
 * first; so after a failure each row is tried by itself, and the lowest position is named.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { freeName } from '../tables/sql-types.ts';
import type { RowSourceTable } from './row-values.ts';
import { RowFailure } from './step-output.ts';

/** An expression over a row that may fail on it. */
export interface RowExpression {
  /** SQL over the columns of the input, trusted: what a person wrote has been checked before. */
  readonly sql: string;
  /** What it makes, for the message: `column "score"`, `where`. */
  readonly says: string;
  /** The columns that it reads; their values stand in the message. */
  readonly reads: readonly string[];
  /** Says what is wrong where the value is NULL and may not be. */
  readonly required?: string | undefined;
  /** BOOLEAN over the value and the columns, which fails on no row: a row with a value where it is not TRUE fails. */
  readonly valid?: { readonly sql: (value: string) => string; readonly refused: string } | undefined;
}

/** An expression per row, NULL where it fails; with the column that says whether it does. */
export interface TriedSql {
  /** A SELECT of the columns of `from`, the values and the flags. */
  readonly sql: string;
  /** Quoted names of the values, in the order of the expressions. */
  readonly values: readonly string[];
  /** For each row 0, or k + 1 where expression k is the first that fails. */
  readonly code: string;
}

/**
 * Every row with its values, none of which stops the query.
 * @param from a SELECT whose columns are those of the schema, and others
 */
export function triedSql(
  { schema }: RowSourceTable['input'],
  from: string,
  expressions: readonly RowExpression[],
): TriedSql {
  const name = (index: number, what: string): string => quoteIdentifier(freeName(schema, `holdout_${what}_${index}`));
  const [tried, values, failed] = ['tried', 'value', 'failed'].map((what) =>
    expressions.map((_, index) => name(index, what)),
  ) as [string[], string[], string[]];
  // A struct is NULL only where making it failed: a value may well be NULL.
  const attempts = expressions.map(({ sql }, index) => `TRY(struct_pack(v := (${sql}\n))) AS ${tried[index]!}`);
  const settled = expressions.map((expression, index) => {
    const value = `struct_extract(${tried[index]!}, 'v')`;
    const fits = fitsSql(expression, value);
    return `${tried[index]!} IS NULL OR NOT ${fits} AS ${failed[index]!}`;
  });
  const given = expressions.map(
    (_, index) =>
      `CASE WHEN ${failed[index]!} THEN NULL ELSE struct_extract(${tried[index]!}, 'v') END AS ${values[index]!}`,
  );
  const inner = `SELECT *, ${attempts.join(', ')} FROM (${from})`;
  const flagged = `SELECT *, ${settled.join(', ')} FROM (${inner})`;
  const cases = failed.map((flag, index) => `WHEN ${flag} THEN ${index + 1}`).join(' ');
  const code = `(CASE ${cases} ELSE 0 END)::UTINYINT`;
  return { sql: `SELECT *, ${given.join(', ')} FROM (${flagged})`, values, code };
}

/** BOOLEAN, never NULL: whether a value may stand. */
export function fitsSql({ required, valid }: RowExpression, value: string): string {
  const null_ = required === undefined ? `${value} IS NULL` : 'false';
  const fits =
    valid === undefined ? `${value} IS NOT NULL` : `coalesce(${value} IS NOT NULL AND (${valid.sql(value)}), false)`;
  return `(${null_} OR ${fits})`;
}

/** For each row 0, or k + 1 where expression k is the first that fails; null where none does. */
async function failedRows(source: RowSourceTable, expressions: readonly RowExpression[]): Promise<Uint8Array | null> {
  return collectCodes(source, failuresSql(source, expressions));
}

/** The codes of rows, out of a query of positions and codes that are not 0; null where it gives none. */
export async function collectCodes({ input, engine }: RowSourceTable, sql: string): Promise<Uint8Array | null> {
  let codes: Uint8Array | null = null;
  await engine.scan(sql, (chunk) => {
    for (let row = 0; row < chunk.rows; row++) {
      (codes ??= new Uint8Array(input.rows))[Number(chunk.value(0, row))] = Number(chunk.value(1, row));
    }
  });
  return codes;
}

/** How many expressions fit the code of a row. */
export const expressionsMax = 255;

/** @throws RangeError */
export function mustFit({ length }: readonly RowExpression[]): void {
  if (length > expressionsMax) throw new RangeError(`"expressions" expected at most ${expressionsMax}, got ${length}`);
}

function failuresSql({ input }: RowSourceTable, expressions: readonly RowExpression[]): string {
  mustFit(expressions);
  const position = freeName(input.schema, 'holdout_position');
  const columns = expressions.flatMap(({ reads }) => reads);
  const { sql, code } = triedSql(input, input.relationSql({ position, columns }), expressions);
  return `SELECT p, code FROM (SELECT ${quoteIdentifier(position)}::UINTEGER AS p, ${code} AS code FROM (${sql})) WHERE code <> 0`;
}

/**
 * What to throw after a query over all rows failed: the first row that an expression fails on, with what is wrong and
 * the values that it reads; where no row does, what was thrown.
 */
export async function firstFailure(
  source: RowSourceTable,
  expressions: readonly RowExpression[],
  cause: unknown,
): Promise<unknown> {
  if (!(cause instanceof HoldoutError) || cause.code !== 'INPUT_INVALID') return cause;
  const found = (await firstByTrying(source, expressions)) ?? (await firstByHalving(source, expressions));
  if (found === null) return cause;
  const says = await failureText(source, expressions[found.expression]!, found.position);
  return new RowFailure(found.position, says, {
    hint: 'on_error says what becomes of such rows',
    cause,
  });
}

/** What is wrong with rows that expressions fail on; null for a row that none fails on. */
export async function whyRowsFail(
  source: RowSourceTable,
  expressions: readonly RowExpression[],
  rows: readonly number[],
): Promise<readonly (string | null)[]> {
  const codes = await failedRows(source, expressions);
  const says: (string | null)[] = [];
  for (const row of rows) {
    const expression = expressions[(codes?.[row] ?? 0) - 1];
    says.push(expression === undefined ? null : await failureText(source, expression, row));
  }
  return says;
}

async function failureText(source: RowSourceTable, expression: RowExpression, position: number): Promise<string> {
  const wrong = await messageAt(source, expression, position);
  const values = await valuesAt(source, expression.reads, position);
  return `${expression.says}: ${wrong}${values === '' ? '' : ` (${values})`}`;
}

interface Failing {
  readonly position: number;
  readonly expression: number;
}

/** Null also where the engine cannot try: a few of its errors go through TRY. */
async function firstByTrying(source: RowSourceTable, expressions: readonly RowExpression[]): Promise<Failing | null> {
  try {
    const [first] = await source.engine.rows<{ p: number; code: number }>(
      `${failuresSql(source, expressions)} ORDER BY p LIMIT 1`,
    );
    return first === undefined ? null : { position: first.p, expression: first.code - 1 };
  } catch (error) {
    if (error instanceof HoldoutError && error.code === 'INPUT_INVALID') return null;
    throw error;
  }
}

async function firstByHalving(source: RowSourceTable, expressions: readonly RowExpression[]): Promise<Failing | null> {
  let found: Failing | null = null;
  for (const [index, { sql }] of expressions.entries()) {
    let from = 0;
    let to: number = found === null ? source.input.rows : found.position;
    if (!(await failsIn(source, sql, from, to))) continue;
    while (to - from > 1) {
      const middle = from + ((to - from) >> 1);
      if (await failsIn(source, sql, from, middle)) to = middle;
      else from = middle;
    }
    found = { position: from, expression: index };
  }
  return found;
}

async function failsIn(source: RowSourceTable, sql: string, from: number, to: number): Promise<boolean> {
  return (await errorOf(source, `max((${sql}\n)::VARCHAR)`, from, to)) !== null;
}

/** The message of a query over the rows from … to, which are cut out before anything is computed; null for none. */
async function errorOf(
  { input, engine }: RowSourceTable,
  sql: string,
  from: number,
  to: number,
): Promise<string | null> {
  const position = freeName(input.schema, 'holdout_position');
  const place = quoteIdentifier(position);
  const rows = `SELECT * FROM (${input.relationSql({ position })}) WHERE ${place} >= ${from} AND ${place} < ${to}`;
  try {
    await engine.rows(`WITH holdout_rows AS MATERIALIZED (${rows}) SELECT ${sql} AS v FROM holdout_rows`);
    return null;
  } catch (error) {
    if (error instanceof HoldoutError && error.code === 'INPUT_INVALID') return error.message;
    throw error;
  }
}

async function messageAt(source: RowSourceTable, expression: RowExpression, position: number): Promise<string> {
  const { sql, required, valid } = expression;
  const message = await errorOf(source, `(${sql}\n)`, position, position + 1);
  if (message === null) {
    const isNull = await errorOf(
      source,
      `CASE WHEN (${sql}\n) IS NULL THEN error('null')::VARCHAR END`,
      position,
      position + 1,
    );
    return (isNull === null ? valid?.refused : required) ?? 'it fails';
  }
  const plain = message.replace(/^[A-Z][A-Za-z ]* Error: /, '').replace(/ when casting from source column .*$/s, '');
  return shortened(plain, messageLengthMax);
}

const messageLengthMax = 160;
const valueLengthMax = 60;
const valuesMax = 4;

/** Values of a row as people are shown them, `score = "12x", id = 7`; the empty text for no columns. */
export async function valuesAt(
  { input, engine }: RowSourceTable,
  reads: readonly string[],
  position: number,
): Promise<string> {
  const shown = reads.slice(0, valuesMax);
  if (shown.length === 0) return '';
  const place = freeName(input.schema, 'holdout_position');
  const texts = shown.map((name, index) => `to_json(${quoteIdentifier(name)})::VARCHAR AS v${index}`);
  const [row] = await engine.rows<Record<string, string | null>>(
    `SELECT ${texts.join(', ')} FROM (${input.relationSql({ position: place, columns: shown })}) WHERE ${quoteIdentifier(place)} = ${position}`,
  );
  const more = reads.length > shown.length ? ', …' : '';
  return (
    shown.map((name, index) => `${name} = ${shortened(row?.[`v${index}`] ?? 'null', valueLengthMax)}`).join(', ') + more
  );
}

/** At most so many characters. */
function shortened(text: string, lengthMax: number): string {
  const characters = Array.from(text.slice(0, 4 * lengthMax));
  return characters.length > lengthMax ? `${characters.slice(0, lengthMax).join('')} …` : text;
}
