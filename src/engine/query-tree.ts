/**
 * A query as DuckDB parses it, as a tree that can be looked at, changed, and made text again.
 * @module
 */
import { HoldoutError } from '../errors.ts';
import { quoteString } from '../identity/sql-text.ts';
import type { Engine } from './engine.ts';

/** A node: DuckDB's own names of kinds and members. */
export type TreeNode = { [member: string]: unknown };

/** Numbers of JSON that a double may not hold stand in the tree as text with this mark; no query holds a NUL. */
const mark = '\0';
const tokens = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]{14,}/g;

/**
 * A query as DuckDB's JSON.
 * @throws HoldoutError USAGE for a number that no JSON has
 */
export async function serialisedQuery(engine: Engine, sql: string): Promise<string> {
  const text = await engine.value<string>(`SELECT json_serialize_sql(${quoteString(sql)}::VARCHAR)::VARCHAR`);
  // Inside a text of the query the quotation marks would be escaped.
  if (!/"value":-?(?:Infinity|NaN)/.test(text)) return text;
  throw new HoldoutError('USAGE', 'a number is too large for a DOUBLE', {
    hint: "Infinity is written 'inf'::DOUBLE.",
  });
}

/**
 * The parser's words with the place in the text that they are about.
 * @param before how many characters (code points) stand before it
 */
export function syntaxError(text: string, says: string, before: number): string {
  if (says.endsWith('at end of input')) return says;
  const lines = Array.from(text).slice(0, before).join('').split('\n');
  const character = Array.from(lines.at(-1) ?? '').length + 1;
  return `${says} at ${lines.length === 1 ? '' : `line ${lines.length}, `}character ${character}`;
}

/**
 * The tree of one SELECT.
 * @throws HoldoutError USAGE where it is none
 */
export async function parseQuery(engine: Engine, sql: string): Promise<TreeNode> {
  const text = await serialisedQuery(engine, sql);
  const exact = text.replace(tokens, (token) => (token.startsWith('"') ? token : `"\\u0000${token}"`));
  const parsed = JSON.parse(exact) as { error: boolean; error_message?: string };
  if (parsed.error) throw new HoldoutError('USAGE', 'only a SELECT can be run', { hint: parsed.error_message ?? '' });
  return parsed;
}

/**
 * The tree as SQL that parses to the same tree.
 * @throws HoldoutError USAGE where DuckDB writes it so that it reads otherwise
 */
export async function queryText(engine: Engine, tree: TreeNode): Promise<string> {
  const json = treeJson(tree);
  const sql = await engine.value<string>(`SELECT json_deserialize_sql(${quoteString(json)}::JSON)`);
  const again = await parseQuery(engine, sql);
  if (withoutPlaces(again) === withoutPlaces(tree)) return sql;
  throw new HoldoutError('USAGE', 'this query cannot be given a total order of its rows', {
    hint: 'Write it another way, for example with the odd part in a subquery or a WITH clause.',
  });
}

/** Every node of a tree, the tree itself first. */
export function* nodesOf(tree: unknown): Generator<TreeNode> {
  const open: unknown[] = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (typeof node !== 'object' || node === null) continue;
    if (!Array.isArray(node)) yield node as TreeNode;
    open.push(...Object.values(node));
  }
}

function treeJson(tree: unknown): string {
  return JSON.stringify(tree).replaceAll(new RegExp(`"\\\\u0000([^"]*)"`, 'g'), '$1');
}

/** Where a node stood in the text is all that may differ, and the order of the columns that a star leaves out: a set. */
function withoutPlaces(tree: unknown): string {
  return JSON.stringify(tree, (key, value: unknown) => {
    if (key === 'query_location') return 0;
    return key === 'exclude_list' ? (value as string[]).toSorted() : value;
  }).replaceAll(mark, '');
}
