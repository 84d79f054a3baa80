/**
 * What carrying row numbers through a SELECT puts into its tree, out of pieces that DuckDB parsed.
 * @module
 */
import { type TreeNode, nodesOf } from './query-tree.ts';
import { isStar, lacks } from './select-node.ts';

/** A table with its rows numbered. */
export interface NumberedTable {
  /** The relation that has the numbers, too. */
  readonly view: string;
  readonly column: string;
}

/** A hidden column of a SELECT: a row number, NULL where there is none, or a list of them. */
export interface CarriedColumn {
  readonly name: string;
  readonly isList: boolean;
}

/** A SELECT or set operation that hands numbers on, and in which columns, its last ones. */
export interface Carried {
  readonly node: TreeNode;
  readonly columns: readonly CarriedColumn[];
}

/** What carrying goes by. */
export interface Carrying {
  /** By name in lower case. */
  readonly tables: ReadonlyMap<string, NumberedTable>;
  readonly isAggregate: (name: string) => boolean;
  /** A name that nothing else has. */
  readonly freshName: () => string;
  readonly parts: Parts;
  /** The outermost SELECT and the names of its columns: its ORDER BY may call them by their places. */
  readonly top: TreeNode;
  readonly made: readonly string[];
  /** Common tables that hand numbers on already. */
  readonly common: Map<TreeNode, { readonly name: string; readonly columns: readonly CarriedColumn[] }>;
}

/** Pieces of a query as DuckDB parses them. */
export interface Parts {
  /** `NULL`, `x`, `list(x)` and `flatten(list(x))`. */
  readonly none: TreeNode;
  readonly column: TreeNode;
  readonly list: TreeNode;
  readonly flatList: TreeNode;
  /** `SELECT * FROM (SELECT 1)`. */
  readonly around: TreeNode;
  /** `row_number() OVER (PARTITION BY x ORDER BY x) = 1`. */
  readonly firstOfGroup: TreeNode;
}

/** Such pieces are parsed of this. */
export const partsText =
  'SELECT NULL, x, list(x), flatten(list(x)), * FROM (SELECT 1) QUALIFY row_number() OVER (PARTITION BY x ORDER BY x) = 1';

/** Why the rows of a query cannot be followed, in words that end no sentence. */
export class Untraceable extends Error {}

/** The parts, out of the parsed `partsText`. */
export function partsOf(select: TreeNode): Parts {
  const [none, column, list, flatList, star] = select['select_list'] as TreeNode[];
  if (star === undefined) throw new RangeError('"select" expected what partsText says');
  return {
    none: none!,
    column: column!,
    list: list!,
    flatList: flatList!,
    around: { ...select, select_list: [star], qualify: null },
    firstOfGroup: select['qualify'] as TreeNode,
  };
}

/** `SELECT * EXCLUDE (hidden), hidden FROM (…)`, or one row of equal ones, made of all that these were made of. */
export function around(run: Carrying, { node, columns }: Carried, how: 'distinct' | 'as it is'): Carried {
  const { parts } = run;
  const select = structuredClone(parts.around);
  const [star] = select['select_list'] as TreeNode[];
  star!['exclude_list'] = columns.map(({ name }) => name);
  const from = select['from_table'] as TreeNode;
  (from['subquery'] as TreeNode)['node'] = node;
  select['modifiers'] = modifiersOf(node).filter(({ type }) => type !== 'DISTINCT_MODIFIER');
  node['modifiers'] = [];
  if (how === 'distinct') select['aggregate_handling'] = 'FORCE_AGGREGATES';
  const outer = columns.map(({ isList }) => ({ name: run.freshName(), isList: isList || how === 'distinct' }));
  (select['select_list'] as TreeNode[]).push(
    ...columns.map(({ name, isList }, at) => {
      const part = how === 'as it is' ? parts.column : isList ? parts.flatList : parts.list;
      return named(withColumn(part, [name]), outer[at]!.name);
    }),
  );
  return { node: select, columns: outer };
}

/** DISTINCT, ORDER BY and LIMIT. */
export function modifiersOf(node: TreeNode): readonly TreeNode[] {
  return node['modifiers'] as TreeNode[];
}

/** The part with this column in the place of `x`. */
export function withColumn(part: TreeNode, path: readonly string[]): TreeNode {
  const copy = structuredClone(part);
  for (const node of nodesOf(copy)) if (node['class'] === 'COLUMN_REF') node['column_names'] = [...path];
  return copy;
}

/** The expression under this name. */
export function named(expression: TreeNode, name: string): TreeNode {
  return { ...structuredClone(expression), alias: name };
}

/**
 * Writes DISTINCT ON as a window: that takes all columns of one row. Of rows that its order does not tell apart it may
 * take another one, which is seen when the rows are compared.
 */
export function takeFirstOfGroup(run: Carrying, node: TreeNode, isGrouped: boolean): boolean {
  const modifiers = modifiersOf(node);
  const distinct = modifiers.find(({ type }) => type === 'DISTINCT_MODIFIER');
  const targets = (distinct?.['distinct_on_targets'] as TreeNode[] | undefined) ?? [];
  if (targets.length === 0) return false;
  const orders = modifiers.flatMap(({ orders: each }) => (each as TreeNode[] | undefined) ?? []);
  const ordered = orders.map((order): TreeNode => {
    const place = placeOf(order['expression'] as TreeNode);
    const name = place === null || node !== run.top ? undefined : run.made[place - 1];
    return name === undefined ? order : { ...order, expression: withColumn(run.parts.column, [name]) };
  });
  if (
    isGrouped ||
    !lacks(node, 'qualify') ||
    !targets.every(isPlain) ||
    !ordered.every((each) => isPlain(each['expression'] as TreeNode))
  ) {
    throw new Untraceable('its query has DISTINCT ON in a form that nobody follows');
  }
  const first = structuredClone(run.parts.firstOfGroup);
  const window = first['left'] as TreeNode;
  window['partitions'] = structuredClone(targets);
  window['orders'] = structuredClone(ordered);
  node['qualify'] = first;
  node['modifiers'] = modifiers.filter((each) => each !== distinct);
  return true;
}

/** Neither a place in the list nor `ALL`. */
function isPlain(expression: TreeNode): boolean {
  return expression['class'] !== 'CONSTANT' && !isStar(expression);
}

/** `2` of `ORDER BY 2`. */
function placeOf(expression: TreeNode): number | null {
  const value = expression['class'] === 'CONSTANT' ? (expression['value'] as { value?: unknown }).value : null;
  return typeof value === 'number' ? value : null;
}
