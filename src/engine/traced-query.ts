/**
 * A SELECT beside a person's own that gives the same rows and, in hidden columns behind them, the numbers of the rows of
 * the step's tables that each was made of. Whoever runs it compares its rows with those of the person's.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { carryNumbers } from './carry-numbers.ts';
import { type CarriedColumn, type NumberedTable, Untraceable, partsOf, partsText } from './carry-parts.ts';
import type { Engine } from './engine.ts';
import { type TreeNode, nodesOf, parseQuery, queryText } from './query-tree.ts';
import type { KnownFunction } from './scalar-expression.ts';
import { topNode } from './select-node.ts';
import { takesWholeTable } from './select-scope.ts';

/** The SELECT, and how it is run. */
export interface TracedQuery {
  readonly sql: string;
  /** Its hidden columns. */
  readonly columns: readonly CarriedColumn[];
  /** Of each table of the step: the view that it wants, with the table's columns and behind them the row's number. */
  readonly views: readonly NumberedTable[];
}

/** What it is made for: see `StepQueryRun`. */
interface TraceRun {
  readonly tables: readonly string[];
  readonly columns: readonly string[];
  readonly made: readonly string[];
  readonly hidden: string;
}

/** Plans it; why not, in words that end no sentence, where its rows cannot be followed. */
export async function planTrace(
  engine: Engine,
  tree: TreeNode,
  known: readonly KnownFunction[],
  { tables, columns, made, hidden }: TraceRun,
): Promise<TracedQuery | string> {
  const copy = structuredClone(tree);
  if (takesWholeTable(copy, columns)) return 'its query takes a whole table as a value';
  for (const node of nodesOf(copy)) {
    if (node['class'] === 'POSITIONAL_REFERENCE') return 'its query names a column by its number';
  }
  const views = tables.map((_, at) => ({ view: `${hidden}_table_${at}`, column: `${hidden}_number_${at}` }));
  const aggregates = new Set(known.flatMap(({ name, kind }) => (kind === 'aggregate' ? [name] : [])));
  let names = 0;
  const node = topNode(copy);
  try {
    const carried = carryNumbers(
      {
        tables: new Map(tables.map((name, at) => [name.toLowerCase(), views[at]!])),
        isAggregate: (name) => aggregates.has(name),
        freshName: () => `${hidden}_carried_${names++}`,
        parts: partsOf(topNode(await parseQuery(engine, partsText))),
        top: node,
        made,
        common: new Map(),
      },
      node,
      null,
    );
    dropOrder(carried.node);
    (copy['statements'] as TreeNode[])[0]!['node'] = carried.node;
    return { sql: await queryText(engine, copy), columns: carried.columns, views };
  } catch (cause) {
    if (cause instanceof Untraceable) return cause.message;
    if (cause instanceof HoldoutError && cause.code === 'USAGE')
      return 'DuckDB does not write its query back as it was';
    throw cause;
  }
}

/** Rows are compared in an order of their own. */
function dropOrder(node: TreeNode): void {
  const modifiers = node['modifiers'] as TreeNode[];
  if (modifiers.some(({ type }) => String(type).startsWith('LIMIT'))) return;
  node['modifiers'] = modifiers.filter(({ type }) => type !== 'ORDER_MODIFIER');
}
