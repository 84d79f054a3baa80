/**
 * Of what kind values of JSON are, as people call them, and where in a file of rows a column has which: one odd value
 * among many makes a column JSON, or keeps a file from being the next version.
 * @module
 */
import type { ColumnType } from '../../schemas/table-schema.ts';
import { readFinite } from './finite-json.ts';
import { isIntegerType } from './sql-types.ts';
import { fileLines } from './text-lines.ts';

export type ValueKind = 'text' | 'a number' | 'a truth value' | 'a list' | 'an object';

/** A value of a column that is the first of its kind. */
export interface SeenKind {
  readonly kind: ValueKind;
  /** Row of the file, from 0, and its line, from 1. */
  readonly row: number;
  readonly line: number;
}

/** Rows that are looked at for two kinds. */
const rowsMax = 1 << 20;

/**
 * For each column its first value that is of a kind, and the first of another kind; nulls are of none.
 * @param path a file of JSON Lines that was read before
 */
export async function firstKinds(
  path: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, readonly SeenKind[]>> {
  const found = new Map<string, SeenKind[]>();
  const open = new Set(names);
  let [row, line] = [-1, 0];
  for await (const text of fileLines(path)) {
    line += 1;
    if (text.trim() === '') continue;
    row += 1;
    if (open.size === 0 || row >= rowsMax) break;
    const values = readFinite(text);
    for (const name of open) {
      const kind = kindOfValue(Object.hasOwn(values, name) ? values[name] : null);
      const seen = found.get(name) ?? [];
      if (kind === null || seen[0]?.kind === kind) continue;
      found.set(name, [...seen, { kind, row, line }]);
      if (seen.length === 1) open.delete(name);
    }
  }
  return found;
}

/** Null for a type that takes values of several kinds. */
export function kindOfType(type: ColumnType): ValueKind | null {
  if (typeof type === 'object') {
    if ('decimal' in type) return null;
    return 'list' in type ? 'a list' : 'struct' in type ? 'an object' : null;
  }
  if (type === 'NULL' || type === 'JSON') return null;
  if (type === 'BOOLEAN') return 'a truth value';
  return isIntegerType(type) || type === 'FLOAT' || type === 'DOUBLE' ? 'a number' : 'text';
}

/** Null for null, which is of no kind. */
export function kindOfValue(value: unknown): ValueKind | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return 'a truth value';
  return typeof value === 'object' ? 'an object' : 'a number';
}
