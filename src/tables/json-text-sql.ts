/**
 * A row as one canonical JSON object, in SQL: every column in schema order, null for absent, integers with all their
 * digits, NaN and Infinity as Python's bare words, ISO dates and times, decimals as text, bytes as base64. Values of
 * kinds that JSON lacks come back exactly under the schema that an export carries beside it.
 * @module
 */
import type { Column, ColumnType, ScalarType, TableSchema } from '../../schemas/table-schema.ts';
import { quoteIdentifier, quoteString } from '../identity/sql-text.ts';

/** A VARCHAR expression over canonical columns: the row's JSON object, without a line end. */
export function jsonRowSql(schema: TableSchema, reference: (column: string) => string = quoteIdentifier): string {
  return objectText(schema.columns, reference, 0);
}

/** A VARCHAR expression, never NULL: one canonical value as JSON text. */
export function jsonValueSql(type: ColumnType, expression: string): string {
  return valueText(type, expression, 0);
}

function objectText(members: readonly Column[], reference: (name: string) => string, level: number): string {
  if (members.length === 0) return "'{}'";
  const texts = members.flatMap(({ name, type }, index) => [
    quoteString(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    valueText(type, reference(name), level),
  ]);
  return `concat(${texts.join(', ')}, '}')`;
}

function valueText(type: ColumnType, x: string, level: number): string {
  if (type === 'NULL') return "'null'";
  return `CASE WHEN (${x}) IS NULL THEN 'null' ELSE ${presentText(type, x, level)} END`;
}

function presentText(type: ColumnType, x: string, level: number): string {
  if (typeof type === 'string') return scalarText(type, x);
  const v = `v${level}`;
  if ('decimal' in type) {
    // Whole numbers are JSON numbers of any length; a reader would take others for floats.
    return type.decimal[1] === 0 ? `(${x})::VARCHAR` : `concat('"', (${x})::VARCHAR, '"')`;
  }
  if ('list' in type) {
    const items = `list_transform(${x}, lambda ${v}: ${valueText(type.list, v, level + 1)})`;
    return `concat('[', ${joined(items)}, ']')`;
  }
  if ('map' in type) {
    const { key, value } = type.map;
    const keyText = valueText(key, `${v}.key`, level + 1);
    const valueSql = valueText(value, `${v}.value`, level + 1);
    const textKey = key === 'VARCHAR' || key === 'UUID';
    const entry = textKey ? `concat(${keyText}, ':', ${valueSql})` : `concat('[', ${keyText}, ',', ${valueSql}, ']')`;
    const entries = joined(`list_transform(map_entries(${x}), lambda ${v}: ${entry})`);
    return textKey ? `concat('{', ${entries}, '}')` : `concat('[', ${entries}, ']')`;
  }
  return objectText(type.struct, (name) => `struct_extract(${x}, ${quoteString(name)})`, level + 1);
}

/**
 * The texts of a list with commas between; NULL for an empty list, which vanishes in `concat`. Not `array_to_string`: it
 * is a macro that names its list twice, so that nested lists would cost 2^depth.
 */
function joined(texts: string): string {
  return `list_aggregate(${texts}, 'string_agg', ',')`;
}

function scalarText(type: ScalarType, x: string): string {
  switch (type) {
    case 'NULL':
      return "'null'";
    case 'BOOLEAN':
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'UTINYINT':
    case 'USMALLINT':
    case 'UINTEGER':
    case 'UBIGINT':
    case 'JSON':
      return `(${x})::VARCHAR`;
    case 'FLOAT':
    case 'DOUBLE': {
      const d = `(${x})::DOUBLE`;
      return (
        `CASE WHEN isnan(${d}) THEN 'NaN' WHEN isinf(${d}) THEN if(${d} > 0, 'Infinity', '-Infinity') ` +
        `ELSE ${d}::VARCHAR END`
      );
    }
    case 'VARCHAR':
    case 'UUID':
      return `to_json((${x})::VARCHAR)::VARCHAR`;
    case 'BLOB':
      return `concat('"', to_base64(${x}), '"')`;
    case 'DATE':
    case 'TIME':
    case 'TIME_NS':
      return `concat('"', (${x})::VARCHAR, '"')`;
    case 'TIMESTAMP':
    case 'TIMESTAMP_NS':
      return `concat('"', replace((${x})::VARCHAR, ' ', 'T'), '"')`;
    case 'TIMESTAMPTZ':
      break;
  }
  // The session's zone is UTC, so the offset of an instant is always +00.
  return `concat('"', replace(replace((${x})::VARCHAR, '+00', 'Z'), ' ', 'T'), '"')`;
}
