/**
 * A SELECT of a person's as a step: checked to give the same rows whenever it is run, and made to give them in a total
 * order; where each row of it is made of one row of the input, with that row's number.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { type GroupQuery, planGroups, unlessRefused } from './group-query.ts';
import { type TreeNode, nodesOf, parseQuery, queryText } from './query-tree.ts';
import { takesWholeTable } from './select-scope.ts';
import { type TracedQuery, planTrace } from './traced-query.ts';
import { addColumns, columnNode, hideFromStars, isStar, lacks, readsOnly, topNode } from './select-node.ts';
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
  /** Names of all tables, the input's first. */
  readonly tables: readonly string[];
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
  /** Whether rows stay in the order of the input and none hangs on another, so that it may be run over a few rows at a time. */
  readonly inStretches: boolean;
  /** Whether the rows are those of the input as they are, only fewer or in another order. */
  readonly wholeRows: boolean;
  /** Columns that are columns of the input as they stand, where each row is made of one: their name → the input's. */
  readonly passed: ReadonlyMap<string, string>;
  /** Where each row is made of a group of rows of the input: how they are told. */
  readonly groups: GroupQuery | null;
  /** Where rows are not told by `hidden`: another way to find of which rows each was made, or why there is none. */
  readonly trace: TracedQuery | string;
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
  if (isRowWise(node, known, run.input) && !takesWholeTable(tree, run.columns)) {
    const list = node['select_list'] as TreeNode[];
    const wholeRows = list.length === 1 && isPlainStar(list[0]!);
    const passed = passedColumns(list, run);
    const inStretches = (node['modifiers'] as TreeNode[]).length === 0;
    hideFromStars(list, run.hidden);
    list.push(columnNode(run.hidden));
    addOrders(node, orders, [orderNode(columnNode(run.hidden))]);
    const trace = 'its rows are told already';
    const sql = await queryText(engine, tree);
    return { sql, order: 'position', inStretches, wholeRows, passed, groups: null, trace };
  }
  const order = orders === null ? 'none' : 'query';
  const groups = run.pure ? await planGroups(engine, tree, known, run) : null;
  // `ORDER BY ALL` is total already.
  const total = orders === null || orders.some((each) => (each['expression'] as TreeNode)['class'] === 'STAR');
  const orderBy = (from: number, count: number): void => {
    if (!total) addOrders(node, orders, numbersFrom(from, count));
  };
  orderBy(1, run.made.length);
  const sql = total ? run.sql : await queryText(engine, tree);
  const trace = run.pure ? await planTrace(engine, tree, known, run) : 'it is declared not deterministic';
  const plan = { order, inStretches: false, wholeRows: false, passed: none, trace } as const;
  if (groups === null || groups.added.length === 0) return { ...plan, sql, groups };
  addColumns(node, groups.added);
  // Of equal rows, too, each is always made of the same.
  orderBy(run.made.length + 1, groups.added.length);
  const withKeys = await queryText(engine, tree).catch(unlessRefused);
  return withKeys === null ? { ...plan, sql, groups: null } : { ...plan, sql: withKeys, groups };
}

/** `ORDER BY 3, 4, …`. */
function numbersFrom(first: number, count: number): TreeNode[] {
  return Array.from({ length: count }, (_, index) => orderNode(numberNode(first + index)));
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
  const plain =
    readsOnly(node, input) &&
    node['aggregate_handling'] === 'STANDARD_HANDLING' &&
    lacks(node, 'group_expressions', 'group_sets', 'having') &&
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
