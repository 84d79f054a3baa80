/**
 * Columns of values as Arrow data, built from raw buffers: Arrow's own builders would round times and wide integers.
 * @module
 */
import * as arrow from 'apache-arrow';
import type { ColumnType, ScalarType } from '../../schemas/table-schema.ts';
import type { PlainValue } from '../engine/plain-value.ts';
import { quoteIdentifier, quoteString } from '../identity/sql-text.ts';

/** The Arrow type of a column type; UUIDs and JSON values are told by the extension that `arrowField` names. */
function arrowType(type: ColumnType): arrow.DataType {
  if (typeof type === 'string') return scalarTypes[type]();
  if ('decimal' in type) return new arrow.Decimal(type.decimal[1], type.decimal[0], 128);
  if ('list' in type) return new arrow.List(arrowField('item', type.list));
  if ('struct' in type) return new arrow.Struct(type.struct.map((inner) => arrowField(inner.name, inner.type)));
  const entries = new arrow.Struct<{ key: arrow.DataType; value: arrow.DataType }>([
    new arrow.Field('key', arrowType(type.map.key), false),
    arrowField('value', type.map.value),
  ]);
  return new arrow.Map_(new arrow.Field('entries', entries, false), false);
}

/** A column as an Arrow field. */
export function arrowField(name: string, type: ColumnType): arrow.Field {
  const extension = typeof type === 'string' ? extensions[type] : undefined;
  if (extension === undefined) return new arrow.Field(name, arrowType(type), true);
  const metadata = new Map([
    ['ARROW:extension:name', extension],
    ['ARROW:extension:metadata', ''],
  ]);
  return new arrow.Field(name, arrowType(type), true, metadata);
}

const extensions: Readonly<Record<string, string>> = { UUID: 'arrow.uuid', JSON: 'arrow.json' };

const scalarTypes: Readonly<Record<ScalarType, () => arrow.DataType>> = {
  NULL: () => new arrow.Null(),
  BOOLEAN: () => new arrow.Bool(),
  TINYINT: () => new arrow.Int8(),
  SMALLINT: () => new arrow.Int16(),
  INTEGER: () => new arrow.Int32(),
  BIGINT: () => new arrow.Int64(),
  UTINYINT: () => new arrow.Uint8(),
  USMALLINT: () => new arrow.Uint16(),
  UINTEGER: () => new arrow.Uint32(),
  UBIGINT: () => new arrow.Uint64(),
  FLOAT: () => new arrow.Float32(),
  DOUBLE: () => new arrow.Float64(),
  VARCHAR: () => new arrow.Utf8(),
  UUID: () => new arrow.FixedSizeBinary(16),
  JSON: () => new arrow.Utf8(),
  BLOB: () => new arrow.Binary(),
  DATE: () => new arrow.DateDay(),
  TIME: () => new arrow.TimeMicrosecond(),
  TIME_NS: () => new arrow.TimeNanosecond(),
  TIMESTAMP: () => new arrow.TimestampMicrosecond(),
  TIMESTAMP_NS: () => new arrow.TimestampNanosecond(),
  TIMESTAMPTZ: () => new arrow.TimestampMicrosecond('UTC'),
};

/** An expression that leaves the engine as what `arrowData` takes: text as bytes, times and decimals as integers. */
export function arrowValueSql(type: ColumnType, x: string, level = 0): string {
  if (typeof type === 'string') return scalarSql(type, x);
  const v = `v${level}`;
  // Digits without the point are the unscaled integer, with more than 64 bits as text.
  if ('decimal' in type) return `replace((${x})::VARCHAR, '.', '')`;
  if ('list' in type) return `list_transform(${x}, lambda ${v}: ${arrowValueSql(type.list, v, level + 1)})`;
  if ('map' in type) {
    const key = arrowValueSql(type.map.key, `${v}.key`, level + 1);
    const value = arrowValueSql(type.map.value, `${v}.value`, level + 1);
    return `list_transform(map_entries(${x}), lambda ${v}: {'key': ${key}, 'value': ${value}})`;
  }
  const members = type.struct.map((inner, index) => {
    const member = arrowValueSql(inner.type, `struct_extract(${x}, ${quoteString(inner.name)})`, level + 1);
    return `${quoteIdentifier(`m${index}`)} := ${member}`;
  });
  return `CASE WHEN (${x}) IS NULL THEN NULL ELSE struct_pack(${members.join(', ')}) END`;
}

function scalarSql(type: ScalarType, x: string): string {
  switch (type) {
    case 'VARCHAR':
    case 'JSON':
      return `encode((${x})::VARCHAR)`;
    case 'UUID':
      return `unhex(replace((${x})::VARCHAR, '-', ''))`;
    case 'DATE':
      return `((${x}) - DATE '1970-01-01')::INTEGER`;
    case 'TIME':
    case 'TIMESTAMP':
    case 'TIMESTAMPTZ':
      return `epoch_us(${x})`;
    case 'TIME_NS':
    case 'TIMESTAMP_NS':
      return `epoch_ns(${x})`;
    default:
      return x;
  }
}

/** Values (of a query over `arrowValueSql`) as Arrow data. */
export function arrowData(type: ColumnType, values: readonly PlainValue[]): arrow.Data {
  const length = values.length;
  const target = arrowType(type);
  if (type === 'NULL') return arrow.makeData({ type: target as arrow.Null, length });
  const nullBitmap = new Uint8Array(Math.ceil(length / 64) * 8);
  let nullCount = 0;
  for (const [i, value] of values.entries()) {
    if (value === null) nullCount++;
    else nullBitmap[i >>> 3]! |= 1 << (i & 7);
  }
  const common = { length, nullCount, nullBitmap };
  if (typeof type === 'string') return scalarData(target, type, values, common);
  if ('decimal' in type) {
    return arrow.makeData({ ...common, type: target as arrow.Decimal, data: decimalWords(values) });
  }
  if ('struct' in type) {
    const children = type.struct.map((inner, index) =>
      arrowData(
        inner.type,
        values.map((value) => (value as Members | null)?.[`m${index}`] ?? null),
      ),
    );
    return arrow.makeData({ ...common, type: target as arrow.Struct, children });
  }
  const valueOffsets = offsetsOf(values, (value) => (value as readonly PlainValue[]).length);
  const flat = values.flatMap((value) => (value as readonly PlainValue[] | null) ?? []);
  if ('list' in type) {
    return arrow.makeData({ ...common, type: target as arrow.List, valueOffsets, child: arrowData(type.list, flat) });
  }
  const { key, value } = type.map;
  const entries = target as arrow.Map_;
  const child = arrow.makeData({
    type: entries.children[0]!.type,
    length: flat.length,
    nullCount: 0,
    children: [
      arrowData(
        key,
        flat.map((entry) => (entry as Members)['key'] ?? null),
      ),
      arrowData(
        value,
        flat.map((entry) => (entry as Members)['value'] ?? null),
      ),
    ],
  } as Parameters<typeof arrow.makeData>[0]);
  return arrow.makeData({ ...common, type: entries, valueOffsets, child } as Parameters<typeof arrow.makeData>[0]);
}

type Members = Readonly<Record<string, PlainValue>>;
interface Common {
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap: Uint8Array;
}

function scalarData(
  target: arrow.DataType,
  type: ScalarType,
  values: readonly PlainValue[],
  common: Common,
): arrow.Data {
  const props = (data: unknown): Parameters<typeof arrow.makeData>[0] =>
    ({ ...common, type: target, ...(data as object) }) as Parameters<typeof arrow.makeData>[0];
  if (type === 'BOOLEAN') {
    const data = new Uint8Array(common.nullBitmap.length);
    for (const [i, value] of values.entries()) if (value === true) data[i >>> 3]! |= 1 << (i & 7);
    return arrow.makeData(props({ data }));
  }
  if (type === 'UUID') {
    const data = Buffer.concat(values.map((value) => (value as Uint8Array | null) ?? noUuid));
    return arrow.makeData(props({ data }));
  }
  if (arrow.DataType.isUtf8(target) || arrow.DataType.isBinary(target)) {
    const bytes = values.flatMap((value) => (value === null ? [] : [value as Uint8Array]));
    const valueOffsets = offsetsOf(values, (value) => (value as Uint8Array).length);
    return arrow.makeData(props({ valueOffsets, data: Buffer.concat(bytes) }));
  }
  const data = new target.ArrayType(values.length) as Float64Array | BigInt64Array;
  for (const [i, value] of values.entries()) {
    if (value !== null) (data as Record<number, unknown>)[i] = value;
  }
  return arrow.makeData(props({ data }));
}

const noUuid = new Uint8Array(16);

function offsetsOf(values: readonly PlainValue[], size: (value: PlainValue) => number): Int32Array {
  const offsets = new Int32Array(values.length + 1);
  let at = 0;
  for (const [i, value] of values.entries()) offsets[i + 1] = at += value === null ? 0 : size(value);
  return offsets;
}

/** 128-bit integers, least significant 32 bits first. */
function decimalWords(values: readonly PlainValue[]): Uint32Array {
  const words = new Uint32Array(values.length * 4);
  for (const [i, value] of values.entries()) {
    let rest = BigInt.asUintN(128, BigInt((value as string | null) ?? 0));
    for (let word = 0; word < 4; word++, rest >>= 32n) words[i * 4 + word] = Number(rest & 0xffffffffn);
  }
  return words;
}
