/**
 * A SELECT of a person's as a step: checked to give the same rows whenever it is run, and made to give them in a total
 * order; where each row of it is made of one row of the input, with that row's number.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { type TreeNode, nodesOf, parseQuery, queryText } from './query-tree.ts';
import {
  type KnownFunction,
  functionName,
  impureFunctions,
  impureWords,
  knownFunctions,
  pureMacros,
} from './scalar-expression.ts';

/** What the query is over. */
export interface StepQueryRun {
  readonly sql: string;
  /** The table that the step works on. */
  readonly input: string;
  /** Columns of every table. */
  readonly columns: readonly string[];
  /** Columns of the input. */
  readonly inputColumns: readonly string[];
  /** Names of the query's columns, as `Engine.describe` gives them. */
  readonly made: readonly string[];
  /** A column name that no table and no output has. */
  readonly hidden: string;
  /** Whether nothing of chance and time may stand in it. */
  readonly pure: boolean;
}

/** A query that is ready to run. */
export interface StepQuery {
  readonly sql: string;
  /** `position`: the last column, `hidden`, is the row of the input. `query`: a total order of its own. */
  readonly order: 'position' | 'query' | 'none';
  /** Whether the rows are those of the input as they are, only fewer or in another order. */
  readonly wholeRows: boolean;
  /** Columns that are columns of the input as they stand, where each row is made of one: their name → the input's. */
  readonly passed: ReadonlyMap<string, string>;
}

const none: ReadonlyMap<string, string> = new Map();

/** Their answer hangs on how rows were cut into pieces, or on chance. */
const impureAggregates = /^(?:approx_\w+|reservoir_quantile)$/;
const notInDuckdbFunctions = new Set(['unnest']);
const windows = 'WINDOW';

/**
 * Plans a query that `checkUserQuery` has allowed.
 * @throws HoldoutError USAGE for what may give other rows the next time, with what to do
 */
export async function planStepQuery(engine: Engine, run: StepQueryRun): Promise<StepQuery> {
  const tree = await parseQuery(engine, run.sql);
  const known = await knownFunctions(engine);
  if (run.pure) checkPure(tree, known, run.columns);
  const node = topNode(tree);
  const orders = ordersOf(node);
  if (isRowWise(node, known, run.input)) {
    const list = node['select_list'] as TreeNode[];
    const wholeRows = list.length === 1 && isPlainStar(list[0]!);
    const passed = passedColumns(list, run);
    for (const item of list)
      if (item['class'] === 'STAR') item['exclude_list'] = [...(item['exclude_list'] as unknown[]), run.hidden];
    list.push(columnNode(run.hidden));
    addOrders(node, orders, [orderNode(columnNode(run.hidden))]);
    return { sql: await queryText(engine, tree), order: 'position', wholeRows, passed };
  }
  if (orders === null) return { sql: run.sql, order: 'none', wholeRows: false, passed: none };
  // `ORDER BY ALL` is total already.
  if (orders.some((order) => (order['expression'] as TreeNode)['class'] === 'STAR')) {
    return { sql: run.sql, order: 'query', wholeRows: false, passed: none };
  }
  addOrders(
    node,
    orders,
    run.made.map((_, index) => orderNode(numberNode(index + 1))),
  );
  return { sql: await queryText(engine, tree), order: 'query', wholeRows: false, passed: none };
}

/** Why a row of the input has no part in the rows of a query, as far as its clauses tell. */
export async function whyNoRow(engine: Engine, sql: string): Promise<string> {
  const node = topNode(await parseQuery(engine, sql));
  const where =
    node['where_clause'] === null || node['where_clause'] === undefined ? [] : ['its WHERE is not true for it'];
  const having =
    node['having'] === null || node['having'] === undefined ? [] : ['its HAVING is not true for its group'];
  const modifiers = node['modifiers'] as TreeNode[];
  const limit = modifiers.some(({ type }) => String(type).startsWith('LIMIT'))
    ? ['its LIMIT or OFFSET leaves it out']
    : [];
  const clauses = [...where, ...having, ...limit];
  return `the SELECT makes no row of it${clauses.length === 0 ? '' : `: ${clauses.join(', or ')}`}`;
}

function checkPure(tree: TreeNode, known: readonly KnownFunction[], columns: readonly string[]): void {
  const names = new Set(columns.map((name) => name.toLowerCase()));
  for (const node of nodesOf(tree)) {
    const kind = node['class'];
    if (kind === 'FUNCTION' || kind === windows) checkFunction(functionName(node), known);
    if (kind === 'PARAMETER') throw impure('a parameter has no value in a step');
    if (kind === 'COLUMN_REF') {
      const [name, ...more] = node['column_names'] as string[];
      const word = (name ?? '').toLowerCase();
      if (more.length === 0 && impureWords.has(word) && !names.has(word))
        throw impure(`${word} is another the next time`);
    }
    const { sample } = node;
    if (typeof sample === 'object' && sample !== null) {
      throw impure('a sample of SQL is another the next time', 'The step `sample` draws one that can be repeated.');
    }
    const modifiers = Array.isArray(node['modifiers']) ? (node['modifiers'] as TreeNode[]) : [];
    const has = (wanted: string): boolean => modifiers.some(({ type }) => String(type).startsWith(wanted));
    if (has('LIMIT') && !has('ORDER')) {
      throw impure(
        'LIMIT without ORDER BY takes any rows',
        'Say which rows with ORDER BY; ties are broken by the columns.',
      );
    }
  }
}

function checkFunction(name: string, known: readonly KnownFunction[]): void {
  if (notInDuckdbFunctions.has(name)) return;
  const found = known.filter((each) => each.name === name);
  const pure = found.every(({ kind, stability }) =>
    kind === 'macro' ? pureMacros.test(name) : stability === 'CONSISTENT',
  );
  if (found.length > 0 && pure && !impureFunctions.has(name) && !impureAggregates.test(name)) return;
  if (found.length === 0) throw new HoldoutError('USAGE', `there is no function "${name}"`);
  throw impure(`the function ${name} may give another answer the next time`);
}

function impure(says: string, hint?: string): HoldoutError {
  return new HoldoutError('USAGE', says, {
    hint:
      hint ??
      'A step gives the same rows whenever it is run; declared `deterministic: false` it is run once, its output kept.',
  });
}

function topNode(tree: TreeNode): TreeNode {
  const node = (tree['statements'] as { node?: TreeNode }[] | undefined)?.[0]?.node;
  if (node === undefined) throw new HoldoutError('USAGE', 'only a SELECT can be run');
  return node;
}

/** The keys of the query's own ORDER BY; null where it has none. */
function ordersOf(node: TreeNode): TreeNode[] | null {
  const modifier = (node['modifiers'] as TreeNode[]).find(({ type }) => type === 'ORDER_MODIFIER');
  return modifier === undefined ? null : (modifier['orders'] as TreeNode[]);
}

function addOrders(node: TreeNode, orders: TreeNode[] | null, more: readonly TreeNode[]): void {
  if (orders === null) (node['modifiers'] as TreeNode[]).unshift({ type: 'ORDER_MODIFIER', orders: [...more] });
  else orders.push(...more);
}

/** Whether each row comes of one row of the input: no join, aggregate, window, subquery, DISTINCT or UNNEST. */
function isRowWise(node: TreeNode, known: readonly KnownFunction[], input: string): boolean {
  const from = node['from_table'] as TreeNode | undefined;
  const empty = (...members: readonly string[]): boolean => {
    return members.every((member) => {
      const value = node[member];
      return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
    });
  };
  const plain =
    node['type'] === 'SELECT_NODE' &&
    from?.['type'] === 'BASE_TABLE' &&
    String(from['table_name']).toLowerCase() === input &&
    [from['schema_name'], from['catalog_name']].every((name) => name === '') &&
    (from['column_name_alias'] as unknown[]).length === 0 &&
    ((node['cte_map'] as { map?: unknown[] }).map ?? []).length === 0 &&
    node['aggregate_handling'] === 'STANDARD_HANDLING' &&
    empty('group_expressions', 'group_sets', 'having', 'qualify', 'sample') &&
    (node['modifiers'] as TreeNode[]).every(({ type }) => /^(?:ORDER|LIMIT)/.test(String(type)));
  if (!plain) return false;
  const aggregates = new Set(known.flatMap(({ name, kind }) => (kind === 'aggregate' ? [name] : [])));
  for (const each of nodesOf(node)) {
    const kind = each['class'];
    if (kind === windows || kind === 'SUBQUERY' || (kind === 'STAR' && each['columns'] === true)) return false;
    if (kind !== 'FUNCTION') continue;
    const name = functionName(each);
    if (aggregates.has(name) || notInDuckdbFunctions.has(name)) return false;
  }
  return true;
}

function isPlainStar(item: TreeNode): boolean {
  if (item['class'] !== 'STAR' || item['columns'] === true) return false;
  return ['exclude_list', 'replace_list', 'qualified_exclude_list', 'rename_list'].every((member) => {
    const list = item[member];
    return !Array.isArray(list) || list.length === 0;
  });
}

/** Plain references and what a star stands for; of more than one star nobody knows where it ends. */
function passedColumns(list: readonly TreeNode[], { made, inputColumns }: StepQueryRun): ReadonlyMap<string, string> {
  if (list.filter(isStar).length > 1) return none;
  const sources = new Map(inputColumns.map((name) => [name.toLowerCase(), name]));
  const passed = new Map<string, string>();
  let next = 0;
  for (const item of list) {
    const names = made.slice(next, (next += isStar(item) ? made.length - list.length + 1 : 1));
    for (const name of names) {
      const source = isStar(item) ? starSource(item, name) : referenceSource(item);
      const found = source === null ? undefined : sources.get(source.toLowerCase());
      if (found !== undefined) passed.set(name, found);
    }
  }
  return passed;
}

function isStar(item: TreeNode): boolean {
  return item['class'] === 'STAR';
}

/** The column that a star gives under this name; null where it may be another one. */
function starSource(item: TreeNode, name: string): string | null {
  const replaced = (item['replace_list'] as { key?: unknown }[] | undefined) ?? [];
  const renamed = (item['rename_list'] as unknown[] | undefined) ?? [];
  if (renamed.length > 0 || replaced.some(({ key }) => typeof key !== 'string')) return null;
  return replaced.some(({ key }) => String(key).toLowerCase() === name.toLowerCase()) ? null : name;
}

/** `text`, not `meta.text`, which may be a member. */
function referenceSource(item: TreeNode): string | null {
  const names = item['class'] === 'COLUMN_REF' ? (item['column_names'] as string[]) : [];
  return names.length === 1 ? names[0]! : null;
}

function columnNode(name: string): TreeNode {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: '', query_location: 0, column_names: [name] };
}

function numberNode(value: number): TreeNode {
  const type = { id: 'INTEGER', type_info: null };
  return {
    class: 'CONSTANT',
    type: 'VALUE_CONSTANT',
    alias: '',
    query_location: 0,
    value: { type, is_null: false, value },
  };
}

function orderNode(expression: TreeNode): TreeNode {
  return { type: 'ORDER_DEFAULT', null_order: 'ORDER_DEFAULT', expression };
}
