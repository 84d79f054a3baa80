/**
 * The reference implementation of row encoding v1 on `@noble/hashes`: for verification, the browser and the tests.
 * It shares no code with `row-encoding-sql.ts`, nor with `json-value.ts`; that they agree is what the golden vectors
 * show. docs/FORMAT.md, "Row encoding".
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';

/** A value as identity sees it. A `number` is a float whatever it holds; integers are `bigint`. */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | DecimalValue
  | DateValue
  | TimeValue
  | TimestampValue
  | InstantValue
  | readonly Value[]
  | ObjectValue
  | MapValue;

/** `unscaled / 10^scale`. */
export interface DecimalValue {
  readonly kind: 'decimal';
  readonly unscaled: bigint;
  readonly scale: number;
}
/** Days since 1970-01-01. */
export interface DateValue {
  readonly kind: 'date';
  readonly days: bigint;
}
/** Nanoseconds since midnight. */
export interface TimeValue {
  readonly kind: 'time';
  readonly nanoseconds: bigint;
}
/** A date and time of no zone, as nanoseconds since 1970-01-01T00:00:00. */
export interface TimestampValue {
  readonly kind: 'timestamp';
  readonly nanoseconds: bigint;
}
/** A point in time, as nanoseconds since 1970-01-01T00:00:00Z. */
export interface InstantValue {
  readonly kind: 'instant';
  readonly nanoseconds: bigint;
}
/** A struct, a JSON object, or a map whose keys are text. A member that is null is the same as none. */
export interface ObjectValue {
  readonly kind: 'object';
  readonly members: readonly (readonly [name: string, value: Value])[];
}
/** A map whose keys are not text. */
export interface MapValue {
  readonly kind: 'map';
  readonly entries: readonly (readonly [key: Value, value: Value])[];
}

const LEVELS_MAX = 64;
const LONGEST_INTEGER = 10n ** 38n - 1n;

/**
 * The encoding of one value.
 * @throws TypeError for lone surrogates, a key given twice, a null or text as key of a map of other keys;
 * RangeError for numbers of more than 38 digits, times outside a day, and nesting past 64 levels.
 */
export function encodeValue(value: Value): string {
  return encode(value, 0);
}

/** The preimage of a row's digest, in UTF-8. @throws TypeError and RangeError as {@link encodeValue} does. */
export function encodeRow(columns: readonly (readonly [name: string, value: Value])[]): Uint8Array {
  return utf8.encode(`holdout-row-v1:${encodeMembers(columns, 0)}`);
}

/** The digest of a row: 32 bytes. @throws TypeError and RangeError as {@link encodeValue} does. */
export function rowDigest(columns: readonly (readonly [name: string, value: Value])[]): Uint8Array {
  return sha256(encodeRow(columns));
}

const utf8 = new TextEncoder();

function encode(value: Value, level: number): string {
  if (value === null) return 'N';
  if (value === true) return 'T';
  if (value === false) return 'F';
  if (typeof value === 'bigint') return encodeInteger(value);
  if (typeof value === 'number') return encodeFloat(value);
  if (typeof value === 'string') return encodeString(value);
  if (value instanceof Uint8Array) return encodeBytes(value);
  if (isList(value)) return encodeList(value, level + 1);
  switch (value.kind) {
    case 'decimal':
      return encodeDecimal(value);
    case 'date':
      return `d${value.days};`;
    case 'time':
      if (value.nanoseconds < 0n || value.nanoseconds > DAY) throw new RangeError('a time lies within one day');
      return `t${value.nanoseconds};`;
    case 'timestamp':
      return `s${value.nanoseconds};`;
    case 'instant':
      return `z${value.nanoseconds};`;
    case 'object':
      return encodeMembers(value.members, level + 1);
    case 'map':
      return encodeMap(value, level + 1);
  }
  return value satisfies never;
}

/** 24:00:00 is a time of its own in SQL. */
const DAY = 86_400_000_000_000n;

function isList(value: Exclude<Value, null>): value is readonly Value[] {
  return Array.isArray(value);
}

function encodeInteger(value: bigint): string {
  if (value > LONGEST_INTEGER || value < -LONGEST_INTEGER) throw new RangeError('an integer has at most 38 digits');
  return `I${value};`;
}

function encodeFloat(value: number): string {
  if (Number.isNaN(value)) return 'D7FF8000000000000';
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 53) return encodeInteger(BigInt(value));
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, false);
  return `D${hexUpper(bytes)}`;
}

function encodeDecimal({ unscaled, scale }: DecimalValue): string {
  if (!Number.isInteger(scale) || scale < 0 || scale > 38) throw new RangeError('a scale lies between 0 and 38');
  if (unscaled > LONGEST_INTEGER || unscaled < -LONGEST_INTEGER)
    throw new RangeError('a decimal has at most 38 digits');
  let digits = unscaled < 0n ? -unscaled : unscaled;
  let places = scale;
  while (places > 0 && digits % 10n === 0n) {
    digits /= 10n;
    places--;
  }
  const sign = unscaled < 0n ? '-' : '';
  if (places === 0) return `I${sign}${digits};`;
  const one = 10n ** BigInt(places);
  return `M${sign}${digits / one}.${String(digits % one).padStart(places, '0')};`;
}

function encodeString(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError('text holds a lone surrogate');
  return `S${utf8.encode(text).length}:${text}`;
}

function encodeBytes(bytes: Uint8Array): string {
  return `B${bytes.length}:${hexUpper(bytes)}`;
}

function hexUpper(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}

function encodeList(items: readonly Value[], level: number): string {
  checkLevel(level);
  return `L${items.length}:${items.map((item) => encode(item, level)).join('')}`;
}

function encodeMembers(members: readonly (readonly [name: string, value: Value])[], level: number): string {
  checkLevel(level);
  const named = members.map(([name, value]) => ({ name, bytes: utf8.encode(name), value }));
  named.sort((a, b) => compareBytes(a.bytes, b.bytes));
  refuseTwins(named.map(({ bytes }) => bytes));
  const texts = named
    .filter(({ value }) => value !== null)
    .map(({ name, value }) => `${encodeString(name)}${encode(value, level)}`);
  return `O${texts.join('')}E`;
}

function encodeMap(map: MapValue, level: number): string {
  checkLevel(level);
  const entries = map.entries.map(([key, value]) => {
    if (key === null) throw new TypeError('the key of a map is null');
    if (typeof key === 'string') throw new TypeError('a map whose keys are text is an object');
    const text = encode(key, level);
    return { key: text, bytes: utf8.encode(text), value: encode(value, level) };
  });
  entries.sort((a, b) => compareBytes(a.bytes, b.bytes));
  refuseTwins(entries.map(({ bytes }) => bytes));
  return `P${entries.length}:${entries.map(({ key, value }) => `${key}${value}`).join('')}`;
}

function refuseTwins(sorted: readonly Uint8Array[]): void {
  for (const [i, bytes] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && compareBytes(bytes, next) === 0) throw new TypeError('a key is given twice');
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (const [i, byte] of a.entries()) {
    const other = b[i];
    if (other === undefined) return 1;
    if (byte !== other) return byte - other;
  }
  return a.length - b.length;
}

function checkLevel(level: number): void {
  if (level > LEVELS_MAX) throw new RangeError(`nesting deeper than ${LEVELS_MAX} levels`);
}
