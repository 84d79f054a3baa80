/**
 * What the names of tables in a SELECT stand for: a table of the step, or a common table (WITH) in reach.
 * @module
 */
import { type TreeNode, nodesOf } from './query-tree.ts';
import { functionName } from './scalar-expression.ts';

/** A common table of a WITH, and what was in reach where it is defined. */
export interface CommonTable {
  readonly name: string;
  readonly entry: TreeNode;
  /** All entries of its WITH: others may be put in. */
  readonly entries: TreeNode[];
  readonly scope: Scope;
}

/** Common tables in reach, the nearest first. */
export type Scope = { readonly table: CommonTable; readonly outer: Scope } | null;

/** The scope within a SELECT or set operation: each of its common tables sees those before it. */
export function scopeWithin(node: TreeNode, outer: Scope): Scope {
  const entries = (node['cte_map'] as { map?: TreeNode[] }).map ?? [];
  let scope = outer;
  for (const entry of entries) {
    const name = String(entry['key']).toLowerCase();
    scope = { table: { name, entry, entries, scope }, outer: scope };
  }
  return scope;
}

/** The common table that a name means; null where it is a table of the step. */
export function commonTable(scope: Scope, name: string): CommonTable | null {
  for (let each = scope; each !== null; each = each.outer) {
    if (each.table.name === name.toLowerCase()) return each.table;
  }
  return null;
}

const clauses = ['select_list', 'where_clause', 'group_expressions', 'having', 'qualify', 'modifiers'];

/** The expressions of one SELECT and all within them, subqueries themselves but nothing inside them. */
export function* ownNodes(select: TreeNode): Generator<TreeNode> {
  const open: unknown[] = clauses.map((clause) => select[clause]);
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    if (Array.isArray(node)) {
      open.push(...(node as unknown[]));
      continue;
    }
    const fields = node as TreeNode;
    yield fields;
    if (fields['class'] === 'SUBQUERY') open.push(fields['child']);
    else open.push(...Object.values(fields));
  }
}

/** Whether an expression of this SELECT itself calls one of these functions, other than over a window. */
export function calls(select: TreeNode, isMeant: (name: string) => boolean): boolean {
  return [...ownNodes(select)].some((node) => node['class'] === 'FUNCTION' && isMeant(functionName(node)));
}

/**
 * Whether the name of a table stands where a value stands, which means all its columns. A column of that name comes
 * first. A name given with AS may, too, but where it does is not told from where it does not.
 */
export function takesWholeTable(tree: TreeNode, columns: readonly string[]): boolean {
  const tables = new Set<string>();
  const others = new Set(columns.map((name) => name.toLowerCase()));
  for (const node of nodesOf(tree)) {
    const alias = textOf(node, 'alias').toLowerCase();
    if (node['type'] === 'BASE_TABLE') tables.add(alias || textOf(node, 'table_name').toLowerCase());
    else if (node['class'] === undefined && node['type'] === 'SUBQUERY') tables.add(alias);
  }
  for (const node of nodesOf(tree)) {
    const name = lastName(node);
    if (name === null || others.has(name.toLowerCase())) continue;
    const [before, ...more] = (node['column_names'] as string[]).slice(0, -1).toReversed();
    const isBare = before === undefined || (before.toLowerCase() === 'main' && more.length <= 1);
    if (isBare && (tables.has(name.toLowerCase()) || /^unnamed_subquery\d*$/i.test(name))) return true;
  }
  return false;
}

/** The text of a member, empty where there is none. */
export function textOf(node: TreeNode, member: string): string {
  const value = node[member];
  return typeof value === 'string' ? value : '';
}

/** `n` of `t.n`. */
function lastName(node: TreeNode): string | null {
  return node['class'] === 'COLUMN_REF' ? ((node['column_names'] as string[]).at(-1) ?? null) : null;
}
