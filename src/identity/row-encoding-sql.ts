/**
 * Row encoding v1 as SQL, generated from a schema, for bulk work in DuckDB. `concat` everywhere, since each `||`
 * copies; since `concat` skips NULL, a member that is null leaves itself out. NULL is tested first everywhere: a CASE
 * over NULL would else fall through to its last branch. docs/FORMAT.md, "Row encoding".
 * @module
 */
import type { Column, ColumnType, ScalarType, TableSchema } from '../../schemas/table-schema.ts';
import { HoldoutError } from '../errors.ts';
import { quoteIdentifier, quoteString } from './sql-text.ts';

/** Name of the SQL function (VARCHAR → VARCHAR) that the engine registers with `encodeJsonText`. */
export const JSON_ENCODING_FUNCTION = 'holdout_encode_json';
/** Name of the SQL function (VARCHAR → VARCHAR) that the engine registers with `canonicalJsonText`. */
export const JSON_CANONICAL_FUNCTION = 'holdout_canonical_json';

/** The deepest nesting of lists, structs and maps in one type. */
const LEVELS_MAX = 64;
/**
 * The deepest nesting of lists and maps in one type, structs between them not counted. Binding nested lambdas costs
 * DuckDB 2^depth: 16 ms at 14 levels, 0.3 s at 18. A reader types deeper values as JSON, which encodes to the same bytes.
 */
export const LIST_LEVELS_MAX = 12;

/**
 * A BLOB(32) expression: the digest of a row of this schema. `reference` gives the SQL that stands for a column; by
 * default its quoted name.
 * @throws TypeError for names that DuckDB cannot tell apart or hold, and for maps keyed by JSON; HoldoutError LIMIT for
 * types nested past 64 levels, or past {@link LIST_LEVELS_MAX} lists and maps.
 */
export function rowDigestSql(schema: TableSchema, reference: (column: string) => string = quoteIdentifier): string {
  return `unhex(sha256(${rowPreimageSql(schema, reference)}))`;
}

/** A VARCHAR expression: the text whose SHA-256 is the digest of a row. @throws as {@link rowDigestSql} does. */
export function rowPreimageSql(schema: TableSchema, reference: (column: string) => string = quoteIdentifier): string {
  for (const { type } of schema.columns) refuseDeep(type, 0, 0);
  return objectSql('holdout-row-v1:', schema.columns, (column) => `(${reference(column)})`, 0);
}

/** A VARCHAR expression, never NULL: the encoding of one value (`N` for NULL). @throws as {@link rowDigestSql} does. */
export function valuePreimageSql(type: ColumnType, expression: string): string {
  refuseDeep(type, 0, 0);
  return itemSql(type, `(${expression})`, 0);
}

/** The encoding of a value that may be null, where null has to be seen. */
function itemSql(type: ColumnType, x: string, level: number): string {
  return `coalesce(${valueSql('', type, x, level)}, 'N')`;
}

/** `before` and the encoding of a value after it; NULL where the value is null. */
function valueSql(before: string, type: ColumnType, x: string, level: number): string {
  if (typeof type === 'string') return scalarSql(before, type, x);
  if ('decimal' in type) return decimalSql(before, type.decimal[1], x);
  if ('list' in type) {
    const items = `list_transform(${x}, lambda v${level}: ${itemSql(type.list, `v${level}`, level + 1)})`;
    return unlessNull(x, concat(`${before}L`, `len(${x})`, "':'", joined(items)));
  }
  if ('struct' in type) {
    const member = (name: string): string => `struct_extract(${x}, ${quoteString(name)})`;
    return unlessNull(x, objectSql(before, type.struct, member, level + 1));
  }
  return isTextKey(type.map.key) ? textMapSql(before, type.map.value, x, level) : mapSql(before, type.map, x, level);
}

function scalarSql(before: string, type: ScalarType, x: string): string {
  switch (type) {
    case 'NULL':
      return 'NULL::VARCHAR';
    case 'BOOLEAN':
      return unlessNull(x, `CASE WHEN ${x} THEN ${quoteString(`${before}T`)} ELSE ${quoteString(`${before}F`)} END`);
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'UTINYINT':
    case 'USMALLINT':
    case 'UINTEGER':
    case 'UBIGINT':
      return unlessNull(x, concat(`${before}I`, x, "';'"));
    case 'FLOAT':
    case 'DOUBLE':
      return floatSql(before, x);
    case 'VARCHAR':
    case 'UUID': {
      const text = `${x}::VARCHAR`;
      return unlessNull(x, concat(`${before}S`, `strlen(${text})`, "':'", text));
    }
    case 'BLOB':
      return unlessNull(x, concat(`${before}B`, `octet_length(${x})`, "':'", `hex(${x})`));
    case 'DATE':
      return finite(x, concat(`${before}d`, `${x} - DATE '1970-01-01'`, "';'"));
    case 'TIME':
      return unlessNull(x, concat(`${before}t`, `epoch_us(${x}) * 1000`, "';'"));
    case 'TIME_NS':
      return unlessNull(x, concat(`${before}t`, `epoch_ns(${x})`, "';'"));
    // Microseconds times 1000 in 128 bits: far dates overflow nanoseconds of 64.
    case 'TIMESTAMP':
      return finite(x, concat(`${before}s`, `epoch_us(${x})::HUGEINT * 1000`, "';'"));
    case 'TIMESTAMP_NS':
      return finite(x, concat(`${before}s`, `epoch_ns(${x})`, "';'"));
    case 'TIMESTAMPTZ':
      return finite(x, concat(`${before}z`, `epoch_us(${x})::HUGEINT * 1000`, "';'"));
    case 'JSON': {
      const encoding = `nullif(${JSON_ENCODING_FUNCTION}(${x}::VARCHAR), 'N')`;
      return unlessNull(x, before === '' ? encoding : `${quoteString(before)} || ${encoding}`);
    }
  }
  return type satisfies never;
}

function floatSql(before: string, x: string): string {
  const d = `${x}::DOUBLE`;
  return (
    `CASE WHEN ${x} IS NULL THEN NULL WHEN isnan(${d}) THEN ${quoteString(`${before}D7FF8000000000000`)}` +
    // The bound stands before the cast, so that no double beyond BIGINT is ever cast.
    ` WHEN abs(${d}) <= 9007199254740992 AND trunc(${d}) = ${d} THEN ${concat(`${before}I`, `(${d})::BIGINT`, "';'")}` +
    ` ELSE ${concat(`${before}D`, `hex((${d})::BIT::BLOB)`)} END`
  );
}

function decimalSql(before: string, scale: number, x: string): string {
  const text = `${x}::VARCHAR`;
  if (scale === 0) return unlessNull(x, concat(`${before}I`, text, "';'"));
  const short = `rtrim(rtrim(${text}, '0'), '.')`;
  // Where all digits stand behind the point, DuckDB prints no zero before it: `.05`, `-.05`, `.00`.
  return (
    `CASE WHEN ${x} IS NULL THEN NULL WHEN ${x} = 0 THEN ${quoteString(`${before}I0;`)}` +
    ` WHEN NOT contains(${short}, '.') THEN ${concat(`${before}I`, short, "';'")}` +
    ` WHEN starts_with(${short}, '.') THEN ${concat(`${before}M0`, short, "';'")}` +
    ` WHEN starts_with(${short}, '-.') THEN ${concat(`${before}M-0`, `substr(${short}, 2)`, "';'")}` +
    ` ELSE ${concat(`${before}M`, short, "';'")} END`
  );
}

function objectSql(
  before: string,
  members: readonly Column[],
  reference: (name: string) => string,
  level: number,
): string {
  refuseTwins(members);
  const sorted = members.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  const texts = sorted.map(({ name, type }) =>
    valueSql(`S${Buffer.byteLength(name)}:${name}`, type, reference(name), level),
  );
  return concat(`${before}O`, ...texts, "'E'");
}

function refuseDeep(type: ColumnType, levels: number, lists: number): void {
  if (levels > LEVELS_MAX) throw new HoldoutError('LIMIT', `A column's type nests deeper than ${LEVELS_MAX} levels`);
  if (lists > LIST_LEVELS_MAX) {
    throw new HoldoutError('LIMIT', `A column's type nests lists or maps deeper than ${LIST_LEVELS_MAX} levels`);
  }
  if (typeof type === 'string' || 'decimal' in type) return;
  if ('list' in type) refuseDeep(type.list, levels + 1, lists + 1);
  else if ('struct' in type) for (const field of type.struct) refuseDeep(field.type, levels + 1, lists);
  else {
    refuseDeep(type.map.key, levels + 1, lists + 1);
    refuseDeep(type.map.value, levels + 1, lists + 1);
  }
}

/** DuckDB folds ASCII case in names: of two such names one would be read twice and the other never. */
function refuseTwins(members: readonly Column[]): void {
  const seen = new Set<string>();
  for (const { name } of members) {
    const folded = name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    if (seen.has(folded)) throw new TypeError(`the name ${JSON.stringify(name)} stands twice in one row or struct`);
    seen.add(folded);
  }
}

function isTextKey(key: ColumnType): boolean {
  return key === 'VARCHAR' || key === 'UUID';
}

/** A map keyed by text is an object: sorted by name, null values left out. */
function textMapSql(before: string, value: ColumnType, x: string, level: number): string {
  const v = `v${level}`;
  const key = `struct_extract(${v}, 'key')::VARCHAR`;
  const encoded = valueSql('', value, `struct_extract(${v}, 'value')`, level + 1);
  const pairs = `list_transform(map_entries(${x}), lambda ${v}: struct_pack(k := ${key}, v := ${encoded}))`;
  const kept = `list_filter(${pairs}, lambda ${v}: struct_extract(${v}, 'v') IS NOT NULL)`;
  const name = `struct_extract(${v}, 'k')`;
  const texts = `list_transform(list_sort(${kept}), lambda ${v}: concat('S', strlen(${name}), ':', ${name}, struct_extract(${v}, 'v')))`;
  return unlessTwins(x, concat(`${before}O`, joined(texts), "'E'"));
}

/** Any other map: pairs sorted by the encoded key, null values kept. */
function mapSql(
  before: string,
  { key, value }: { readonly key: ColumnType; readonly value: ColumnType },
  x: string,
  level: number,
): string {
  if (key === 'JSON') throw new TypeError('a map keyed by JSON has no encoding');
  const v = `v${level}`;
  const encodedKey = itemSql(key, `struct_extract(${v}, 'key')`, level + 1);
  const encodedValue = itemSql(value, `struct_extract(${v}, 'value')`, level + 1);
  const pairs = `list_transform(map_entries(${x}), lambda ${v}: struct_pack(k := ${encodedKey}, v := ${encodedValue}))`;
  const texts = `list_transform(list_sort(${pairs}), lambda ${v}: concat(struct_extract(${v}, 'k'), struct_extract(${v}, 'v')))`;
  return unlessTwins(x, concat(`${before}P`, `cardinality(${x})`, "':'", joined(texts)));
}

function unlessTwins(x: string, text: string): string {
  const twins = `len(list_distinct(map_keys(${x}))) <> len(map_keys(${x}))`;
  return `CASE WHEN ${x} IS NULL THEN NULL WHEN ${twins} THEN error('a map holds a key twice')::VARCHAR ELSE ${text} END`;
}

function finite(x: string, text: string): string {
  return `CASE WHEN ${x} IS NULL THEN NULL WHEN isfinite(${x}) THEN ${text} ELSE error('an infinite date or time has no encoding')::VARCHAR END`;
}

/**
 * The texts of a list in a row; NULL for an empty list, which vanishes in `concat`. Not `array_to_string`: it is a macro
 * that names its list twice, so that nested lists would cost 2^depth.
 */
function joined(texts: string): string {
  return `list_aggregate(${texts}, 'string_agg', '')`;
}

function unlessNull(x: string, text: string): string {
  return `CASE WHEN ${x} IS NULL THEN NULL ELSE ${text} END`;
}

/** `concat` of a literal text and SQL expressions, none of which may be NULL unless it should vanish. */
function concat(literal: string, ...expressions: readonly string[]): string {
  return `concat(${quoteString(literal)}, ${expressions.join(', ')})`;
}
