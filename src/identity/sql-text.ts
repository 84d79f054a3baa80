/**
 * Quoting of names and text for SQL. Every name and text that reaches SQL passes through here.
 * @module
 */

/**
 * A name as a quoted SQL identifier.
 * @throws TypeError for a NUL (the SQL parser stops there) and for a lone surrogate (it would silently change).
 */
export function quoteIdentifier(name: string): string {
  return `"${checked(name).replaceAll('"', '""')}"`;
}

/**
 * A text as a SQL string literal.
 * @throws TypeError for a NUL and for a lone surrogate; hand such text over as a parameter.
 */
export function quoteString(text: string): string {
  return `'${checked(text).replaceAll("'", "''")}'`;
}

function checked(text: string): string {
  if (text.includes('\0')) throw new TypeError('SQL text cannot hold a NUL character');
  if (/\p{Surrogate}/u.test(text)) throw new TypeError('SQL text cannot hold a lone surrogate');
  return text;
}
