/**
 * Values of Arrow columns as JSON text, from the raw buffers: the library's own getters make floats of timestamps and
 * lose a leading U+FEFF. Types that JSON lacks are written as `checked-text.ts` reads them.
 * @module
 */
import { DataType, DateUnit, Precision, TimeUnit } from 'apache-arrow';
import type { Data, Vector } from 'apache-arrow';
import type { ColumnType } from '../../../schemas/table-schema.ts';
import { HoldoutError } from '../../errors.ts';
import { canonicalJsonText } from '../../identity/json-value.ts';
import { arrowNestedType } from './arrow-types.ts';

/** JSON text of the value at an index; null for null. */
export type ValueWriter = (index: number) => string | null;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A writer for one column of one record batch; `stored` is what `arrowColumnType` said. */
export function valueWriter(data: Data, stored: ColumnType): ValueWriter {
  const write = presentWriter(data, stored);
  return (index) => (data.getValid(index) ? write(index) : null);
}

function presentWriter(data: Data, stored: ColumnType): ValueWriter {
  const { type } = data;
  if (DataType.isDictionary(type)) return dictionaryWriter(data, stored);
  if (DataType.isNull(type)) return () => null;
  if (DataType.isBool(type)) {
    const bits = data.values as Uint8Array;
    return (index) => (((bits[(data.offset + index) >> 3] ?? 0) >> ((data.offset + index) & 7)) & 1 ? 'true' : 'false');
  }
  if (DataType.isInt(type)) {
    const values = data.values as ArrayLike<number | bigint>;
    return (index) => String(values[index]);
  }
  if (DataType.isFloat(type)) {
    const values = data.values as ArrayLike<number>;
    return type.precision === Precision.HALF
      ? (index) => floatText(halfFloat(values[index] ?? 0))
      : (index) => floatText(values[index] ?? 0);
  }
  if (DataType.isDecimal(type)) {
    const words = bytesOf(data);
    const { bitWidth, scale } = type;
    return (index) => decimalText(words, index * (bitWidth / 8), bitWidth / 8, scale);
  }
  if (DataType.isDate(type)) {
    if (type.unit === DateUnit.DAY) {
      const days = data.values as ArrayLike<number>;
      return (index) => `"${dateText(BigInt(days[index] ?? 0))}"`;
    }
    const milliseconds = wideIntegers(data);
    return (index) => {
      const value = milliseconds[index] ?? 0n;
      if (value % 86_400_000n !== 0n) throw new HoldoutError('INPUT_INVALID', 'a date holds a time of day');
      return `"${dateText(value / 86_400_000n)}"`;
    };
  }
  if (DataType.isTime(type)) {
    const values = type.bitWidth === 64 ? wideIntegers(data) : (data.values as ArrayLike<number>);
    return (index) => `"${clockText(BigInt(values[index] ?? 0), type.unit)}"`;
  }
  if (DataType.isTimestamp(type)) {
    const values = wideIntegers(data);
    const zone = stored === 'TIMESTAMPTZ' ? 'Z' : '';
    return (index) => {
      const day = 86_400n * perSecond(type.unit);
      const value = values[index] ?? 0n;
      const within = ((value % day) + day) % day;
      return `"${dateText((value - within) / day)}T${clockText(within, type.unit)}${zone}"`;
    };
  }
  if (stored === 'JSON' && type.children !== null && type.children.length > 0) {
    // Nested too deep for a type of its own: the text of its values is the same.
    return presentWriter(data, arrowNestedType(type));
  }
  if (DataType.isStruct(type)) return structWriter(data, stored);
  if (DataType.isMap(type)) return mapWriter(data, stored);
  if (DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type)) {
    return listWriter(data, stored);
  }
  return bytesWriter(data, type, stored);
}

function dictionaryWriter(data: Data, stored: ColumnType): ValueWriter {
  const indices = data.values as ArrayLike<number | bigint>;
  const chunks = ((data.dictionary as Vector | undefined)?.data ?? []).map((chunk) => ({
    length: chunk.length,
    write: valueWriter(chunk, stored),
  }));
  return (index) => {
    let at = Number(indices[index]);
    for (const chunk of chunks) {
      if (at < chunk.length) return chunk.write(at);
      at -= chunk.length;
    }
    throw new HoldoutError('INPUT_INVALID', 'a dictionary index points past the dictionary');
  };
}

function bytesWriter(data: Data, type: DataType, stored: ColumnType): ValueWriter {
  const take = byteReader(data, type);
  if (stored === 'BLOB') return (index) => `"${Buffer.from(take(index)).toString('base64')}"`;
  if (stored === 'UUID') {
    return (index) => {
      const hex = Buffer.from(take(index)).toString('hex');
      if (hex.length !== 32) throw new HoldoutError('INPUT_INVALID', 'a UUID is not of 16 bytes');
      return `"${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}"`;
    };
  }
  return (index) => {
    let text: string;
    try {
      text = utf8.decode(take(index));
    } catch (cause) {
      throw new HoldoutError('INPUT_INVALID', 'a string is not valid UTF-8', { cause });
    }
    if (stored !== 'JSON') return JSON.stringify(text);
    canonicalJsonText(text);
    return text.replaceAll(/[\r\n]/g, ' ');
  };
}

function byteReader(data: Data, type: DataType): (index: number) => Uint8Array {
  const values = data.values as Uint8Array;
  if (DataType.isFixedSizeBinary(type)) {
    const width = type.byteWidth;
    return (index) => values.subarray(index * width, (index + 1) * width);
  }
  if (DataType.isUtf8View(type) || DataType.isBinaryView(type)) {
    const views = new DataView(values.buffer, values.byteOffset, values.byteLength);
    return (index) => {
      const length = views.getInt32(index * 16, true);
      if (length <= 12) return values.subarray(index * 16 + 4, index * 16 + 4 + length);
      const start = views.getInt32(index * 16 + 12, true);
      const buffer = data.variadicBuffers[views.getInt32(index * 16 + 8, true)] ?? new Uint8Array(0);
      return buffer.subarray(start, start + length);
    };
  }
  const offsets = data.valueOffsets as ArrayLike<number | bigint>;
  return (index) => values.subarray(Number(offsets[index]), Number(offsets[index + 1]));
}

function listWriter(data: Data, stored: ColumnType): ValueWriter {
  const item = valueWriter(firstChild(data), (stored as { list: ColumnType }).list);
  const [start, end] = listBounds(data);
  return (index) => {
    const items: string[] = [];
    for (let at = start(index); at < end(index); at++) items.push(item(at) ?? 'null');
    return `[${items.join(',')}]`;
  };
}

function mapWriter(data: Data, stored: ColumnType): ValueWriter {
  const { map } = stored as { map: { key: ColumnType; value: ColumnType } };
  const [keys, values] = firstChild(data).children;
  if (keys === undefined || values === undefined) throw new HoldoutError('INPUT_INVALID', 'a map lacks its entries');
  const key = valueWriter(keys, map.key);
  const value = valueWriter(values, map.value);
  const [start, end] = listBounds(data);
  return (index) => {
    const members: string[] = [];
    for (let at = start(index); at < end(index); at++) {
      const name = key(at);
      if (name === null) throw new HoldoutError('INPUT_INVALID', 'a map has a null key');
      members.push(`${name}:${value(at) ?? 'null'}`);
    }
    return `{${members.join(',')}}`;
  };
}

function structWriter(data: Data, stored: ColumnType): ValueWriter {
  const members = (stored as { struct: readonly { name: string; type: ColumnType }[] }).struct.map((member, index) => {
    const child = data.children[index];
    if (child === undefined) throw new HoldoutError('INPUT_INVALID', 'a struct lacks a member');
    return { key: `${JSON.stringify(member.name)}:`, write: valueWriter(child, member.type) };
  });
  return (index) => {
    const texts: string[] = [];
    for (const member of members) {
      const value = member.write(index);
      if (value !== null) texts.push(member.key + value);
    }
    return `{${texts.join(',')}}`;
  };
}

function listBounds(data: Data): [start: (index: number) => number, end: (index: number) => number] {
  const { type } = data;
  if (DataType.isFixedSizeList(type)) {
    const size = type.listSize;
    return [(index) => (data.offset + index) * size, (index) => (data.offset + index + 1) * size];
  }
  const offsets = data.valueOffsets as ArrayLike<number | bigint>;
  return [(index) => Number(offsets[index]), (index) => Number(offsets[index + 1])];
}

function firstChild(data: Data): Data {
  const child = data.children[0];
  if (child === undefined) throw new HoldoutError('INPUT_INVALID', 'a list lacks its elements');
  return child;
}

function bytesOf(data: Data): DataView {
  const values = data.values as Uint8Array;
  return new DataView(values.buffer, values.byteOffset, values.byteLength);
}

function wideIntegers(data: Data): ArrayLike<bigint> {
  const values = data.values as Uint8Array;
  return new BigInt64Array(values.buffer, values.byteOffset, Math.floor(values.byteLength / 8));
}

function floatText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}

function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function decimalText(words: DataView, at: number, bytes: number, scale: number): string {
  let value = 0n;
  for (let offset = bytes - 4; offset >= 0; offset -= 4) {
    value = (value << 32n) | BigInt(words.getUint32(at + offset, true));
  }
  value = BigInt.asIntN(bytes * 8, value);
  if (scale === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  return `"${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}"`;
}

function perSecond(unit: TimeUnit): bigint {
  return [1n, 1000n, 1_000_000n, 1_000_000_000n][unit] ?? 1n;
}

function dateText(days: bigint): string {
  const time = days > 3_000_000n || days < -720_000n ? Number.NaN : Number(days) * 86_400_000;
  const text = Number.isNaN(time) ? '' : new Date(time).toISOString();
  if (!/^\d{4}-/.test(text) || text.startsWith('0000')) {
    throw new HoldoutError('INPUT_INVALID', 'a date lies outside the years 1 to 9999', {
      hint: 'Write the table as Parquet, where such dates are held.',
    });
  }
  return text.slice(0, 10);
}

function twoDigits(part: number): string {
  return String(part).padStart(2, '0');
}

function clockText(value: bigint, unit: TimeUnit): string {
  const parts = perSecond(unit);
  const seconds = Number(value / parts);
  const text = `${twoDigits(Math.floor(seconds / 3600))}:${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`;
  return parts === 1n ? text : `${text}.${String(value % parts).padStart([0, 3, 6, 9][unit] ?? 0, '0')}`;
}
