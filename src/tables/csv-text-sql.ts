/**
 * Canonical values as CSV cells: text as it is, null as nothing, and what CSV has no form for as JSON text.
 * @module
 */
import type { ColumnType } from '../../schemas/table-schema.ts';
import { jsonValueSql } from './json-text-sql.ts';

const jsonText: ReadonlySet<string> = new Set(['FLOAT', 'DOUBLE', 'JSON']);

/** A VARCHAR expression: the cell's text, NULL for null. */
export function csvCellSql(type: ColumnType, x: string): string {
  if (type === 'NULL') return 'NULL::VARCHAR';
  const structured = typeof type === 'object' && !('decimal' in type);
  if (structured || (typeof type === 'string' && jsonText.has(type))) {
    return `CASE WHEN (${x}) IS NULL THEN NULL ELSE ${jsonValueSql(type, x)} END`;
  }
  switch (type) {
    case 'BLOB':
      return `to_base64(${x})`;
    case 'TIMESTAMP':
    case 'TIMESTAMP_NS':
      return `replace((${x})::VARCHAR, ' ', 'T')`;
    case 'TIMESTAMPTZ':
      return `replace(replace((${x})::VARCHAR, '+00', 'Z'), ' ', 'T')`;
    default:
      return `(${x})::VARCHAR`;
  }
}
