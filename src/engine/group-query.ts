/**
 * Of which rows of the input each row of an aggregating SELECT is made: those that its WHERE takes and whose group it is.
 * The SELECT is left as it is but for the keys of its groups, which it gives as more columns; a second SELECT gives the
 * keys of every row. An aggregate added to the first would make it spill earlier, and floats add up otherwise then.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import type { Engine } from './engine.ts';
import { type TreeNode, nodesOf, queryText } from './query-tree.ts';
import { type KnownFunction, functionName } from './scalar-expression.ts';
import { addColumns, columnNode, hideFromStars, isStar, lacks, readsOnly, topNode } from './select-node.ts';

/** How the rows of each group are told. */
export interface GroupQuery {
  /**
   * A row for each row of the input that the query takes. Its last columns are the number of the row, from `hidden`,
   * and the values of `added`; those before it are what the query selects of the keys.
   */
  readonly sql: string;
  /** Keys that the query must select behind its own columns, in this order. */
  readonly added: readonly TreeNode[];
  /** Where none are added: places among the query's own columns of the first columns of `sql`, which are the keys. */
  readonly own: readonly number[];
  /** Whether every row that it takes is in a group that it gives: without HAVING and LIMIT. */
  readonly whole: boolean;
}

/** What a SELECT is grouped by. */
type Grouping =
  /** These expressions. */
  | { readonly by: readonly TreeNode[] }
  /** These of the columns that it selects. */
  | { readonly items: readonly TreeNode[]; readonly places: readonly number[] };

/** What this is asked of: see `StepQueryRun`. */
interface GroupRun {
  readonly input: string;
  readonly made: readonly string[];
  readonly hidden: string;
}

/** Plans it; null where the rows of the query are not made of such groups, or where that is not known. */
export async function planGroups(
  engine: Engine,
  tree: TreeNode,
  known: readonly KnownFunction[],
  run: GroupRun,
): Promise<GroupQuery | null> {
  const node = topNode(tree);
  if (!readsOnly(node, run.input) || !isFlat(node)) return null;
  const aggregates = new Set(known.flatMap(({ name, kind }) => (kind === 'aggregate' ? [name] : [])));
  const aggregating = (part: unknown): boolean =>
    [...nodesOf(part)].some((each) => each['class'] === 'FUNCTION' && aggregates.has(functionName(each)));
  const grouping = groupingOf(node, aggregating, run.made.length);
  if (grouping === null || [...nodesOf(grouping)].some((each) => each['class'] === 'COLLATE')) return null;
  const keys = structuredClone(tree);
  const rows = topNode(keys);
  const added = 'by' in grouping ? grouping.by : [];
  // What is selected of the keys stays: WHERE and GROUP BY may call it by its alias.
  const items = (node['select_list'] as TreeNode[]).filter((item) => !aggregating(item));
  rows['select_list'] = structuredClone('by' in grouping ? items : grouping.items);
  hideFromStars(rows['select_list'] as TreeNode[], run.hidden);
  addColumns(rows, [columnNode(run.hidden), ...added]);
  Object.assign(rows, { modifiers: [], group_expressions: [], group_sets: [], having: null });
  rows['aggregate_handling'] = 'STANDARD_HANDLING';
  const limited = (node['modifiers'] as TreeNode[]).some(({ type }) => String(type).startsWith('LIMIT'));
  const sql = await queryText(engine, keys).catch(unlessRefused);
  if (sql === null) return null;
  const own = 'by' in grouping ? [] : grouping.places;
  return { sql, added, own, whole: !limited && lacks(node, 'having') };
}

/** For a query of our own that a person's query led to: where DuckDB refuses it, there is none. */
export function unlessRefused(cause: unknown): null {
  if (cause instanceof HoldoutError && ['USAGE', 'INPUT_INVALID'].includes(cause.code)) return null;
  throw cause;
}

/** No window, subquery, UNNEST, COLUMNS(…) or star within an expression. */
function isFlat(node: TreeNode): boolean {
  const top = new Set(node['select_list'] as TreeNode[]);
  for (const each of nodesOf(node)) {
    const kind = each['class'];
    if (kind === 'WINDOW' || kind === 'SUBQUERY') return false;
    if (kind === 'STAR' && (each['columns'] === true || !top.has(each)) && !isOrderAll(node, each)) return false;
    if (kind === 'FUNCTION' && functionName(each) === 'unnest') return false;
  }
  return true;
}

/** `ORDER BY ALL`. */
function isOrderAll(node: TreeNode, star: TreeNode): boolean {
  const orders = (node['modifiers'] as TreeNode[]).flatMap(({ orders }) => (orders as TreeNode[] | undefined) ?? []);
  return orders.some(({ expression }) => expression === star);
}

function groupingOf(node: TreeNode, aggregating: (part: unknown) => boolean, made: number): Grouping | null {
  const list = node['select_list'] as TreeNode[];
  const modifiers = node['modifiers'] as TreeNode[];
  const distinct = modifiers.find(({ type }) => String(type).startsWith('DISTINCT'));
  const by = (node['group_expressions'] as TreeNode[] | null) ?? [];
  const all = node['aggregate_handling'] === 'FORCE_AGGREGATES';
  const aggregated = by.length > 0 || all || aggregating(list) || !lacks(node, 'having');
  if (distinct !== undefined) {
    if (aggregated || (distinct['distinct_on_targets'] as unknown[]).length > 0) return null;
    return { items: list, places: Array.from({ length: made }, (_, place) => place) };
  }
  if (!aggregated) return null;
  if (all) return by.length > 0 ? null : keysOfAll(list, aggregating, made);
  const sets = (node['group_sets'] as unknown[][] | null) ?? [];
  if (sets.length > 1 || (sets[0]?.length ?? 0) < new Set(by.map((key) => JSON.stringify(key))).size) return null;
  const keys = by.map((key) => selectedKey(list, key));
  return keys.includes(null) ? null : { by: keys.filter((key) => key !== null) };
}

/** `GROUP BY ALL`: by whatever is selected and aggregates nothing. */
function keysOfAll(list: readonly TreeNode[], aggregating: (part: unknown) => boolean, made: number): Grouping | null {
  const stars = list.filter(isStar).length;
  if (stars > 1) return null;
  const places: number[] = [];
  let next = 0;
  for (const item of list) {
    const width = isStar(item) ? made - list.length + 1 : 1;
    if (!aggregating(item)) for (let place = next; place < next + width; place++) places.push(place);
    next += width;
  }
  return { items: list.filter((item) => !aggregating(item)), places };
}

/** `GROUP BY 2` means what is selected there; null where a star before it hides what that is. */
function selectedKey(list: readonly TreeNode[], key: TreeNode): TreeNode | null {
  const constant = key['class'] === 'CONSTANT' ? (key['value'] as { value?: unknown }) : null;
  if (constant === null || typeof constant.value !== 'number') return structuredClone(key);
  const item = list[constant.value - 1];
  if (item === undefined || list.slice(0, constant.value).some(isStar)) return null;
  return { ...structuredClone(item), alias: '' };
}
