/**
 * Random column types, and values of them in three forms: for the reference encoder, as SQL, as JSON text.
 * @module
 */
import * as fc from 'fast-check';
import type { Column, ColumnType } from '../../dist/schemas/table-schema.js';
import type { Value } from '../../dist/src/identity/row-encoding.js';
import { quoteIdentifier, quoteString } from '../../dist/src/identity/sql-text.js';

export interface Cell {
  readonly value: Value;
  readonly sql: string;
}

export interface JsonCell {
  readonly value: Value;
  readonly text: string;
}

const trickyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom(
    '',
    'N',
    'S1:a',
    'E',
    '1:',
    '\0',
    'a\0b',
    '\ufeff',
    '\ufeffa',
    '\uffff',
    '\u{1f600}',
    'é',
    'e\u0301',
    "'",
    '"',
    '\r\n',
  ),
);

const trickyName = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 4 }).filter((name) => !name.includes('\0')),
  fc.constantFrom(
    'a',
    'b',
    'select',
    'v0',
    'v1',
    'k',
    'key',
    'value',
    'a.b',
    'q"',
    "q'",
    '$x',
    '/y',
    '*',
    ' ',
    '\uffff',
    '\u{1f600}',
  ),
);

const trickyFloat = fc.oneof(
  fc.double(),
  fc.float().map(Math.fround),
  fc.integer().map(Number),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.1,
    2 ** 53,
    2 ** 53 + 2,
    -(2 ** 53),
    1e17,
    1e21,
    1e300,
    5e-324,
    NaN,
    Infinity,
    -Infinity,
  ),
);

const integers: Readonly<Record<string, readonly [min: bigint, max: bigint]>> = {
  TINYINT: [-(2n ** 7n), 2n ** 7n - 1n],
  SMALLINT: [-(2n ** 15n), 2n ** 15n - 1n],
  INTEGER: [-(2n ** 31n), 2n ** 31n - 1n],
  BIGINT: [-(2n ** 63n), 2n ** 63n - 1n],
  UTINYINT: [0n, 2n ** 8n - 1n],
  USMALLINT: [0n, 2n ** 16n - 1n],
  UINTEGER: [0n, 2n ** 32n - 1n],
  UBIGINT: [0n, 2n ** 64n - 1n],
};

const keyScalar = fc.constantFrom(
  ...(['BOOLEAN', 'INTEGER', 'UBIGINT', 'VARCHAR', 'UUID', 'DATE', 'TIMESTAMP', 'BLOB'] as const),
);
const scalar = fc.oneof(
  keyScalar,
  fc.constantFrom(
    ...([
      'TINYINT',
      'SMALLINT',
      'BIGINT',
      'UTINYINT',
      'USMALLINT',
      'UINTEGER',
      'FLOAT',
      'DOUBLE',
      'VARCHAR',
      'TIME',
      'TIME_NS',
      'TIMESTAMP_NS',
      'TIMESTAMPTZ',
      'JSON',
      'JSON',
    ] as const),
  ),
  fc
    .integer({ min: 1, max: 38 })
    .chain((precision) =>
      fc.oneof(fc.constant(precision), fc.nat(precision)).map((scale) => ({ decimal: [precision, scale] as const })),
    ),
);

/** Names that DuckDB keeps apart: it folds ASCII case. */
export function columnsOf(type: fc.Arbitrary<ColumnType>, max: number): fc.Arbitrary<readonly Column[]> {
  return fc.uniqueArray(fc.record({ name: trickyName, type }), {
    minLength: 1,
    maxLength: max,
    selector: ({ name }) => name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()),
  });
}

export const columnType: fc.Arbitrary<ColumnType> = fc.letrec<{ type: ColumnType }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: scalar },
    { weight: 2, arbitrary: fc.record({ list: tie('type') }) },
    { weight: 2, arbitrary: fc.record({ struct: columnsOf(tie('type'), 3) }) },
    { weight: 2, arbitrary: fc.record({ map: fc.record({ key: keyScalar, value: tie('type') }) }) },
  ),
})).type;

/** The type as DuckDB writes it. */
export function ddl(type: ColumnType): string {
  if (typeof type === 'string') return type;
  if ('decimal' in type) return `DECIMAL(${type.decimal.join(',')})`;
  if ('list' in type) return `${ddl(type.list)}[]`;
  if ('map' in type) return `MAP(${ddl(type.map.key)}, ${ddl(type.map.value)})`;
  return `STRUCT(${type.struct.map((field) => `${quoteIdentifier(field.name)} ${ddl(field.type)}`).join(', ')})`;
}

/** A value of a type, one in six null. */
export function cellOf(type: ColumnType): fc.Arbitrary<Cell> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant({ value: null, sql: `NULL::${ddl(type)}` }) },
    { weight: 5, arbitrary: presentCellOf(type) },
  );
}

function presentCellOf(type: ColumnType): fc.Arbitrary<Cell> {
  if (typeof type === 'string') return scalarCell(type);
  const cast = (sql: string): string => `(${sql})::${ddl(type)}`;
  if ('decimal' in type) {
    const [precision, scale] = type.decimal;
    const most = 10n ** BigInt(precision) - 1n;
    const trailing = fc.tuple(fc.bigInt({ min: 0n, max: most }), fc.nat(scale)).map(([n, zeros]) => {
      const unit = 10n ** BigInt(zeros);
      return n - (n % unit);
    });
    return fc.tuple(trailing, fc.boolean()).map(([magnitude, negative]) => {
      const unscaled = negative ? -magnitude : magnitude;
      const digits = String(magnitude).padStart(scale + 1, '0');
      const point = digits.length - scale;
      const text = `${negative ? '-' : ''}${digits.slice(0, point)}${scale > 0 ? '.' : ''}${digits.slice(point)}`;
      return { value: { kind: 'decimal', unscaled, scale } as const, sql: cast(quoteString(text)) };
    });
  }
  if ('list' in type) {
    return fc.array(cellOf(type.list), { maxLength: 4 }).map((items) => ({
      value: items.map(({ value }) => value),
      sql: cast(`[${items.map(({ sql }) => sql).join(', ')}]`),
    }));
  }
  if ('struct' in type) {
    return fc.tuple(...type.struct.map((field) => cellOf(field.type))).map((cells) => ({
      value: { kind: 'object', members: cells.map(({ value }, i) => [type.struct[i]?.name ?? '', value]) },
      sql: cast(`{${cells.map(({ sql }, i) => `${quoteString(type.struct[i]?.name ?? '')}: ${sql}`).join(', ')}}`),
    }));
  }
  const { key, value } = type.map;
  const entry = fc.tuple(presentCellOf(key), cellOf(value));
  return fc.uniqueArray(entry, { maxLength: 4, selector: ([k]) => k.sql }).map((entries) => {
    const pairs = entries.map(([k, v]) => [k.value, v.value] as const);
    const isText = key === 'VARCHAR' || key === 'UUID';
    return {
      value: isText
        ? { kind: 'object', members: pairs.map(([k, v]) => [typeof k === 'string' ? k : '', v]) }
        : { kind: 'map', entries: pairs },
      sql: cast(`MAP([${entries.map(([k]) => k.sql).join(', ')}], [${entries.map(([, v]) => v.sql).join(', ')}])`),
    };
  });
}

function scalarCell(type: string): fc.Arbitrary<Cell> {
  const range = integers[type];
  if (range !== undefined) {
    const [min, max] = range;
    const near = fc.constantFrom(min, max, 0n, 1n);
    return fc.oneof(fc.bigInt({ min, max }), near).map((value) => ({ value, sql: `'${value}'::${type}` }));
  }
  switch (type) {
    case 'BOOLEAN':
      return fc.boolean().map((value) => ({ value, sql: String(value) }));
    case 'DOUBLE':
      return trickyFloat.map((value) => ({ value, sql: `'${Object.is(value, -0) ? '-0.0' : value}'::DOUBLE` }));
    case 'FLOAT':
      return trickyFloat.map((value) => ({ value: Math.fround(value), sql: `'${Math.fround(value)}'::DOUBLE::FLOAT` }));
    case 'VARCHAR':
      return trickyText.map((value) => ({ value, sql: textSql(value) }));
    case 'BLOB':
      return fc.uint8Array({ maxLength: 5 }).map((value) => ({ value, sql: `unhex('${hex(value)}')` }));
    case 'UUID':
      return fc.uuid().map((value) => ({ value, sql: `'${value.toUpperCase()}'::UUID` }));
    case 'DATE':
      return fc.integer({ min: -2_000_000, max: 2_000_000_000 }).map((days) => ({
        value: { kind: 'date', days: BigInt(days) },
        sql: `(DATE '1970-01-01' + ${days})::DATE`,
      }));
    case 'TIME':
      return fc.bigInt({ min: 0n, max: 86_399_999_999n }).map((us) => ({
        value: { kind: 'time', nanoseconds: us * 1000n },
        sql: `(TIME '00:00:00' + to_microseconds(${us}))::TIME`,
      }));
    case 'TIME_NS':
      return fc.bigInt({ min: 0n, max: 86_399_999_999_999n }).map((ns) => ({
        value: { kind: 'time', nanoseconds: ns },
        sql: `'${clock(ns)}'::TIME_NS`,
      }));
    case 'TIMESTAMP_NS':
      return fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }).map((ns) => ({
        value: { kind: 'timestamp', nanoseconds: ns },
        sql: `make_timestamp_ns(${ns})`,
      }));
    case 'TIMESTAMP':
      return farMicroseconds.map((us) => ({
        value: { kind: 'timestamp', nanoseconds: us * 1000n },
        sql: `make_timestamp(${us})`,
      }));
    case 'TIMESTAMPTZ':
      return farMicroseconds.map((us) => ({
        value: { kind: 'instant', nanoseconds: us * 1000n },
        sql: `make_timestamp(${us})::TIMESTAMPTZ`,
      }));
    default:
      return jsonCell.map(({ value, text }) => ({ value, sql: `${textSql(text)}::JSON` }));
  }
}

const farMicroseconds = fc.oneof(
  fc.bigInt({ min: -(2n ** 54n), max: 2n ** 62n }),
  fc.constantFrom(-1n, 0n, 1n, 9_223_339_708_800_000_000n),
);

function two(n: bigint): string {
  return String(n).padStart(2, '0');
}

function clock(nanoseconds: bigint): string {
  const seconds = nanoseconds / 1_000_000_000n;
  const fraction = String(nanoseconds % 1_000_000_000n).padStart(9, '0');
  return `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}.${fraction}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** SQL for any text: a literal cannot hold a NUL. */
function textSql(text: string): string {
  return `decode(unhex('${hex(Buffer.from(text))}'))`;
}

const jsonString = fc.tuple(trickyText, fc.boolean()).map(([text, escaped]) => ({
  value: text,
  text: escaped
    ? `"${Array.from({ length: text.length }, (_, i) => unitEscape(text, i)).join('')}"`
    : JSON.stringify(text),
}));

function unitEscape(text: string, at: number): string {
  return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`;
}

/** JSON texts in odd spellings, with the value that each means. */
export const jsonCell: fc.Arbitrary<JsonCell> = fc.letrec<{ json: JsonCell }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    jsonString,
    fc.constantFrom<JsonCell>(
      { value: null, text: 'null' },
      { value: true, text: 'true' },
      { value: false, text: 'false' },
    ),
    fc.bigInt({ min: 1n - 10n ** 38n, max: 10n ** 38n - 1n }).map((value) => ({ value, text: String(value) })),
    fc.integer().map((n) => ({ value: BigInt(n), text: String(n) })),
    trickyFloat.map((value) => ({ value, text: floatText(value) })),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => ({
      value: items.map(({ value }) => value),
      text: `[ ${items.map(({ text }) => text).join(' ,')}]`,
    })),
    fc
      .uniqueArray(fc.tuple(jsonString, tie('json')), { maxLength: 4, selector: ([name]) => name.value })
      .map((members) => ({
        value: { kind: 'object' as const, members: members.map(([name, { value }]) => [name.value, value] as const) },
        text: `{${members.map(([name, { text }]) => `${name.text} :\t${text}`).join(', ')} }`,
      })),
  ),
})).json;

/** A float in JSON: digits alone would be an integer. */
function floatText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
}
