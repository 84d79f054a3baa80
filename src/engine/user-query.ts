/**
 * The door for SQL that a person wrote (`holdout sql`): one SELECT over named views, in an engine of its own. The
 * lock-down of the engine keeps files and network away; this page keeps away what a SELECT can still do inside it
 * (`FROM enable_logging(…)` changes a locked setting and ends the process), by an allow-list over the parsed query.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import type { Engine } from './engine.ts';
import type { PlainValue } from './plain-value.ts';
import { serialisedQuery, syntaxError } from './query-tree.ts';

/** A name that the query may use, and the relation that stands for it. */
export interface UserView {
  readonly name: string;
  /** A SELECT; it is our own and not checked. */
  readonly sql: string;
}

/** The result of a query, held by the engine, which spills it to its folder; rows leave it a page at a time. */
export interface UserResult {
  /** Types as DuckDB writes them; duplicates among the names are kept. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: number;
  /** Rows in the order of the query, from `first` on, at most `count`. @throws HoldoutError `INTERRUPTED`, `IO` */
  page(first: number, count: number): Promise<PlainValue[][]>;
}

/** What to do about a table that the query names and that is not there. */
export type LackingTable = (name: string) => string;

/** Functions that may stand where a table stands: they read nothing and change nothing. */
const tableFunctions = new Set([
  'range',
  'generate_series',
  'unnest',
  'json_each',
  'json_tree',
  'repeat',
  'repeat_row',
]);

/**
 * Checks and runs a query. The engine must have been opened for this query alone, and only with the files of its views.
 * @throws HoldoutError `USAGE` when the text is not one SELECT over the views, or DuckDB refuses it; `LIMIT` when its
 * result is larger than the disk allows.
 */
export async function runUserQuery(
  engine: Engine,
  sql: string,
  views: readonly UserView[],
  whereIs: LackingTable = thereAre(views),
): Promise<UserResult> {
  await checkUserQuery(engine, sql, views, whereIs);
  for (const view of views)
    await engine.run(`CREATE OR REPLACE TEMP VIEW ${quoteIdentifier(view.name)} AS ${view.sql}`);
  const columns = await engine.describe(sql).catch(refuse);
  // Names of our own: a result may name two columns alike. Insertion keeps the order of the query.
  const names = columns.map((_, index) => `c${index}`).join(', ');
  const table = quoteIdentifier(resultName(views));
  // `DESCRIBE` and its like stand only where a table stands.
  const source = /^\s*(?:describe|desc|summarize|show)\b/i.test(sql) ? `SELECT * FROM (${sql}\n)` : sql;
  await engine.run(`CREATE TEMP TABLE ${table}(${names}) AS ${source}`).catch(refuse);
  const rows = Number(await engine.value<bigint>(`SELECT count(*) FROM ${table}`));
  return {
    columns,
    rows,
    async page(first, count) {
      const page: PlainValue[][] = [];
      const last = first + count - 1;
      await engine.scan(
        `SELECT ${names} FROM ${table} WHERE rowid BETWEEN ${first} AND ${last} ORDER BY rowid`,
        (chunk) => {
          for (let row = 0; row < chunk.rows; row++) page.push(columns.map((_, column) => chunk.value(column, row)));
        },
      );
      return page;
    },
  };
}

const unchanged = 'Data is never changed by a query: `holdout add`, `transform` and `remove` make new versions.';

function thereAre(views: readonly UserView[]): LackingTable {
  const names = views.map((view) => view.name).join(', ');
  return () => `There are: ${names === '' ? 'none' : names}.`;
}

/** A name that no view has. */
function resultName(views: readonly UserView[]): string {
  const taken = new Set(views.map((view) => view.name.toLowerCase()));
  let name = 'holdout_result';
  while (taken.has(name)) name += '_';
  return name;
}

/**
 * Checks that a text is one SELECT that names nothing but the views and its own subqueries.
 * @throws HoldoutError `USAGE` with what is wrong.
 */
export async function checkUserQuery(
  engine: Engine,
  sql: string,
  views: readonly UserView[],
  whereIs: LackingTable,
): Promise<void> {
  if (sql.includes('\0')) throw new HoldoutError('USAGE', 'the query holds a NUL character');
  const parsed = JSON.parse(await serialisedQuery(engine, sql)) as ParsedQuery;
  if (parsed.position !== undefined) {
    throw new HoldoutError('USAGE', syntaxError(sql, parsed.error_message ?? '', Number(parsed.position)));
  }
  if (parsed.statements?.length === 0) throw new HoldoutError('USAGE', 'the query is empty', { hint: unchanged });
  if ((await engine.statementCount(sql).catch(refuse)) !== 1) {
    throw new HoldoutError('USAGE', 'only one SELECT can be run at a time', {
      hint: unchanged,
    });
  }
  if (parsed.error) {
    const says = parsed.error_message ?? '';
    // What the engine says of other statements speaks of how this was found out.
    const hint = /SELECT/.test(says) || says === '' ? unchanged : says;
    throw new HoldoutError('USAGE', 'only a SELECT can be run', { hint });
  }
  const used = collectNames(parsed.statements);
  const known = new Set([...views.map((view) => view.name.toLowerCase()), ...used.commonTables]);
  if (used.parameter) throw new HoldoutError('USAGE', 'a parameter ($1, ?) has no value here');
  for (const name of used.functions) {
    if (!tableFunctions.has(name)) {
      throw new HoldoutError('USAGE', `the function ${name} cannot stand in a FROM here`, {
        hint: `These can: ${[...tableFunctions].join(', ')}.`,
      });
    }
  }
  for (const name of used.tables) {
    if (!known.has(name.toLowerCase())) {
      throw new HoldoutError('USAGE', `there is no table "${name}"`, { hint: whereIs(name) });
    }
  }
}

interface ParsedQuery {
  readonly error: boolean;
  readonly error_message?: string;
  /** Of a syntax error: how many characters stand before it. */
  readonly position?: string;
  readonly statements?: readonly unknown[];
}

interface UsedNames {
  readonly tables: Set<string>;
  readonly functions: Set<string>;
  readonly commonTables: Set<string>;
  parameter: boolean;
}

/** Walks the parsed query; a name of another schema or catalog counts with it, so that it is no view's name. */
function collectNames(parsed: unknown): UsedNames {
  const used: UsedNames = { tables: new Set(), functions: new Set(), commonTables: new Set(), parameter: false };
  const open: unknown[] = [parsed];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    const fields = node as Record<string, unknown>;
    used.parameter ||= fields['class'] === 'PARAMETER';
    if (fields['type'] === 'BASE_TABLE') {
      const parts = [fields['catalog_name'], fields['schema_name'], fields['table_name']];
      used.tables.add(parts.filter((part) => typeof part === 'string' && part !== '').join('.'));
    }
    if (fields['type'] === 'TABLE_FUNCTION') {
      const call = fields['function'] as Record<string, unknown> | undefined;
      used.functions.add(String(call?.['function_name']).toLowerCase());
    }
    const commonTables = (fields['cte_map'] as { map?: { key?: unknown }[] } | undefined)?.map ?? [];
    for (const entry of commonTables) used.commonTables.add(String(entry.key).toLowerCase());
    open.push(...Object.values(fields));
  }
  return used;
}

function refuse(cause: unknown): never {
  if (cause instanceof HoldoutError && cause.code === 'INPUT_INVALID') {
    throw new HoldoutError('USAGE', cause.message, {
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
      cause,
    });
  }
  throw cause;
}
