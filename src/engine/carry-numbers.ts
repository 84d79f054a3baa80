/**
 * Carries the numbers of rows through a SELECT: every table gets a hidden column, the row's number, and every SELECT,
 * subquery and common table over it hands it on behind its own columns. Of an aggregate the numbers of all rows of the
 * group go on as a list. What a subquery within an expression reads is only consulted, and stays as it is.
 * @module
 */
import {
  type Carried,
  type CarriedColumn,
  type Carrying,
  Untraceable,
  around,
  modifiersOf,
  named,
  takeFirstOfGroup,
  withColumn,
} from './carry-parts.ts';
import type { TreeNode } from './query-tree.ts';
import { isStar, lacks } from './select-node.ts';
import { type CommonTable, type Scope, calls, commonTable, ownNodes, scopeWithin, textOf } from './select-scope.ts';

const columnsMax = 64;

/** Carries numbers through a SELECT, a set operation, or nothing else. The node is changed, or stands in another. */
export function carryNumbers(run: Carrying, node: TreeNode, outer: Scope): Carried {
  if (node['type'] === 'SELECT_NODE') return throughSelect(run, node, outer);
  if (node['type'] === 'SET_OPERATION_NODE') return throughSetOperation(run, node, outer);
  throw new Untraceable('its query has WITH RECURSIVE');
}

/** A hidden column within reach of the expressions of a SELECT. */
interface InReach extends CarriedColumn {
  /** What the column is called by in front of its name; null where its name is enough. */
  readonly table: string | null;
}

function throughSelect(run: Carrying, node: TreeNode, outer: Scope): Carried {
  if (!lacks(node, 'sample')) throw new Untraceable('its query takes a sample');
  const reach = throughFrom(run, node['from_table'] as TreeNode, scopeWithin(node, outer));
  const own = [...ownNodes(node)];
  // Nothing but subqueries makes such a row, and of which of their rows nobody says.
  if (reach.length === 0 && own.some((each) => each['class'] === 'SUBQUERY')) {
    throw new Untraceable('its query has a SELECT over nothing but subqueries within expressions');
  }
  hideColumns(own, node, reach);
  const isDistinct = modifiersOf(node).some(({ type }) => type === 'DISTINCT_MODIFIER');
  const isGrouped =
    node['aggregate_handling'] === 'FORCE_AGGREGATES' ||
    !lacks(node, 'group_expressions', 'having') ||
    calls(node, run.isAggregate);
  const isFirstOfGroup = isDistinct && takeFirstOfGroup(run, node, isGrouped);
  const columns = reach.map(({ isList }) => ({ name: run.freshName(), isList: isList || isGrouped }));
  if (columns.some(({ isList }) => isList) && calls(node, (name) => name === 'unnest')) {
    throw new Untraceable('its query has UNNEST beside rows that were made of many');
  }
  (node['select_list'] as TreeNode[]).push(
    ...reach.map((each, at) => {
      const part = !isGrouped ? run.parts.column : each.isList ? run.parts.flatList : run.parts.list;
      const path = each.table === null ? [each.name] : [each.table, each.name];
      return named(withColumn(part, path), columns[at]!.name);
    }),
  );
  return isDistinct && !isFirstOfGroup ? around(run, { node, columns }, 'distinct') : { node, columns };
}

/** Makes stars leave hidden columns out. */
function hideColumns(own: readonly TreeNode[], node: TreeNode, reach: readonly InReach[]): void {
  const orders = new Set(modifiersOf(node).flatMap(({ orders: each }) => (each as TreeNode[] | undefined) ?? []));
  const ofOrderAll = new Set([...orders].map(({ expression }) => expression));
  for (const star of own.filter(isStar)) {
    // Behind all columns, hidden ones only tell equal rows apart.
    if (ofOrderAll.has(star)) continue;
    if (!lacks(star, 'expr'))
      throw new Untraceable('its query has COLUMNS(…) that chooses columns by a text or lambda');
    const of = String(star['relation_name']).toLowerCase();
    const hidden = reach.filter(({ table }) => of === '' || table?.toLowerCase() === of).map(({ name }) => name);
    star['exclude_list'] = [...(star['exclude_list'] as string[]), ...new Set(hidden)];
  }
}

function throughFrom(run: Carrying, from: TreeNode, scope: Scope): readonly InReach[] {
  if (from['sample'] !== null && from['sample'] !== undefined) throw new Untraceable('its query takes a sample');
  switch (from['type']) {
    case 'BASE_TABLE':
      return throughTable(run, from, scope);
    case 'SUBQUERY': {
      const subquery = from['subquery'] as TreeNode;
      const { node, columns } = carryNumbers(run, subquery['node'] as TreeNode, scope);
      subquery['node'] = node;
      return columns.map((column) => ({ ...column, table: from['alias'] === '' ? null : String(from['alias']) }));
    }
    case 'JOIN':
      return throughJoin(run, from, scope);
    case 'EMPTY':
    case 'EXPRESSION_LIST':
    case 'TABLE_FUNCTION':
      return [];
    case 'PIVOT':
      throw new Untraceable('its query has PIVOT or UNPIVOT');
    default:
      throw new Untraceable(`its query has ${String(from['type'])} in FROM`);
  }
}

/** A common table may be read in expressions, too: what hands numbers on is another beside it. */
function throughTable(run: Carrying, from: TreeNode, scope: Scope): readonly InReach[] {
  const name = textOf(from, 'table_name');
  const found = commonTable(scope, name);
  const table = textOf(from, 'alias') || name;
  from['alias'] = table;
  if (found !== null) {
    const carried = run.common.get(found.entry) ?? throughCommonTable(run, found);
    from['table_name'] = carried.name;
    return carried.columns.map((column) => ({ ...column, table }));
  }
  const numbered = run.tables.get(name.toLowerCase());
  if (numbered === undefined) throw new RangeError(`the query reads ${name}, which is no table of the step`);
  from['table_name'] = numbered.view;
  return [{ name: numbered.column, isList: false, table }];
}

function throughCommonTable(
  run: Carrying,
  { entry, entries, scope }: CommonTable,
): { readonly name: string; readonly columns: readonly CarriedColumn[] } {
  const copy = structuredClone(entry);
  const query = (copy['value'] as TreeNode)['query'] as TreeNode;
  const { node, columns } = carryNumbers(run, query['node'] as TreeNode, scope);
  query['node'] = node;
  const carried = { name: run.freshName(), columns };
  copy['key'] = carried.name;
  entries.splice(entries.indexOf(entry) + 1, 0, copy);
  run.common.set(entry, carried);
  return carried;
}

function throughJoin(run: Carrying, join: TreeNode, scope: Scope): readonly InReach[] {
  const [kind, type] = [String(join['ref_type']), String(join['join_type'])];
  if (!['REGULAR', 'CROSS', 'NATURAL', 'ASOF'].includes(kind)) throw new Untraceable(`its query has a ${kind} JOIN`);
  if (!['INNER', 'LEFT', 'RIGHT', 'FULL', 'SEMI', 'ANTI'].includes(type)) {
    throw new Untraceable(`its query has a ${type} JOIN`);
  }
  const left = throughFrom(run, join['left'] as TreeNode, scope);
  // The other side is only consulted.
  if (type === 'SEMI' || type === 'ANTI') return left;
  const right = throughFrom(run, join['right'] as TreeNode, scope);
  const both = [...left, ...right];
  // Each of its rows may meet any number of others, and with it all that it was made of.
  if (both.some(({ isList }) => isList)) throw new Untraceable('its query joins rows that were made of many');
  if (kind === 'NATURAL' && new Set(both.map(({ name }) => name)).size < both.length) {
    throw new Untraceable('its query has a NATURAL JOIN of a table with itself');
  }
  return both;
}

function throughSetOperation(run: Carrying, node: TreeNode, outer: Scope): Carried {
  const kind = String(node['setop_type']);
  const byName = kind === 'UNION_BY_NAME';
  if (kind !== 'UNION' && !byName) throw new Untraceable(`its query has ${kind}`);
  const isDistinct = node['setop_all'] !== true || modifiersOf(node).some(({ type }) => type === 'DISTINCT_MODIFIER');
  const scope = scopeWithin(node, outer);
  const left = carryNumbers(run, node['left'] as TreeNode, scope);
  const right = carryNumbers(run, node['right'] as TreeNode, scope);
  // Each side has the columns of both, those of the other null.
  const added = byName ? right.columns : right.columns.map((column) => ({ ...column, name: run.freshName() }));
  const columns = [...left.columns, ...added];
  if (columns.length > columnsMax) throw new Untraceable(`its query unites more than ${columnsMax} tables`);
  if (!byName) {
    insertNulls(run, left.node, added, 0);
    insertNulls(run, right.node, left.columns, right.columns.length);
  }
  Object.assign(node, { left: left.node, right: right.node, setop_all: true });
  if (isDistinct) return around(run, { node, columns }, 'distinct');
  return byName ? around(run, { node, columns }, 'as it is') : { node, columns };
}

/** Puts nulls before the last `before` columns of every SELECT of a union. */
function insertNulls(run: Carrying, node: TreeNode, columns: readonly CarriedColumn[], before: number): void {
  if (node['type'] !== 'SELECT_NODE') {
    for (const side of ['left', 'right']) insertNulls(run, node[side] as TreeNode, columns, before);
    return;
  }
  const list = node['select_list'] as TreeNode[];
  list.splice(list.length - before, 0, ...columns.map(({ name }) => named(run.parts.none, name)));
}
