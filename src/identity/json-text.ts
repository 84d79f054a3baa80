/**
 * A strict reader of one JSON text that hands each value to a shape, so that encoding, canonical text and values come
 * from one pass of one grammar. `JSON.parse` will not do: it rounds integers and keeps the last of two equal names.
 * docs/FORMAT.md, "JSON values".
 * @module
 */
import { HoldoutError, type ErrorCode } from '../errors.ts';

/** What to make of each value. Members come sorted by the UTF-8 bytes of their names, without those that are null. */
export interface JsonShape<T> {
  readonly null: T;
  readonly true: T;
  readonly false: T;
  /** An integer literal: digits without leading zeros, a minus only before digits other than 0. */
  integer(digits: string): T;
  float(value: number): T;
  string(text: string, utf8Bytes: number): T;
  list(items: readonly T[]): T;
  object(members: readonly JsonMember<T>[]): T;
}

/** One member of an object. */
export interface JsonMember<T> {
  readonly name: string;
  readonly nameBytes: number;
  readonly value: T;
}

/** The deepest nesting of lists and objects in one JSON text. */
const JSON_LEVELS_MAX = 64;
/** The most digits that an integer may have. */
const INTEGER_DIGITS_MAX = 38;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Reads one JSON text (white space around it allowed; bare `NaN`, `Infinity`, `-Infinity` are floats).
 * @throws HoldoutError INPUT_INVALID with the column for what is not JSON, equal names in one object, lone
 * surrogates, integers of more than 38 digits and numbers that overflow; LIMIT past 64 levels.
 */
export function readJson<T>(text: string, shape: JsonShape<T>): T {
  let at = 0;
  let level = 0;
  /** UTF-8 bytes of the string read last. */
  let stringBytes = 0;

  function fail(problem: string, place = at, code: ErrorCode = 'INPUT_INVALID'): HoldoutError {
    const column = Array.from(text.slice(0, place)).length + 1;
    return new HoldoutError(code, `${problem} in JSON at character ${column}`, { column });
  }

  function skipBlanks(): number {
    let c = text.charCodeAt(at);
    while (c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09) c = text.charCodeAt(++at);
    return c;
  }

  function readValue(): T {
    const c = skipBlanks();
    switch (c) {
      case QUOTE: {
        const value = readString();
        return shape.string(value, stringBytes);
      }
      case 0x7b:
        return readObject();
      case 0x5b:
        return readList();
      case 0x74:
        return readWord('true', shape.true);
      case 0x66:
        return readWord('false', shape.false);
      case 0x6e:
        return readWord('null', shape.null);
      case 0x4e:
        return readWord('NaN', shape.float(NaN));
      case 0x49:
        return readWord('Infinity', shape.float(Infinity));
      default:
        if (c === MINUS || (c >= ZERO && c <= NINE)) return readNumber(c);
        throw fail(at >= text.length ? 'Unexpected end' : 'Unexpected character');
    }
  }

  function readWord(word: string, value: T): T {
    if (!text.startsWith(word, at)) throw fail('Unexpected character');
    at += word.length;
    return value;
  }

  function readDigits(): void {
    const start = at;
    let c = text.charCodeAt(at);
    while (c >= ZERO && c <= NINE) c = text.charCodeAt(++at);
    if (at === start) throw fail('Expected a digit');
  }

  function readNumber(first: number): T {
    const start = at;
    if (first === MINUS) {
      at++;
      if (text.charCodeAt(at) === 0x49) return readWord('Infinity', shape.float(-Infinity));
    }
    const digitsStart = at;
    readDigits();
    const digits = at - digitsStart;
    if (digits > 1 && text.charCodeAt(digitsStart) === ZERO) throw fail('Number with a leading zero', start);
    let exact = true;
    if (text.charCodeAt(at) === 0x2e) {
      exact = false;
      at++;
      readDigits();
    }
    const e = text.charCodeAt(at);
    if (e === 0x65 || e === 0x45) {
      exact = false;
      at++;
      const sign = text.charCodeAt(at);
      if (sign === 0x2b || sign === MINUS) at++;
      readDigits();
    }
    if (exact) {
      if (digits > INTEGER_DIGITS_MAX) throw fail(`Integer of ${digits} digits (at most ${INTEGER_DIGITS_MAX})`, start);
      const literal = text.slice(start, at);
      return shape.integer(literal === '-0' ? '0' : literal);
    }
    const value = Number(text.slice(start, at));
    if (!Number.isFinite(value)) throw fail('Number beyond the range of a double', start);
    return shape.float(value);
  }

  function readString(): string {
    let result = '';
    let bytes = 0;
    let from = ++at;
    for (;;) {
      const c = text.charCodeAt(at);
      if (c === QUOTE) {
        result += text.slice(from, at);
        at++;
        stringBytes = bytes;
        return result;
      }
      if (c === BACKSLASH) {
        result += text.slice(from, at);
        const [unescaped, width] = readEscape();
        result += unescaped;
        bytes += width;
        from = at;
      } else if (c < 0x80) {
        if (c < 0x20) throw fail('Control character in a string');
        bytes++;
        at++;
      } else if (c < 0x800) {
        bytes += 2;
        at++;
      } else if (c >= 0xd800 && c <= 0xdfff) {
        const low = text.charCodeAt(at + 1);
        if (c > 0xdbff || !(low >= 0xdc00 && low <= 0xdfff)) throw fail('Lone surrogate');
        bytes += 4;
        at += 2;
      } else if (c >= 0x800) {
        bytes += 3;
        at++;
      } else {
        throw fail('Unexpected end of a string');
      }
    }
  }

  /** The character that an escape stands for, and its UTF-8 bytes. */
  function readEscape(): readonly [text: string, utf8Bytes: number] {
    const start = at;
    const kind = text[at + 1] ?? '';
    at += 2;
    const plain = ESCAPES[kind];
    if (plain !== undefined) return [plain, 1];
    if (kind !== 'u') throw fail('Unknown escape', start);
    const unit = readHex4(start);
    if (unit < 0xd800 || unit > 0xdfff) {
      return [String.fromCharCode(unit), unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3];
    }
    if (unit > 0xdbff || text[at] !== '\\' || text[at + 1] !== 'u') throw fail('Lone surrogate', start);
    at += 2;
    const low = readHex4(start);
    if (low < 0xdc00 || low > 0xdfff) throw fail('Lone surrogate', start);
    return [String.fromCharCode(unit, low), 4];
  }

  function readHex4(start: number): number {
    const hex = text.slice(at, at + 4);
    if (!/^[0-9A-Fa-f]{4}$/.test(hex)) throw fail('Unknown escape', start);
    at += 4;
    return Number.parseInt(hex, 16);
  }

  function enter(): void {
    if (++level > JSON_LEVELS_MAX) throw fail(`Nesting deeper than ${JSON_LEVELS_MAX} levels`, at, 'LIMIT');
    at++;
  }

  function readList(): T {
    enter();
    const items: T[] = [];
    if (skipBlanks() === 0x5d) at++;
    else {
      for (;;) {
        items.push(readValue());
        const c = skipBlanks();
        at++;
        if (c === 0x5d) break;
        if (c !== 0x2c) throw fail('Expected "," or "]"', at - 1);
      }
    }
    level--;
    return shape.list(items);
  }

  function readObject(): T {
    enter();
    const members: JsonMember<T>[] = [];
    const start = at;
    let sorted = true;
    let nulls = false;
    if (skipBlanks() === 0x7d) at++;
    else {
      for (;;) {
        if (skipBlanks() !== QUOTE) throw fail('Expected a name in quotes');
        const name = readString();
        const nameBytes = stringBytes;
        if (skipBlanks() !== 0x3a) throw fail('Expected ":"');
        at++;
        const value = readValue();
        const last = members[members.length - 1];
        if (last !== undefined && compareUtf8(last.name, name) >= 0) sorted = false;
        if (value === shape.null) nulls = true;
        members.push({ name, nameBytes, value });
        const c = skipBlanks();
        at++;
        if (c === 0x7d) break;
        if (c !== 0x2c) throw fail('Expected "," or "}"', at - 1);
      }
    }
    level--;
    if (!sorted) {
      members.sort((a, b) => compareUtf8(a.name, b.name));
      for (let i = 1; i < members.length; i++) {
        const name = members[i]?.name;
        if (name === members[i - 1]?.name) throw fail(`Name ${JSON.stringify(name)} twice in one object`, start - 1);
      }
    }
    return shape.object(nulls ? members.filter((member) => member.value !== shape.null) : members);
  }

  const value = readValue();
  skipBlanks();
  if (at < text.length) throw fail('Unexpected text after the value');
  return value;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Order by UTF-8 bytes. UTF-16 units differ from it only where a surrogate meets a unit from U+E000 on. */
function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? lift(x) - lift(y) : x - y;
  }
  return a.length - b.length;
}

function lift(unit: number): number {
  return unit < 0xe000 ? unit + 0x10000 : unit;
}
