/**
 * Why a SELECT makes no row of a row of the input, as far as its clauses tell.
 * @module
 */
import type { Engine } from './engine.ts';
import { unlessRefused } from './group-query.ts';
import { type TreeNode, parseQuery, queryText } from './query-tree.ts';
import { columnNode, lacks, readsOnly, topNode } from './select-node.ts';
import { calls } from './select-scope.ts';

/**
 * Why a row of the input has no part in the rows of a query. `taken` is whether its WHERE is true for the row, where that
 * is known. Where more than the clauses of one SELECT may be it, none is named.
 */
export async function whyNoRow(engine: Engine, sql: string, input: string, taken: boolean | null): Promise<string> {
  const node = topNode(await parseQuery(engine, sql));
  const says = 'the SELECT makes no row of it';
  if (!readsInput(node, input)) return says;
  const limit = (node['modifiers'] as TreeNode[]).some(({ type }) => String(type).startsWith('LIMIT'));
  const where = lacks(node, 'where_clause') || taken === true ? [] : ['its WHERE is not true for it'];
  const later = [
    ...(lacks(node, 'having') ? [] : ['its HAVING is not true for its group']),
    ...(lacks(node, 'qualify') ? [] : ['its QUALIFY is not true for it']),
    ...(calls(node, (name) => name === 'unnest') ? ['it has nothing for UNNEST'] : []),
    ...(takesFirst(node) ? ['its DISTINCT ON takes another'] : []),
    ...(limit ? ['its LIMIT or OFFSET leaves it out'] : []),
  ];
  const clauses = taken === false ? where : [...where, ...later];
  return clauses.length === 0 ? says : `${says}: ${clauses.join(', or ')}`;
}

function takesFirst(node: TreeNode): boolean {
  return (node['modifiers'] as TreeNode[]).some(
    (each) => ((each['distinct_on_targets'] as unknown[]) ?? []).length > 0,
  );
}

/**
 * The numbers, from column `hidden`, of the rows that the WHERE of a query over the input alone takes; null where that
 * is not known: it has no WHERE, or it is over more.
 */
export async function takenQuery(engine: Engine, sql: string, input: string, hidden: string): Promise<string | null> {
  const tree = await parseQuery(engine, sql);
  const node = topNode(tree);
  if (!readsInput(node, input) || lacks(node, 'where_clause')) return null;
  Object.assign(node, { select_list: [columnNode(hidden)], modifiers: [], group_expressions: [], group_sets: [] });
  Object.assign(node, { having: null, qualify: null, aggregate_handling: 'STANDARD_HANDLING' });
  return queryText(engine, tree).catch(unlessRefused);
}

/** Whether it is one SELECT over the input alone, whatever its expressions look up. */
function readsInput(node: TreeNode, input: string): boolean {
  return readsOnly({ ...node, qualify: null }, input);
}
