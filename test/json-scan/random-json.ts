/**
 * Random rows as JSON text: every spelling that JSON allows, and Python's three words.
 * @module
 */
import * as fc from 'fast-check';

const blanks = fc.constantFrom('', '', '', ' ', '\t', '\r', '  ');

const character = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('"', '\\', '/', '\n', '\t', '\0', '\u{7f}', '\u{ffff}', '\u{10ffff}', '\u{feff}'),
  },
);

/** A string's JSON: each character as it stands where it can, or one of its escapes. */
const spelledCharacter = fc.tuple(character, fc.nat(9)).map(([text, choice]) => {
  const hex = Array.from({ length: text.length }, (_, i) => {
    const unit = text.charCodeAt(i).toString(16).padStart(4, '0');
    return `\\u${choice % 2 === 0 ? unit : unit.toUpperCase()}`;
  });
  if (choice === 9) return hex.join('');
  if (text === '/' && choice > 5) return '\\/';
  return JSON.stringify(text).slice(1, -1);
});

const spelledString = fc.array(spelledCharacter, { maxLength: 16 }).map((characters) => `"${characters.join('')}"`);

const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.array(fc.nat(9), { minLength, maxLength }).map((list) => list.join(''));

const integer = fc.oneof(
  fc.constantFrom('0', '-0', '9007199254740992', '9007199254740993', '-9223372036854775808', '18446744073709551616'),
  fc.tuple(fc.constantFrom('', '-'), fc.integer({ min: 1, max: 9 }), digits(0, 37)).map((parts) => parts.join('')),
);

const float = fc
  .oneof(
    fc.tuple(integer, fc.constant('.'), digits(1, 25)).map((parts) => parts.join('')),
    fc
      .tuple(integer, fc.constantFrom('', '.0', '.5', '.25'), fc.constantFrom('e', 'E', 'e-', 'E+'), fc.nat(270))
      .map((parts) => parts.join('')),
    fc.double().map((value) => (Number.isInteger(value) ? value.toExponential() : String(value))),
    fc.constantFrom('NaN', 'Infinity', '-Infinity', '1e-400', '-0.0', '9007199254740993.0', '1.0', '1e2', '0.1e1'),
  )
  // A number past the largest double is refused; that has its own test.
  .filter((text) => /^(?:NaN|-?Infinity)$/.test(text) || Number.isFinite(Number(text)));

const scalar = fc.oneof(
  { weight: 3, arbitrary: spelledString },
  { weight: 2, arbitrary: integer },
  { weight: 2, arbitrary: float },
  { weight: 1, arbitrary: fc.constantFrom('null', 'true', 'false') },
);

const { value, object } = fc.letrec<{ value: string; list: string; object: string }>((tie) => ({
  value: fc.oneof({ maxDepth: 4, depthSize: 'xsmall' }, scalar, tie('list'), tie('object')),
  list: fc
    .tuple(fc.array(fc.tuple(blanks, tie('value'), blanks), { maxLength: 11 }), blanks)
    .map(([items, blank]) => (items.length === 0 ? `[${blank}]` : `[${items.map((item) => item.join('')).join(',')}]`)),
  object: members(tie('value')),
}));

function members(memberValue: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const name = fc.oneof(fc.constantFrom('"a"', '"b"', '"text"', '"\\u0061b"', '"é"'), spelledString);
  return fc
    .tuple(
      fc.uniqueArray(fc.tuple(blanks, name, blanks, blanks, memberValue, blanks), {
        maxLength: 6,
        selector: ([, spelled]) => String(JSON.parse(spelled)),
      }),
      blanks,
    )
    .map(([list, blank]) => {
      const written = list.map(([a, spelled, b, c, text, d]) => `${a}${spelled}${b}:${c}${text}${d}`);
      return written.length === 0 ? `{${blank}}` : `{${written.join(',')}}`;
    });
}

/** One row: an object on one line whose columns' names can be names of columns. */
export const randomRow: fc.Arbitrary<string> = object.filter((text) => {
  // A name is all that matters here, so the values may be rounded.
  const names = [...topLevelNames(text)];
  return names.every((name) => name !== '' && !name.includes('\0'));
});

export const randomValue: fc.Arbitrary<string> = value;

/** Names at the top level of an object's JSON text. */
function* topLevelNames(text: string): Generator<string> {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      let end = i + 1;
      while (text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      const isName = depth === 1 && /^[ \t\r]*:/.test(text.slice(end + 1));
      if (isName) yield String(JSON.parse(text.slice(i, end + 1)));
      i = end;
    } else if (c === '{' || c === '[') {
      depth++;
    } else if (c === '}' || c === ']') {
      depth--;
    }
  }
}
