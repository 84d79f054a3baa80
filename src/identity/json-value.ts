/**
 * What a JSON text means to identity: its canonical encoding (for the function that SQL calls), its canonical text,
 * and its value. docs/FORMAT.md, "JSON values".
 * @module
 */
import { readJson, type JsonShape } from './json-text.ts';
import type { Value } from './row-encoding.ts';

/**
 * The canonical encoding of one JSON value; `N` for null. Shares no code with the reference encoder.
 * @throws HoldoutError INPUT_INVALID or LIMIT as {@link readJson} does.
 */
export function encodeJsonText(text: string): string {
  return readJson(text, encoded);
}

/**
 * The value with members sorted by UTF-8 bytes, null members left out, integers exact, and floats in ECMAScript's
 * shortest form: an integer where they equal one, with `.0` where digits alone would be read as an exact integer.
 * NaN and infinities stay bare words.
 * @throws HoldoutError INPUT_INVALID or LIMIT as {@link readJson} does.
 */
export function canonicalJsonText(text: string): string {
  return readJson(text, canonical);
}

/**
 * The value, with members sorted and null members left out.
 * @throws HoldoutError INPUT_INVALID or LIMIT as {@link readJson} does.
 */
export function parseJsonValue(text: string): Value {
  return readJson(text, parsed);
}

const encoded: JsonShape<string> = {
  null: 'N',
  true: 'T',
  false: 'F',
  integer: (digits) => `I${digits};`,
  float: encodeFloat,
  string: (text, utf8Bytes) => `S${utf8Bytes}:${text}`,
  list: (items) => `L${items.length}:${items.join('')}`,
  object: (members) => {
    let text = 'O';
    for (const { name, nameBytes, value } of members) text += `S${nameBytes}:${name}${value}`;
    return `${text}E`;
  },
};

const canonical: JsonShape<string> = {
  null: 'null',
  true: 'true',
  false: 'false',
  integer: (digits) => digits,
  float: (value) => {
    const text = String(value);
    return Math.abs(value) > EXACT_MAX && /^-?[0-9]+$/.test(text) ? `${text}.0` : text;
  },
  string: (text) => JSON.stringify(text),
  list: (items) => `[${items.join(',')}]`,
  object: (members) => `{${members.map(({ name, value }) => `${JSON.stringify(name)}:${value}`).join(',')}}`,
};

const parsed: JsonShape<Value> = {
  null: null,
  true: true,
  false: false,
  integer: (digits) => BigInt(digits),
  float: (value) => value,
  string: (text) => text,
  list: (items) => items,
  object: (members) => ({ kind: 'object', members: members.map(({ name, value }) => [name, value]) }),
};

/** Up to here a double stands for one integer only. */
const EXACT_MAX = 2 ** 53;
const bits = new DataView(new ArrayBuffer(8));

function encodeFloat(value: number): string {
  if (Math.abs(value) <= EXACT_MAX && Math.trunc(value) === value) return `I${value};`;
  if (Number.isNaN(value)) return 'D7FF8000000000000';
  bits.setFloat64(0, value);
  return `D${bits.getBigUint64(0).toString(16).toUpperCase().padStart(16, '0')}`;
}
