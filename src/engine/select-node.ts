/**
 * A SELECT as DuckDB parses it: what it is over, and columns put beside its own.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import type { TreeNode } from './query-tree.ts';

/**
 * The SELECT, or the set operation, that a query is.
 * @throws HoldoutError USAGE where it is none
 */
export function topNode(tree: TreeNode): TreeNode {
  const node = (tree['statements'] as { node?: TreeNode }[] | undefined)?.[0]?.node;
  if (node === undefined) throw new HoldoutError('USAGE', 'only a SELECT can be run');
  return node;
}

/** Whether it is one SELECT over this table alone: no join, WITH, QUALIFY or sample. */
export function readsOnly(node: TreeNode, table: string): boolean {
  const from = node['from_table'] as TreeNode | undefined;
  return (
    node['type'] === 'SELECT_NODE' &&
    from?.['type'] === 'BASE_TABLE' &&
    String(from['table_name']).toLowerCase() === table &&
    [from['schema_name'], from['catalog_name']].every((name) => name === '') &&
    (from['column_name_alias'] as unknown[]).length === 0 &&
    ((node['cte_map'] as { map?: unknown[] }).map ?? []).length === 0 &&
    lacks(node, 'qualify', 'sample')
  );
}

/** Whether a node has none of these clauses. */
export function lacks(node: TreeNode, ...members: readonly string[]): boolean {
  return members.every((member) => {
    const value = node[member];
    return value === null || value === undefined || (Array.isArray(value) && value.length === 0);
  });
}

/** `*`, `t.*` or `COLUMNS(…)`. */
export function isStar(item: TreeNode): boolean {
  return item['class'] === 'STAR';
}

/** A reference to a column. */
export function columnNode(name: string): TreeNode {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: '', query_location: 0, column_names: [name] };
}

/** Makes the stars of a list leave a column out. */
export function hideFromStars(list: readonly TreeNode[], column: string): void {
  for (const item of list) if (isStar(item)) item['exclude_list'] = [...(item['exclude_list'] as unknown[]), column];
}

/** Selects more, behind what is selected. */
export function addColumns(node: TreeNode, expressions: readonly TreeNode[]): void {
  (node['select_list'] as TreeNode[]).push(...expressions);
}
