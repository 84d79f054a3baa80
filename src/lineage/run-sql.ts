/**
 * Runs a person's SELECT over the input of a step and other tables, in an engine of its own with one thread: sums of
 * floats then add up in one order, that of the tables. The rows come in the query's order, ties broken; without one,
 * rows made of one row each stay in the order of the input, and all others are ordered by their digests.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessRefused } from '../engine/group-query.ts';
import { type StepQuery, planStepQuery, takenQuery } from '../engine/step-query.ts';
import { checkUserQuery } from '../engine/user-query.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { nearestName } from '../nearest-name.ts';
import { jsonRowSql } from '../tables/json-text-sql.ts';
import { readTable } from '../tables/read/read-table.ts';
import { copyRelation, relationSchema } from '../tables/read/typed-body.ts';
import { freeName } from '../tables/sql-types.ts';
import type { TableReader } from '../tables/table-reader.ts';
import { checkNames } from '../tables/types/column-names.ts';
import { findGroups } from './group-origins.ts';
import { unchangedColumns } from './new-rows.ts';
import { type RowGroups, groupAt } from './row-groups.ts';
import { checkSameLines, sampleRows } from './sample-check.ts';
import { compareDigests } from './seeded-hash.ts';
import type { StepOutput } from './step-output.ts';
import { withinTime } from './time-limit.ts';
import type { OwnEngine, StepContext } from './transform.ts';

/** A query as a step names it. */
export interface SqlStep {
  readonly query: string;
  /** Names of the other tables, in the order of `StepContext.others`. */
  readonly names: readonly string[];
  readonly deterministic: boolean;
  readonly timeoutMs: number;
}

const inputName = 'input';
const resultName = 'holdout_result';

/**
 * Runs it.
 * @throws HoldoutError USAGE for a query that is refused or fails; LIMIT when its time is up; NOT_DETERMINISTIC; as the
 *   engine does
 */
export function runSqlStep(context: StepContext, step: SqlStep): Promise<StepOutput> {
  const late = (): HoldoutError =>
    new HoldoutError('LIMIT', `the query took longer than ${step.timeoutMs / 1000} s`, {
      hint: 'Give it longer with `timeout_s`.',
    });
  return withinTime(step.timeoutMs, late, (tell) =>
    runQuery(
      {
        ...context,
        ownEngine: async (threads) => {
          const own = await context.ownEngine(threads);
          tell(own.engine);
          return own;
        },
      },
      step,
    ),
  );
}

/**
 * Which of these rows of the input the WHERE of a deterministic query takes; null where nobody can say: it has none, is
 * over more than the input, or names what it selects by an alias.
 * @throws HoldoutError as the engine does
 */
export async function rowsTaken(
  context: Pick<StepContext, 'ownEngine'>,
  query: string,
  rows: readonly number[],
): Promise<ReadonlySet<number> | null> {
  const own = await context.ownEngine(1);
  try {
    const hidden = freePrefix(
      own.input.schema.columns.map(({ name }) => name),
      'holdout_row',
    );
    const sql = await takenQuery(own.engine, query, inputName, hidden);
    if (sql === null) return null;
    await defineInput(own, hidden, null);
    const asked = `SELECT row FROM (${sql}) AS taken(row) WHERE row IN (${rows.join(', ')})`;
    const taken = await own.engine.rows<{ row: bigint | number }>(asked).catch(unlessRefused);
    return taken === null ? null : new Set(taken.map(({ row }) => Number(row)));
  } finally {
    await own.engine.close();
  }
}

async function runQuery(context: StepContext, step: SqlStep): Promise<StepOutput> {
  const { input, scratch, signal } = context;
  if (step.deterministic && input.rows > 0) await checkSample(context, step);
  const own = await context.ownEngine(1);
  const { engine } = own;
  const { plan, hidden, names, keys } = await makeResult(own, step, null);
  const from = `(SELECT ${names.map(quoteIdentifier).join(', ')} FROM ${resultName} ORDER BY rowid)`;
  const positions = plan.order === 'position' ? await hiddenValues(own, hidden) : null;
  if (plan.wholeRows && positions !== null) {
    return { kind: 'rows', keep: positions, counts: { dropped: input.rows - positions.length } };
  }
  const seen = await relationSchema(engine, from, 'the query');
  const groups = await groupsOf(own, { plan, hidden, names, keys });
  const target = join(scratch, 'sql.parquet');
  await copyRelation(engine, { from, seen, schema: seen, target, file: 'the query' });
  await engine.close();
  const table = await readTable([target], {
    workDirectory: scratch,
    threads: context.threads,
    signal,
    format: 'parquet',
  });
  const { schema } = table;
  const first = context.others.reduce((sum, { reader }) => sum + reader.rows, input.rows);
  const rows = Uint32Array.from({ length: table.rows }, (_, row) => first + row);
  if (plan.order === 'none') {
    const digests = await readFile(table.digestsPath);
    const before = (row: number): number => (groups === null ? row : (groupAt(groups, row)[0] ?? row));
    rows.sort((a, b) => compareDigests(digests, a - first, b - first) || before(a - first) - before(b - first));
  }
  if (table.rows === 0) return { kind: 'table', schema, rows, added: null, madeOf: null, counts: {} };
  const counts = positions === null ? {} : { dropped: input.rows - positions.length };
  if (positions === null) return { kind: 'table', schema, rows, added: table, madeOf: groups, counts };
  const unchanged = unchangedColumns(input.schema, schema, plan.passed);
  return { kind: 'table', schema, rows, added: table, madeOf: positions, unchanged, counts };
}

interface Result {
  readonly plan: StepQuery;
  readonly hidden: string;
  /** The result's columns, in order. */
  readonly names: readonly string[];
  /** Columns of its table that hold the keys of groups. */
  readonly keys: readonly string[];
}

/** Where each row is made of a group of the input's: of which. */
async function groupsOf(own: OwnEngine, { plan, hidden, keys }: Result): Promise<RowGroups | null> {
  if (plan.groups === null) return null;
  const rows = Number(await own.engine.value<bigint>(`SELECT count(*) FROM ${resultName}`));
  // A table that was copied for its order.
  await own.engine.run(`DROP VIEW IF EXISTS ${inputName}`).catch(() => own.engine.run(`DROP TABLE ${inputName}`));
  await defineInput(own, hidden, null);
  return findGroups(own.engine, plan.groups, { table: resultName, rows, keys }, own.input.rows);
}

/** Runs the query into a table of the engine. `rowsMax` takes only so many rows of each table. */
async function makeResult(own: OwnEngine, step: SqlStep, rowsMax: number | null): Promise<Result> {
  const { engine } = own;
  const tables = [
    { name: inputName, reader: own.input },
    ...own.others.map((reader, index) => ({ name: step.names[index]!, reader })),
  ];
  const columns = tables.flatMap(({ reader }) => reader.schema.columns.map(({ name }) => name));
  const views = tables.map(({ name }) => ({ name, sql: '' }));
  await checkUserQuery(engine, step.query, views, (name) => whereIs(name, step.names));
  // Enough to plan by; a table that is copied for its order is not copied for a query that has no need of it.
  for (const { name, reader } of tables) await engine.run(viewSql(name, reader.relationSql()));
  const names = (await engine.describe(step.query).catch(refused)).map(({ name }) => name);
  const problem = checkNames(names);
  if (problem !== null) {
    throw new HoldoutError('USAGE', `${problem} among the columns of the query`, { hint: 'Name columns with AS.' });
  }
  const hidden = freePrefix([...columns, ...names], 'holdout_row');
  const inputColumns = own.input.schema.columns.map(({ name }) => name);
  const asked = {
    sql: step.query,
    input: inputName,
    columns,
    inputColumns,
    made: names,
    hidden,
    pure: step.deterministic,
  };
  const plan = await planStepQuery(engine, asked);
  const withRow = plan.order === 'position';
  if (withRow) await defineInput(own, hidden, rowsMax);
  else for (const { name, reader } of tables) await defineTable(own, name, reader, rowsMax);
  const added = (plan.groups?.added ?? []).map((_, index) => `${hidden}_key_${index}`);
  const listed = [...names, ...(withRow ? [hidden] : []), ...added].map(quoteIdentifier).join(', ');
  await engine.run(`CREATE TEMP TABLE ${resultName}(${listed}) AS ${plan.sql}`).catch(refused);
  const keys = added.length > 0 ? added : (plan.groups?.own ?? []).map((place) => names[place]!);
  return { plan, hidden, names, keys };
}

/** What a query that names a table that it does not have most likely means. */
function whereIs(name: string, others: readonly string[]): string {
  const near = nearestName(name, [inputName, ...others]);
  if (near !== null) return `did you mean ${near}? Datasets beside "${inputName}" are named by the parameter with`;
  return `the rows that come in are "${inputName}"; another dataset is named by the parameter with: {query: …, with: {${name}: DATASET}}`;
}

/** A name with which no other begins. */
function freePrefix(names: readonly string[], wish: string): string {
  let name = wish;
  while (names.some((other) => other.toLowerCase().startsWith(name))) name += '_';
  return name;
}

/** A table in its own order, so that one thread always meets its rows in that order, however they are stored. */
async function defineTable(
  { engine }: OwnEngine,
  name: string,
  reader: TableReader,
  rowsMax: number | null,
): Promise<void> {
  const ordered = reader.orderedSql({ alone: true });
  const position = freeName(reader.schema, 'holdout_position');
  const columns = reader.schema.columns.map((column) => quoteIdentifier(column.name)).join(', ') || 'NULL AS nothing';
  const sql =
    ordered ?? `SELECT ${columns} FROM (${reader.relationSql({ position })}) ORDER BY ${quoteIdentifier(position)}`;
  const limited = rowsMax === null ? sql : `SELECT * FROM (${sql}) LIMIT ${rowsMax}`;
  await engine.run(`DROP VIEW ${quoteIdentifier(name)}`);
  const isCopy = ordered === null || rowsMax !== null;
  await engine.run(isCopy ? `CREATE TEMP TABLE ${quoteIdentifier(name)} AS ${limited}` : viewSql(name, limited));
}

function viewSql(name: string, sql: string): string {
  return `CREATE OR REPLACE TEMP VIEW ${quoteIdentifier(name)} AS ${sql}`;
}

/** The input with the numbers of its rows. */
async function defineInput({ engine, input }: OwnEngine, hidden: string, rowsMax: number | null): Promise<void> {
  const limit = rowsMax === null ? '' : ` WHERE ${quoteIdentifier(hidden)} < ${rowsMax}`;
  const sql = `SELECT * FROM (${input.relationSql({ position: hidden })})${limit}`;
  await engine.run(viewSql(inputName, sql));
}

async function hiddenValues({ engine }: OwnEngine, hidden: string): Promise<Uint32Array> {
  const rows = Number(await engine.value<bigint>(`SELECT count(*) FROM ${resultName}`));
  const values = new Uint32Array(rows);
  let next = 0;
  await engine.scan(`SELECT ${quoteIdentifier(hidden)} FROM ${resultName} ORDER BY rowid`, (chunk) => {
    for (let row = 0; row < chunk.rows; row++) values[next++] = Number(chunk.value(0, row));
  });
  return values;
}

/** The first rows of every table, with one thread and with several. */
async function checkSample(context: StepContext, step: SqlStep): Promise<void> {
  const give = async (threads: number): Promise<string[]> => {
    const own = await context.ownEngine(threads);
    try {
      const { plan, names } = await makeResult(own, step, sampleRows);
      const from = `(SELECT ${names.map(quoteIdentifier).join(', ')} FROM ${resultName} ORDER BY rowid)`;
      const schema = await relationSchema(own.engine, from, 'the query');
      const lines = (await own.engine.rows<{ line: string }>(`SELECT ${jsonRowSql(schema)} AS line FROM ${from}`)).map(
        ({ line }) => line,
      );
      return plan.order === 'none' ? lines.toSorted() : lines;
    } finally {
      await own.engine.close();
    }
  };
  checkSameLines(await give(1), await give(4), 'four threads in place of one');
}

function refused(cause: unknown): never {
  if (!(cause instanceof HoldoutError) || cause.code !== 'INPUT_INVALID') throw cause;
  throw new HoldoutError('USAGE', cause.message, { ...(cause.hint === undefined ? {} : { hint: cause.hint }), cause });
}
