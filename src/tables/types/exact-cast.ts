/**
 * Casts that a person asks for, each with a test of whether the value stayed what it was. SQL's own casts round, trim
 * and guess without a word: `'012'` becomes 12, 2.5 becomes 3, `'T'` becomes true.
 * @module
 */
import type { ColumnType } from '../../../schemas/table-schema.ts';
import { JSON_CANONICAL_FUNCTION, valuePreimageSql } from '../../identity/row-encoding-sql.ts';
import { quoteString } from '../../identity/sql-text.ts';
import { misfitSql, valueSql } from '../read/checked-text.ts';
import { isIntegerType, sqlType, textTypes } from '../sql-types.ts';
import { castValueSql } from './cast-value.ts';

/** A cast. */
export interface ExactCast {
  readonly sql: string;
  /** BOOLEAN over the value that came out and the one that went in: whether nothing was lost. Null: nothing can be. */
  readonly exact: ((value: string) => string) | null;
}

/**
 * The cast of a value from a type to another. Text is read as files spell values: numbers as JSON does, `true` and
 * `false`, dates and times, bytes as base64, JSON for values of no fixed shape; and written in that way. Otherwise a
 * cast is exact where the value keeps its identity, or comes back when it is cast back.
 * @param canGoBack whether the engine has a cast from `to` to `from`
 */
export function exactCast(x: string, from: ColumnType, to: ColumnType, canGoBack: boolean): ExactCast {
  if (from === 'VARCHAR') return textCast(x, to);
  if (to === 'VARCHAR') {
    if (from === 'BLOB') return { sql: `to_base64(${x})`, exact: null };
    if (from === 'JSON' || (typeof from === 'object' && !('decimal' in from))) {
      return { sql: `${JSON_CANONICAL_FUNCTION}(to_json(${x})::VARCHAR)`, exact: null };
    }
  }
  const sql = castValueSql(x, from, to);
  const before = valuePreimageSql(from, x);
  return {
    sql,
    exact: (value) => {
      const same = `${valuePreimageSql(to, value)} = ${before}`;
      // A 64-bit integer and its double are one value to identity only where the double holds it.
      return canGoBack
        ? `(${same} OR ${valuePreimageSql(from, `TRY(${castValueSql(value, to, from)})`)} = ${before})`
        : same;
    },
  };
}

function textCast(x: string, to: ColumnType): ExactCast {
  if (to === 'VARCHAR') return { sql: x, exact: null };
  if (to === 'JSON') return { sql: `${JSON_CANONICAL_FUNCTION}(${x})::JSON`, exact: null };
  if (to === 'BOOLEAN') return { sql: `${x}::BOOLEAN`, exact: () => `${x} IN ('true', 'false')` };
  if (typeof to === 'string' && textTypes.has(to))
    return { sql: valueSql(to, x), exact: () => `NOT ${misfitSql(to, x)}` };
  const sql = `${x}::${sqlType(to)}`;
  if (isWhole(to)) return { sql, exact: (value) => `${value}::VARCHAR = ${x}` };
  if (to === 'FLOAT' || to === 'DOUBLE' || typeof to === 'object') {
    return {
      sql,
      exact: (value) => `regexp_full_match(${x}, ${quoteString(jsonNumber)}) AND ${digits(value)} = ${digits(x)}`,
    };
  }
  return { sql, exact: null };
}

function isWhole(type: ColumnType): boolean {
  return isIntegerType(type) || (typeof type === 'object' && 'decimal' in type && type.decimal[1] === 0);
}

const jsonNumber = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;

/** The digits that count, without sign, point, exponent and zeros at the ends: equal where no digit was lost. */
function digits(x: string): string {
  const mantissa = `regexp_replace(lower(${x}::VARCHAR), 'e.*$', '')`;
  return `rtrim(ltrim(regexp_replace(${mantissa}, '[^0-9]', '', 'g'), '0'), '0')`;
}
