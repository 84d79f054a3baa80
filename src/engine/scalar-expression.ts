/**
 * The door for expressions that a person wrote over one row (`filter: {where: …}`, `derive`). An expression is a pure function of
 * the row: it names columns and constants, calls functions that give the same answer for the same arguments, and reads
 * nothing else. That is decided on the parsed expression by allow-list, as `user-query.ts` does for whole queries.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { nearestName } from '../nearest-name.ts';
import type { Engine } from './engine.ts';
import { serialisedQuery, syntaxError } from './query-tree.ts';

/** A column that the expression may name, with its type as DuckDB writes it. */
export interface ScalarColumn {
  readonly name: string;
  readonly type: string;
}

/** What may stand in an expression, by DuckDB's own classes. */
const expressionClasses = new Set([
  'BETWEEN',
  'CASE',
  'CAST',
  'COLLATE',
  'COLUMN_REF',
  'COMPARISON',
  'CONJUNCTION',
  'CONSTANT',
  'FUNCTION',
  'LAMBDA',
  'OPERATOR',
]);
const whatIsRefused: Readonly<Record<string, string>> = {
  DEFAULT: 'DEFAULT',
  PARAMETER: 'a parameter',
  POSITIONAL_REFERENCE: 'a column by its number',
  STAR: '* or COLUMNS(…)',
  SUBQUERY: 'a subquery',
  WINDOW: 'a window function',
};

/** Functions that DuckDB calls consistent, and whose answer still hangs on the clock, a setting or its version. */
export const impureFunctions: ReadonlySet<string> = new Set([
  'age',
  'current_setting',
  'getvariable',
  'hash',
  'version',
]);
/** Macros are opaque here: these were looked at. */
export const pureMacros: RegExp =
  /^(?:list_(?!approx)\w+|array_\w+|nullif|split_part|fdiv|fmod|round_even|roundbankers|map_contains_(?:entry|value)|date_add|days_in_month|md5_number_(?:lower|upper))$/;

// A list of one item: brackets, which the text can neither close nor leave open without the list being another.
const before = 'SELECT [';
const after = '\n] FROM t';

/** An expression that was looked at. */
export interface CheckedExpression {
  /** Its type as DuckDB writes it. */
  readonly type: string;
  /** The columns that it names, in the order of the table. */
  readonly reads: readonly string[];
}

/**
 * Checks that a text is one pure expression over these columns.
 * @throws HoldoutError `USAGE` with what is wrong, and where.
 */
export async function checkExpression(
  engine: Engine,
  text: string,
  columns: readonly ScalarColumn[],
): Promise<CheckedExpression> {
  const expression = await parseExpression(engine, text);
  const used = collectUsed(expression);
  for (const kind of used.refused) {
    throw new HoldoutError('USAGE', `${whatIsRefused[kind] ?? kind} cannot stand in an expression over one row`);
  }
  checkColumns(used, columns);
  await checkFunctions(engine, used.functions);
  const named = new Set([...used.columns].map(lower));
  return {
    type: await bindType(engine, text, columns),
    reads: columns.flatMap(({ name }) => (named.has(lower(name)) ? [name] : [])),
  };
}

/**
 * Checks that a text is one pure expression of type BOOLEAN over these columns.
 * @throws HoldoutError `USAGE` with what is wrong, and where.
 */
export async function checkPredicate(
  engine: Engine,
  text: string,
  columns: readonly ScalarColumn[],
): Promise<CheckedExpression> {
  const checked = await checkExpression(engine, text, columns);
  if (checked.type === 'BOOLEAN') return checked;
  throw new HoldoutError('USAGE', `the expression is of type ${checked.type}, not true or false`, {
    hint: 'compare it with something, for example: length(text) > 20',
  });
}

/** The parsed expression. A text that closes the brackets and goes on makes no list of one item, or no list. */
async function parseExpression(engine: Engine, text: string): Promise<unknown> {
  if (text.includes('\0')) throw new HoldoutError('USAGE', 'the expression holds a NUL character');
  // The line end closes a comment at the end of the text.
  const query = `${before}${text}${after}`;
  const parsed = JSON.parse(await serialisedQuery(engine, query)) as ParsedQuery;
  if (parsed.error) {
    const says = parsed.error_message ?? 'it cannot be parsed';
    throw new HoldoutError('USAGE', parseFailure(text, says, parsed.position));
  }
  const node = parsed.statements?.[0]?.node;
  const [expression] = node?.select_list ?? [];
  const whole =
    parsed.statements?.length === 1 &&
    node?.type === 'SELECT_NODE' &&
    node.select_list?.length === 1 &&
    node.from_table?.type === 'BASE_TABLE' &&
    node.from_table.table_name === 't' &&
    [node.where_clause, node.having, node.qualify, node.sample].every((part) => part === null) &&
    [node.modifiers, node.group_expressions, node.cte_map?.map].every((part) => part?.length === 0);
  const items = itemsOf(expression);
  if (whole && items?.length === 0) throw new HoldoutError('USAGE', 'the expression is empty');
  if (!whole || items?.length !== 1) throw new HoldoutError('USAGE', 'expected one expression and nothing else');
  return items[0];
}

interface ParsedQuery {
  readonly error: boolean;
  readonly error_message?: string;
  readonly position?: string;
  readonly statements?: readonly {
    readonly node?: {
      readonly type?: string;
      readonly select_list?: readonly unknown[];
      readonly from_table?: { readonly type?: string; readonly table_name?: string };
      readonly where_clause?: unknown;
      readonly having?: unknown;
      readonly qualify?: unknown;
      readonly sample?: unknown;
      readonly modifiers?: readonly unknown[];
      readonly group_expressions?: readonly unknown[];
      readonly cte_map?: { readonly map?: readonly unknown[] };
    };
  }[];
}

/** The items of the list that the brackets make; null where it is something else. */
function itemsOf(expression: unknown): readonly unknown[] | null {
  if (typeof expression !== 'object' || expression === null) return null;
  const { function_name: name, children } = expression as Record<string, unknown>;
  return name === 'list_value' && Array.isArray(children) ? children : null;
}

/** The parser's words with the place in the text: it counts from our own part of the query, and may quote that. */
function parseFailure(text: string, says: string, position: string | undefined): string {
  const at = Number(position ?? Number.NaN) - before.length;
  const own = says.replace(after, '');
  if (!Number.isInteger(at) || at < 0) return own;
  if (at < Array.from(text).length) return syntaxError(text, own, at);
  return own.startsWith('syntax error') ? 'the expression ends too early' : own;
}

interface Used {
  readonly refused: Set<string>;
  readonly columns: Set<string>;
  readonly functions: Set<string>;
  readonly lambdaNames: Set<string>;
}

function collectUsed(expression: unknown): Used {
  const used: Used = { refused: new Set(), columns: new Set(), functions: new Set(), lambdaNames: new Set() };
  const open: unknown[] = [expression];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    const fields = node as Record<string, unknown>;
    const kind = fields['class'];
    if (typeof kind === 'string') {
      if (!expressionClasses.has(kind)) used.refused.add(kind);
      if (kind === 'COLUMN_REF') used.columns.add(firstName(fields));
      if (kind === 'FUNCTION') used.functions.add(functionName(fields));
      if (kind === 'LAMBDA') for (const name of lambdaNames(fields['lhs'])) used.lambdaNames.add(name);
    }
    open.push(...Object.values(fields));
  }
  return used;
}

function firstName(reference: Record<string, unknown>): string {
  const names = reference['column_names'];
  return Array.isArray(names) ? String(names[0]) : '';
}

/** A function of another schema or catalog than DuckDB's main one counts with it, and is none that we know. */
export function functionName(call: Record<string, unknown>): string {
  const parts = [call['catalog'], call['schema'], call['function_name']];
  const name = parts.filter((part) => typeof part === 'string' && part !== '').join('.');
  return name.replace(/^main\./, '').toLowerCase();
}

/** `x` or `(x, i)` before the arrow; `->` between a column and a key (JSON) parses alike, and names that column. */
function lambdaNames(lhs: unknown): string[] {
  if (typeof lhs !== 'object' || lhs === null) return [];
  const fields = lhs as Record<string, unknown>;
  if (fields['class'] === 'COLUMN_REF') return [firstName(fields)];
  if (fields['class'] !== 'FUNCTION' || !Array.isArray(fields['children'])) return [];
  return fields['children'].flatMap(lambdaNames);
}

/** Words like `current_date` parse as columns: what is no column of the table is refused here. */
function checkColumns({ columns: used, lambdaNames }: Used, columns: readonly ScalarColumn[]): void {
  const known = new Set(columns.map(({ name }) => lower(name)));
  const parameters = new Set([...lambdaNames].map(lower));
  for (const name of used) {
    if (known.has(lower(name)) || (parameters.has(lower(name)) && !impureWords.has(lower(name)))) continue;
    throw unknownColumn(
      name,
      columns.map((column) => column.name),
    );
  }
}

/** Words that parse as columns, and mean the clock or a setting where no column has the name. */
export const impureWords: ReadonlySet<string> = new Set(
  'current_catalog current_date current_database current_query current_role current_schema current_time current_timestamp current_user localtime localtimestamp session_user user'.split(
    ' ',
  ),
);

function lower(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The error for a column that is not there, with the nearest that is; `of` is the table, where there are several. */
export function unknownColumn(name: string, columns: readonly string[], of?: string): HoldoutError {
  const near = nearestName(name, columns);
  return new HoldoutError('USAGE', `there is no column "${name}"${of === undefined ? '' : ` in ${of}`}`, {
    hint: near === null ? `columns: ${columns.join(', ') || 'none'}` : `did you mean ${near}?`,
  });
}

/** A function of DuckDB, in one of its forms. */
export interface KnownFunction {
  readonly name: string;
  readonly kind: string;
  readonly stability: string | null;
}

let known: readonly KnownFunction[] | undefined;

/**
 * All functions that stand in expressions. Every engine has the same: those of DuckDB's version and Holdout's own. To
 * list them takes 20 ms, more than to run most steps over a small table, so it is done once.
 */
export async function knownFunctions(engine: Engine): Promise<readonly KnownFunction[]> {
  known ??= await engine.rows<KnownFunction>(
    `SELECT DISTINCT lower(function_name) AS name, function_type AS kind, stability FROM duckdb_functions()
     WHERE schema_name IN ('main', 'pg_catalog') AND function_type NOT IN ('table', 'table_macro', 'pragma')`,
  );
  return known;
}

async function checkFunctions(engine: Engine, used: ReadonlySet<string>): Promise<void> {
  if (used.size === 0) return;
  const functions = await knownFunctions(engine);
  for (const name of used) {
    const found = functions.filter((each) => each.name === name);
    if (found.length === 0) {
      // What is no word is an operator, and the nearest name of another one says nothing of what was meant.
      const [, operator, side] = /^([^a-z_".]+)(__postfix)?$/.exec(name) ?? [];
      if (operator !== undefined) {
        const where = side === undefined ? '' : ' that stands behind a value: something is missing after it';
        throw new HoldoutError('USAGE', `there is no operator ${operator}${where}`);
      }
      const near = nearestName(name, new Set(functions.map((each) => each.name)));
      throw new HoldoutError(
        'USAGE',
        `there is no function "${name}"`,
        near === null ? {} : { hint: `did you mean ${near}?` },
      );
    }
    const pure = found.every(({ kind, stability }) =>
      kind === 'macro' ? pureMacros.test(name) : kind === 'scalar' && stability === 'CONSISTENT',
    );
    if (pure && !impureFunctions.has(name)) continue;
    const aggregate = found.some(({ kind }) => kind === 'aggregate');
    throw new HoldoutError(
      'USAGE',
      aggregate
        ? `the function ${name} is over many rows, an expression here is over one`
        : `the function ${name} may give another answer the next time`,
      aggregate ? {} : { hint: 'a step must give the same rows whenever it is run' },
    );
  }
}

/** Binds the expression to the columns alone, without any row. */
async function bindType(engine: Engine, text: string, columns: readonly ScalarColumn[]): Promise<string> {
  const nulls = columns.map(({ name, type }) => `NULL::${type} AS ${quoteIdentifier(name)}`);
  const from = `(SELECT ${nulls.join(', ') || 'NULL AS holdout_nothing'})`;
  // `DESCRIBE` knows JSON from text, a prepared statement does not.
  const bound = await engine
    .rows<{ column_type: string }>(`DESCRIBE SELECT (${text}\n) FROM ${from}`)
    .catch((cause: unknown) => {
      if (!(cause instanceof HoldoutError) || cause.code !== 'INPUT_INVALID') throw cause;
      throw new HoldoutError('USAGE', cause.message, { cause });
    });
  const type = bound[0]?.column_type;
  if (type === undefined) throw new TypeError('a bound expression has no type');
  return type;
}
