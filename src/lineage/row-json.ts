/**
 * Rows between the engine's JSON text and a person's JavaScript, with no value changed on the way: integers past 2^53
 * are BigInt, all other numbers Number.
 * @module
 */

/** A row as a module sees it. */
export type Row = Record<string, unknown>;

const largeNumber = /\d{16}/;
const bareWord = /[:,[](?:NaN|-?Infinity)/;
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|NaN|-?Infinity/g;
/** What JSON.parse would change, or refuse. */
const marked = /^(?:-?\d{16,}|NaN|-?Infinity)$/;
const loneSurrogate = /\p{Cs}/u;
const levelsMax = 64;

/** Reads a line that the engine wrote: a row in canonical JSON. */
export function readRow(line: string): Row {
  if (!largeNumber.test(line) && !bareWord.test(line)) return JSON.parse(line) as Row;
  let mark = '\uE000';
  while (line.includes(mark)) mark += '\uE000';
  const text = line.replace(tokens, (token) => (marked.test(token) ? `"${mark}${token}"` : token));
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(mark)) return value;
    const token = value.slice(mark.length);
    if (/[NI]/.test(token)) return Number(token);
    const number = Number(token);
    return Number.isSafeInteger(number) ? number : BigInt(token);
  }) as Row;
}

/** A value that a row cannot hold. */
class ValueFault extends Error {}

/** Members of a row by name, in their order, each as JSON that reads back as the same value. */
export type WrittenRow = ReadonlyMap<string, string>;

/**
 * A row's members as JSON; those that are undefined are left out.
 * @throws ValueFault naming the member, for what is no row or no value of one.
 */
export function writeMembers(row: unknown): WrittenRow {
  if (!isPlainObject(row)) throw new ValueFault(`a row is an object, got ${describe(row)}`);
  const members = new Map<string, string>();
  for (const key of Object.keys(row)) {
    const member = row[key];
    if (member !== undefined) members.set(key, writeValue(member, key, 0));
  }
  return members;
}

/** Written members as a line, without its end. @throws ValueFault for a name that is no text */
export function lineOf(members: WrittenRow): string {
  let line = '{';
  for (const [key, text] of members) line += `${line.length > 1 ? ',' : ''}${writeText(key, '')}:${text}`;
  return `${line}}`;
}

function writeObject(value: Row, at: string, level: number): string {
  let text = '{';
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member === undefined) continue;
    if (text.length > 1) text += ',';
    text += `${writeText(key, at)}:${writeValue(member, at === '' ? key : `${at}.${key}`, level)}`;
  }
  return `${text}}`;
}

function writeValue(value: unknown, at: string, level: number): string {
  if (value === null) return 'null';
  switch (typeof value) {
    case 'string':
      return writeText(value, at);
    case 'number':
      return writeNumber(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return String(value);
    case 'object': {
      if (level >= levelsMax) throw new ValueFault(`"${at}" nests deeper than ${levelsMax} levels`);
      if (Array.isArray(value)) {
        // Unlike `map`, this visits the holes of a sparse list: null, as in JSON.stringify.
        return `[${Array.from(value, (item: unknown) => writeValue(item ?? null, `${at}[]`, level + 1)).join(',')}]`;
      }
      if (isPlainObject(value)) return writeObject(value, at, level + 1);
      break;
    }
    case 'undefined':
    case 'function':
    case 'symbol':
      break;
  }
  throw new ValueFault(`"${at}" is ${describe(value)}, which a row cannot hold`);
}

function writeText(value: string, at: string): string {
  if (loneSurrogate.test(value)) throw new ValueFault(`"${at}" holds half a surrogate pair, which is no text`);
  return JSON.stringify(value);
}

/** A whole number past 2^53 is written as the float that it is, never as an integer that it may not have been. */
function writeNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
  return Number.isInteger(value) ? value.toExponential() : String(value);
}

function isPlainObject(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function describe(value: unknown): string {
  if (value instanceof Date) return 'a Date (give its text, such as toISOString())';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const { constructor } = value as { constructor?: { name?: string } };
  const name = constructor?.name ?? '';
  return name === '' ? 'an object that is none of plain members' : `an object of class ${name}`;
}
