/**
 * The roles of fields after steps that rename or drop columns.
 * @module
 */
import type { FieldRole, FieldRoles } from '../../schemas/records.ts';

/**
 * Roles follow columns that were only renamed; a column that was made anew has the role of its name. A path into a
 * column (`question.stem`) goes with the column.
 * @param keptBy of each step, output column → input column; null where columns stayed as they were
 * @param columns columns of the output
 */
export function fieldsAfter(
  fields: FieldRoles,
  keptBy: readonly (ReadonlyMap<string, string> | null)[],
  columns: readonly string[],
): FieldRoles {
  const has = new Set(columns);
  const after: Partial<Record<FieldRole, string[]>> = {};
  for (const [role, paths] of Object.entries(fields) as [FieldRole, string[]][]) {
    const found = paths.flatMap((path) => {
      const moved = keptBy.reduce(pathAfter, path);
      return has.has(moved) || has.has(columnOf(moved)) ? [moved] : [];
    });
    if (found.length > 0) after[role] = [...new Set(found)];
  }
  return after;
}

function pathAfter(path: string, kept: ReadonlyMap<string, string> | null): string {
  if (kept === null) return path;
  const names = [...kept].filter(([, from]) => from === path || from === columnOf(path)).map(([to]) => to);
  // Kept under its own name and another: the own one.
  const column = names.includes(columnOf(path)) || names.length === 0 ? null : names[0]!;
  return column === null ? path : column + path.slice(kept.has(path) ? path.length : columnOf(path).length);
}

function columnOf(path: string): string {
  return path.split('.', 1)[0] ?? path;
}
