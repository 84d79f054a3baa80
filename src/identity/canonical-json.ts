/**
 * Canonical JSON (RFC 8785), the form in which records are stored and named. Strict: what JSON cannot say is refused
 * instead of guessed, so that one value has one text. docs/FORMAT.md, "Records".
 * @module
 */
import { createHash } from 'node:crypto';
import type { Sha256Id } from '../../schemas/ids.ts';

/**
 * The RFC 8785 text of plain data.
 * @throws TypeError for undefined, bigint, functions, symbols, non-finite numbers, lone surrogates, holes in arrays
 * and objects that are not plain.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$');
}

/** The bytes of a record: its canonical JSON in UTF-8. @throws TypeError as {@link canonicalJson} does. */
export function recordBytes(record: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalJson(record));
}

/** The id of a record: `sha256:` of its bytes. @throws TypeError as {@link canonicalJson} does. */
export function recordId(record: unknown): Sha256Id {
  return `sha256:${createHash('sha256').update(recordBytes(record)).digest('hex')}` as Sha256Id;
}

function write(value: unknown, path: string): string {
  switch (typeof value) {
    case 'string':
      return writeString(value, path);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`canonical JSON: ${path} is ${value}`);
      // RFC 8785 takes ECMAScript's printing of numbers, in which -0 is "0".
      return String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? writeArray(value, path) : writeObject(value, path);
    default:
      throw new TypeError(`canonical JSON: ${path} is ${typeof value}`);
  }
}

function writeString(text: string, path: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new TypeError(`canonical JSON: ${path} holds a lone surrogate`);
  return JSON.stringify(text);
}

function writeArray(items: readonly unknown[], path: string): string {
  const texts: string[] = [];
  // Counted, not mapped: a hole reads as undefined and is refused.
  for (let i = 0; i < items.length; i++) texts.push(write(items[i], `${path}[${i}]`));
  return `[${texts.join(',')}]`;
}

function writeObject(value: object, path: string): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`canonical JSON: ${path} is not a plain object`);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) throw new TypeError(`canonical JSON: ${path} has a symbol key`);
  const members = value as Readonly<Record<string, unknown>>;
  // JavaScript's own order of strings is by UTF-16 code units, which is what RFC 8785 asks for.
  const names = Object.keys(members).sort();
  return `{${names.map((name) => `${writeString(name, path)}:${write(members[name], `${path}.${name}`)}`).join(',')}}`;
}
