/**
 * A person's SELECT as it is run over the tables of a step: planned once, then run into a table of an engine, over the
 * first rows or all.
 * @module
 */
import { type StepQuery, planStepQuery } from '../engine/step-query.ts';
import { checkUserQuery } from '../engine/user-query.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { nearestName } from '../nearest-name.ts';
import { checkNames } from '../tables/types/column-names.ts';
import { type QueryTable, defineNumbered, defineTable, defineView } from './query-tables.ts';
import type { OwnEngine } from './transform.ts';

/** A query as a step names it. */
export interface NamedQuery {
  readonly query: string;
  /** Names of the other tables, in the order of `StepContext.others`. */
  readonly names: readonly string[];
  readonly deterministic: boolean;
}

/** What the query calls the step's input. */
export const inputName = 'input';

/** The table of the engine in which a result stands. */
export const resultName = 'holdout_result';

/** A query that is allowed, and how it is run: the same in every engine and for every number of rows. */
export interface PlannedResult {
  readonly plan: StepQuery;
  readonly hidden: string;
  /** The result's columns, in order, with types as DuckDB writes them. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Columns that its table has behind them for the keys of groups. */
  readonly added: readonly string[];
  /** Columns of its table that hold the keys of groups. */
  readonly keys: readonly string[];
  /** Names of the query's tables, the input's first. */
  readonly tables: readonly string[];
}

/** A result that stands in its engine. */
export interface Result extends PlannedResult {
  /** Of each table whether it was copied for its order. */
  readonly copies: readonly boolean[];
}

/** The tables of an engine under the names that the query calls them by. */
export function tablesOf(own: OwnEngine, names: readonly string[]): readonly QueryTable[] {
  return [own.input, ...own.others].map((reader, index) => ({ name: names[index]!, reader }));
}

/**
 * Checks the query and plans how it is run.
 * @throws HoldoutError USAGE for a query that is refused; as the engine does
 */
export async function planResult(own: OwnEngine, step: NamedQuery): Promise<PlannedResult> {
  const { engine } = own;
  const tables = tablesOf(own, [inputName, ...step.names]);
  const columns = tables.flatMap(({ reader }) => reader.schema.columns.map(({ name }) => name));
  const views = tables.map(({ name }) => ({ name, sql: '' }));
  await checkUserQuery(engine, step.query, views, (name) => whereIs(name, step.names));
  // Enough to plan by; a table that is copied for its order is not copied for a query that has no need of it.
  for (const { name, reader } of tables) await defineView(engine, name, reader.relationSql());
  const made = await engine.describe(step.query).catch(refused);
  const names = made.map(({ name }) => name);
  const problem = checkNames(names);
  if (problem !== null) {
    throw new HoldoutError('USAGE', `${problem} among the columns of the query`, { hint: 'Name columns with AS.' });
  }
  const words = step.query.match(/\w+/g) ?? [];
  const hidden = freePrefix([...columns, ...names, ...words], 'holdout_row');
  const inputColumns = own.input.schema.columns.map(({ name }) => name);
  const asked = {
    sql: step.query,
    input: inputName,
    tables: tables.map(({ name }) => name),
    columns,
    inputColumns,
    made: names,
    hidden,
    pure: step.deterministic,
  };
  const plan = await planStepQuery(engine, asked);
  const added = (plan.groups?.added ?? []).map((_, index) => `${hidden}_key_${index}`);
  const keys = added.length > 0 ? added : (plan.groups?.own ?? []).map((place) => names[place]!);
  return { plan, hidden, columns: made, added, keys, tables: asked.tables };
}

/**
 * Runs the query into a table of the engine. `rowsMax` takes only so many rows of each table.
 * @throws HoldoutError USAGE where it fails; as the engine does
 */
export async function makeResult(own: OwnEngine, planned: PlannedResult, rowsMax: number | null): Promise<Result> {
  const { engine } = own;
  const { plan, hidden, columns, added } = planned;
  const tables = tablesOf(own, planned.tables);
  const withRow = plan.order === 'position';
  const copies: boolean[] = [];
  if (withRow) await defineNumbered(engine, tables[0]!, hidden, rowsMax);
  else for (const table of tables) copies.push(await defineTable(engine, table, rowsMax));
  const names = [...columns.map(({ name }) => name), ...(withRow ? [hidden] : []), ...added];
  const listed = names.map(quoteIdentifier).join(', ');
  await engine.run(`CREATE TEMP TABLE ${resultName}(${listed}) AS ${plan.sql}`).catch(refused);
  return { ...planned, copies };
}

/** Makes room for another run of the query in the same engine. */
export async function dropResult({ engine }: OwnEngine, { tables, copies }: Result): Promise<void> {
  await engine.run(`DROP TABLE ${resultName}`);
  for (const [at, name] of tables.entries()) {
    if (copies[at] === true) await engine.run(`DROP TABLE ${quoteIdentifier(name)}`);
  }
}

/**
 * The rows in their order, without what is hidden. The engine gives the rows of a table as they went in, and to ask for it by
 * row number would sort them: twice the time, and 1.4 GB in place of 0.8 for a million rows.
 */
export function selectSql(columns: Result['columns']): string {
  return `(SELECT ${columns.map(({ name }) => quoteIdentifier(name)).join(', ')} FROM ${resultName})`;
}

/** What a query that names a table that it does not have most likely means. */
function whereIs(name: string, others: readonly string[]): string {
  const near = nearestName(name, [inputName, ...others]);
  if (near !== null) return `did you mean ${near}? Datasets beside "${inputName}" are named by the parameter with`;
  return `the rows that come in are "${inputName}"; another dataset is named by the parameter with: {query: …, with: {${name}: DATASET}}`;
}

/** A name with which no other begins. */
export function freePrefix(names: readonly string[], wish: string): string {
  let name = wish;
  while (names.some((other) => other.toLowerCase().startsWith(name))) name += '_';
  return name;
}

/** Throws what the engine says of a query that fails, as the mistake of whoever wrote it. */
export function refused(cause: unknown): never {
  if (!(cause instanceof HoldoutError) || cause.code !== 'INPUT_INVALID') throw cause;
  throw new HoldoutError('USAGE', cause.message, { ...(cause.hint === undefined ? {} : { hint: cause.hint }), cause });
}
