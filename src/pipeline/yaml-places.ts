/**
 * YAML read for its values and for the place of each, so that whatever is wrong with a value is said with line and
 * column. YAML 1.2 core: dates stay strings; no aliases, no tags of one's own.
 * @module
 */
import { type Document, LineCounter, type Node, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml';

/** Line and column from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Something wrong in a file, and where. */
export interface Problem extends Place {
  readonly message: string;
  readonly hint?: string;
}

/** Keys and indexes that lead to a value. */
export type Path = readonly (string | number)[];

/** A YAML file, read. */
export interface PlacedYaml {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Place of a value; of the nearest one around it where it is not there. */
  at(path: Path): Place;
  /** Place of a key of the map at `path`. */
  keyAt(path: Path, key: string): Place;
}

const nestingMax = 64;

/** Reads YAML. Where `problems` name a broken syntax, `value` is undefined. */
export function readYaml(text: string): PlacedYaml {
  const lines = new LineCounter();
  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const tooDeep = firstTooDeep(text);
  if (tooDeep !== null) return broken([{ ...tooDeep, message: `nested deeper than ${nestingMax}` }]);
  const document = parseDocument(text, { schema: 'core', version: '1.2', lineCounter: lines, prettyErrors: false });
  const found = [...document.errors, ...document.warnings];
  const first = found.filter(({ code }) => code !== 'DUPLICATE_KEY').toSorted((a, b) => a.pos[0] - b.pos[0])[0];
  // What the parser makes of the rest is a guess: one mistake would be told as several.
  if (first !== undefined) {
    const message = `not YAML: ${first.message.split('\n', 1)[0] ?? ''}`;
    return broken([{ ...placeOf(first.pos[0]), message, ...syntaxHint(first.code) }]);
  }
  const firsts = firstKeys(document);
  const problems = found.map(({ pos }): Problem => {
    const first = firsts.get(pos[0]);
    const before = first === undefined ? '' : `; the first stands in line ${placeOf(first).line}`;
    return { ...placeOf(pos[0]), message: `the key ${wordAt(text, pos[0])} stands twice${before}` };
  });
  const refused = refusedNodes(document, placeOf);
  problems.push(...refused);
  if (refused.length > 0) return broken(problems);
  return {
    value: document.toJS({ maxAliasCount: 0 }) as unknown,
    problems,
    at: (path) => placeOf(nodeAt(document, path)?.range?.[0] ?? 0),
    keyAt(path, key) {
      const node = nodeAt(document, path);
      const found = isMap(node) ? node.items.find((pair) => keyText(pair.key) === key)?.key : undefined;
      return placeOf((found as Node | undefined)?.range?.[0] ?? node?.range?.[0] ?? 0);
    },
  };
}

/** What most likely was meant, by the parser's code. */
function syntaxHint(code: string): { readonly hint?: string } {
  if (code === 'TAB_AS_INDENT') return { hint: 'indent with blanks' };
  if (code === 'BAD_INDENT' || code === 'BLOCK_AS_IMPLICIT_KEY' || code === 'MULTILINE_IMPLICIT_KEY') {
    return { hint: 'look how far this line and those above are indented; what belongs together begins in one column' };
  }
  if (code === 'BLOCK_IN_FLOW') return { hint: 'put a value with ": ", ", ", { or [ in quotes' };
  if (code === 'MISSING_CHAR') return { hint: 'a quotation mark or a bracket that is opened above is not closed' };
  return {};
}

function broken(problems: readonly Problem[]): PlacedYaml {
  return { value: undefined, problems, at: start, keyAt: start };
}

function start(): Place {
  return { line: 1, column: 1 };
}

/** Of each key that stands in its map before, by its offset: the offset of the first. */
function firstKeys(document: Document): ReadonlyMap<number, number> {
  const again = new Map<number, number>();
  visit(document, {
    Map(_, { items }) {
      const seen = new Map<string, number>();
      for (const { key } of items) {
        const [name, at] = [keyText(key), (key as Node | null)?.range?.[0]];
        if (name === null || at === undefined) continue;
        const first = seen.get(name);
        if (first === undefined) seen.set(name, at);
        else again.set(at, first);
      }
    },
  });
  return again;
}

/** What core YAML allows and this file does not: aliases, and keys that are no text. */
function refusedNodes(document: Document, placeOf: (offset: number) => Place): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Alias(_, node) {
      problems.push({ ...placeOf(node.range?.[0] ?? 0), message: 'aliases (*name) are not read; write it out' });
    },
    Pair(_, { key }) {
      if (isScalar(key) && typeof key.value === 'string') return;
      const place = placeOf((key as Node | null)?.range?.[0] ?? 0);
      if (isScalar(key)) {
        problems.push({ ...place, message: `the key ${String(key.value)} is no text`, hint: 'put it in quotes' });
      } else problems.push({ ...place, message: 'a key must be text' });
    },
  });
  return problems;
}

/** The node at a path, or the last one on the way to it. */
function nodeAt(document: Document, path: Path): Node | null {
  let node: Node | null = document.contents;
  for (const segment of path) {
    let next: unknown;
    if (isMap(node)) next = node.items.findLast((pair) => keyText(pair.key) === String(segment))?.value;
    else if (isSeq(node)) next = node.items[Number(segment)];
    if (next === undefined || next === null) return node;
    node = next as Node;
  }
  return node;
}

function keyText(key: unknown): string | null {
  return isScalar(key) ? String(key.value) : null;
}

function wordAt(text: string, offset: number): string {
  const word = /^(?:"[^"\n]*"|'[^'\n]*'|[^:\s]+)/.exec(text.slice(offset, offset + 200))?.[0] ?? '';
  return JSON.stringify(word.replaceAll(/^["']|["']$/g, ''));
}

/** Brackets or indentation past the limit: the parser calls itself for each level. */
function firstTooDeep(text: string): Place | null {
  for (const [index, line] of text.split('\n').entries()) {
    const opening = line.match(/[[{]/g)?.length ?? 0;
    const indented = (/^[ \-?:]*/.exec(line)?.[0].length ?? 0) / 2;
    if (opening > nestingMax * 4 || indented > nestingMax * 4) return { line: index + 1, column: 1 };
  }
  return null;
}
