/**
 * Runs a person's SELECT over the input of a step and other tables, in an engine of its own with one thread: sums of
 * floats then add up in one order, that of the tables. The rows come in the query's order, ties broken; without one,
 * rows made of one row each stay in the order of the input, and all others are ordered by their digests.
 * @module
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessRefused } from '../engine/group-query.ts';
import { takenQuery, whyNoRow } from '../engine/why-no-row.ts';
import type { TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier } from '../identity/sql-text.ts';
import { jsonRowSql } from '../tables/json-text-sql.ts';
import { readTable } from '../tables/read/read-table.ts';
import { copyRelation, relationSchema } from '../tables/read/typed-body.ts';
import { areRowsLong } from '../tables/part-file.ts';
import { findGroups } from './group-origins.ts';
import { unchangedColumns } from './new-rows.ts';
import {
  type NamedQuery,
  type PlannedResult,
  type Result,
  dropResult,
  freePrefix,
  inputName,
  makeResult,
  planResult,
  refused,
  resultName,
  selectSql,
  tablesOf,
} from './query-result.ts';
import { defineNumbered, defineNumberedBeside, defineTable } from './query-tables.ts';
import { type RowGroups, groupAt } from './row-groups.ts';
import { checkSameLines, sampleRows } from './sample-check.ts';
import { runInStretches } from './sql-stretches.ts';
import { compareDigests } from './seeded-hash.ts';
import type { SelectedRows, StepOutput } from './step-output.ts';
import { withinTime } from './time-limit.ts';
import { type TracedRows, originsByDigest, runTraced } from './traced-rows.ts';
import type { OwnEngine, StepContext } from './transform.ts';

/** A query and how long it may take. */
export interface SqlStep extends NamedQuery {
  readonly timeoutMs: number;
}

/**
 * Runs it.
 * @throws HoldoutError USAGE for a query that is refused or fails; LIMIT when its time is up; NOT_DETERMINISTIC; as the
 *   engine does
 */
export async function runSqlStep(context: StepContext, step: SqlStep): Promise<StepOutput> {
  const made = await inTime(context, step, (timed) => makeRows(timed, step));
  if (made.kind === 'rows') return made;
  const known = made.positions !== null || made.groups !== null || context.withoutOrigins === true;
  const traced = known ? null : await traceRows(context, step, made);
  await made.own.engine.close();
  return outputOf(context, made, traced);
}

/** Interrupts the engines that `work` opens when the step's time is up. */
function inTime<T>(context: StepContext, { timeoutMs }: SqlStep, work: (timed: StepContext) => Promise<T>): Promise<T> {
  const late = (): HoldoutError =>
    new HoldoutError('LIMIT', `the query took longer than ${timeoutMs / 1000} s`, {
      hint: 'Give it longer with `timeout_s`.',
    });
  return withinTime(timeoutMs, late, (tell) =>
    work({
      ...context,
      ownEngine: async (threads) => {
        const own = await context.ownEngine(threads);
        tell(own.engine);
        return own;
      },
    }),
  );
}

/**
 * Why the query makes no row of these rows of the input: for each a sentence.
 * @throws HoldoutError as the engine does
 */
export async function whyNotTaken(
  context: Pick<StepContext, 'engine' | 'ownEngine'>,
  { query, deterministic }: Pick<SqlStep, 'query' | 'deterministic'>,
  rows: readonly number[],
): Promise<readonly string[]> {
  const taken = deterministic ? await rowsTaken(context, query, rows) : null;
  const says = (known: boolean | null): Promise<string> => whyNoRow(context.engine, query, inputName, known);
  const [yes, no, unknown] = [await says(true), await says(false), await says(null)];
  return rows.map((row) => (taken === null ? unknown : taken.has(row) ? yes : no));
}

/**
 * Which of these rows of the input the WHERE of a deterministic query takes; null where nobody can say: it has none, is
 * over more than the input, or names what it selects by an alias.
 * @throws HoldoutError as the engine does
 */
async function rowsTaken(
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
    await defineNumbered(own.engine, { name: inputName, reader: own.input }, hidden, null);
    const asked = `SELECT row FROM (${sql}) AS taken(row) WHERE row IN (${rows.join(', ')})`;
    const taken = await own.engine.rows<{ row: bigint | number }>(asked).catch(unlessRefused);
    return taken === null ? null : new Set(taken.map(({ row }) => Number(row)));
  } finally {
    await own.engine.close();
  }
}

/** What the query gave, its rows written to a file. */
interface MadeRows extends Result {
  readonly kind: 'table';
  readonly own: OwnEngine;
  readonly path: string;
  readonly schema: TableSchema;
  readonly rows: number;
  /** Of each row the row of the input that it was made of, where it was made of one. */
  readonly positions: Uint32Array | null;
  readonly groups: RowGroups | null;
}

async function makeRows(context: StepContext, step: SqlStep): Promise<MadeRows | SelectedRows> {
  const { input, scratch } = context;
  const own = await context.ownEngine(1);
  const { engine } = own;
  const planned = await planResult(own, step);
  if (step.deterministic && input.rows > 0) await checkSample(context, own, planned);
  if (planned.plan.inStretches && areRowsLong(input.rowBytes)) return makeRowsInStretches(context, own, planned);
  const result = await makeResult(own, planned, null);
  const { plan, hidden, columns } = result;
  const from = selectSql(columns);
  const positions = plan.order === 'position' ? await hiddenValues(own, hidden) : null;
  if (plan.wholeRows && positions !== null) {
    await engine.close();
    return { kind: 'rows', keep: positions, counts: { dropped: input.rows - positions.length } };
  }
  const schema = await relationSchema(engine, from, 'the query');
  const rows = Number(await engine.value<bigint>(`SELECT count(*) FROM ${resultName}`));
  const groups = context.withoutOrigins === true ? null : await groupsOf(own, result, rows);
  const path = join(scratch, 'sql.parquet');
  await copyRelation(engine, { from, seen: schema, schema, target: path, file: 'the query' });
  await engine.run(`DROP TABLE ${resultName}`);
  return { ...result, kind: 'table', own, path, schema, rows, positions, groups };
}

/** Rows that are too long to be made at once, a stretch of the input after the other. */
async function makeRowsInStretches(
  context: StepContext,
  own: OwnEngine,
  planned: PlannedResult,
): Promise<MadeRows | SelectedRows> {
  const made = await runInStretches(
    { ...planned, engine: own.engine, input: own.input, scratch: context.scratch },
    inputName,
  ).catch(refused);
  const { positions, path, schema } = made;
  if (path !== null && schema !== null) {
    const rows = positions.length;
    return { ...planned, copies: [], kind: 'table', own, path, schema, rows, positions, groups: null };
  }
  await own.engine.close();
  return { kind: 'rows', keep: positions, counts: { dropped: context.input.rows - positions.length } };
}

async function outputOf(
  context: StepContext,
  { plan, path, positions, groups }: MadeRows,
  traced: TracedRows | string | null,
): Promise<StepOutput> {
  const { input, scratch, threads, signal } = context;
  const table = await readTable([path], { workDirectory: scratch, threads, signal, format: 'parquet' });
  const { schema } = table;
  const first = context.others.reduce((sum, { reader }) => sum + reader.rows, input.rows);
  const rows = Uint32Array.from({ length: table.rows }, (_, row) => first + row);
  const digests = positions === null ? await readFile(table.digestsPath) : null;
  const found = traced === null || typeof traced === 'string' ? traced : originsByDigest(traced, digests!);
  const madeOf = positions ?? groups ?? (typeof found === 'string' ? null : found);
  if (plan.order === 'none') {
    const before = (row: number): number => (madeOf === null ? row : (firstOf(madeOf, row) ?? row));
    rows.sort((a, b) => compareDigests(digests!, a - first, b - first) || before(a - first) - before(b - first));
  }
  if (table.rows === 0) return { kind: 'table', schema, rows, added: null, madeOf: null, counts: {} };
  if (positions === null) {
    const why = typeof found === 'string' ? { whyUnknown: found } : {};
    return { kind: 'table', schema, rows, added: table, madeOf, counts: {}, ...why };
  }
  const unchanged = unchangedColumns(input.schema, schema, plan.passed);
  const counts = { dropped: input.rows - positions.length };
  return { kind: 'table', schema, rows, added: table, madeOf: positions, unchanged, counts };
}

function firstOf(madeOf: Uint32Array | RowGroups, row: number): number | undefined {
  return madeOf instanceof Uint32Array ? madeOf[row] : groupAt(madeOf, row)[0];
}

/** Where each row is made of a group of the input's: of which. */
async function groupsOf(own: OwnEngine, { plan, hidden, keys }: Result, rows: number): Promise<RowGroups | null> {
  if (plan.groups === null) return null;
  // A table that was copied for its order.
  await own.engine.run(`DROP VIEW IF EXISTS ${inputName}`).catch(() => own.engine.run(`DROP TABLE ${inputName}`));
  await defineNumbered(own.engine, { name: inputName, reader: own.input }, hidden, null);
  return findGroups(own.engine, plan.groups, { table: resultName, rows, keys }, own.input.rows);
}

/**
 * Runs the query again with the numbers of the tables' rows beside their columns. It has as long as the query had, so
 * that no query fails for being traced.
 */
async function traceRows(
  context: StepContext,
  step: SqlStep,
  { own, plan, columns, tables: names, copies, schema, rows }: MadeRows,
): Promise<TracedRows | string> {
  const { trace } = plan;
  if (typeof trace === 'string') return trace;
  const work = async (timed: StepContext): Promise<TracedRows | string> => {
    const { engine } = await timed.ownEngine(1);
    const tables = tablesOf(own, names);
    // Looking for groups has put another in the place of the input.
    if (plan.groups !== null) await defineTable(engine, tables[0]!, null);
    let first = 0;
    for (const [at, table] of tables.entries()) {
      await defineNumberedBeside(engine, table, trace.views[at]!, { first, isCopy: copies[at]! });
      first += table.reader.rows;
    }
    return runTraced({ engine, columns, schema, rows, scratch: context.scratch }, trace);
  };
  return inTime({ ...context, ownEngine: () => Promise.resolve(own) }, step, work).catch((cause: unknown) => {
    if (!(cause instanceof HoldoutError) || cause.code !== 'LIMIT') throw cause;
    return 'to follow its rows takes longer than the query may take';
  });
}

async function hiddenValues({ engine }: OwnEngine, hidden: string): Promise<Uint32Array> {
  const rows = Number(await engine.value<bigint>(`SELECT count(*) FROM ${resultName}`));
  const values = new Uint32Array(rows);
  let next = 0;
  await engine.scan(`SELECT ${quoteIdentifier(hidden)} FROM ${resultName}`, (chunk) => {
    for (let row = 0; row < chunk.rows; row++) values[next++] = Number(chunk.value(0, row));
  });
  return values;
}

/** The first rows of every table, with one thread and with several. */
async function checkSample(context: StepContext, own: OwnEngine, planned: PlannedResult): Promise<void> {
  const first = await sampleLines(own, planned);
  const other = await context.ownEngine(4);
  const second = await sampleLines(other, planned).finally(() => other.engine.close());
  checkSameLines(first, second, 'four threads in place of one');
}

async function sampleLines(own: OwnEngine, planned: PlannedResult): Promise<string[]> {
  const result = await makeResult(own, planned, sampleRowsOf(own));
  const from = selectSql(result.columns);
  const schema = await relationSchema(own.engine, from, 'the query');
  const rows = await own.engine.rows<{ line: string }>(`SELECT ${jsonRowSql(schema)} AS line FROM ${from}`);
  await dropResult(own, result);
  const lines = rows.map(({ line }) => line);
  return result.plan.order === 'none' ? lines.toSorted() : lines;
}

/** Of long rows fewer: the engine sorts them with four threads. */
const sampleBytesMax = 16 << 20;

function sampleRowsOf({ input, others }: OwnEngine): number {
  const rowBytes = Math.max(...[input, ...others].map((reader) => reader.rowBytes));
  return Math.max(1, Math.min(sampleRows, Math.floor(sampleBytesMax / Math.max(1, rowBytes))));
}
