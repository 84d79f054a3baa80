/**
 * Where two JSON values differ, in words.
 * @module
 */

/** How many differences are named; whoever changed more has made another value. */
const namedMax = 3;

/**
 * The members that differ, as `path is …, expected …`; empty for equal values.
 * @param expected What `word` says of the second value, such as `pinned`.
 */
export function valueDifferences(actual: unknown, expected: unknown, word: string): string[] {
  const found: string[] = [];
  compare(actual, expected, '', (path, a, b) => {
    if (found.length < namedMax) found.push(`${path} is ${shown(a)}, ${word} ${shown(b)}`);
  });
  return found;
}

type Visit = (path: string, actual: unknown, expected: unknown) => void;

function compare(actual: unknown, expected: unknown, path: string, visit: Visit): void {
  if (Object.is(actual, expected)) return;
  if (!isObject(actual) || !isObject(expected) || Array.isArray(actual) !== Array.isArray(expected)) {
    visit(path, actual, expected);
    return;
  }
  const [ours, theirs] = [new Map(Object.entries(actual)), new Map(Object.entries(expected))];
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    const step = Array.isArray(actual) ? `[${name}]` : path === '' ? name : `.${name}`;
    compare(ours.get(name), theirs.get(name), path + step, visit);
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}
