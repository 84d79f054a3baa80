/**
 * Rows as JSON that every reader takes. JSON has no NaN and no infinity; rows may hold them, as Python writes them: bare
 * words, which most readers refuse.
 * @module
 */

/** Where a bare word begins, or a string, which may hold the same letters; the last also knows what makes a row. */
const wordOrString = /"|-?Infinity|NaN/g;
const wordStringOrMark = /["[\]{}:]|-?Infinity|NaN/g;
const words = ['NaN', 'Infinity'] as const;
const newline = 10;

/** Whether lines may hold such a word; strings that hold the letters count, too. */
function mayHoldBareWords(bytes: Uint8Array): boolean {
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return words.some((word) => lines.includes(word));
}

/** JSON lines with null for each such word, and how many there were. */
export function finiteLines(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly replaced: number } {
  if (!mayHoldBareWords(bytes)) return { bytes, replaced: 0 };
  let replaced = 0;
  // Latin-1: the same bytes come out as went in.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const finite = withoutWords(text, 'null', () => {
    replaced += 1;
  });
  return replaced === 0 ? { bytes, replaced } : { bytes: Buffer.from(finite, 'latin1'), replaced };
}

/** The text with another word in place of each that JSON does not have. */
function withoutWords(text: string, other: string, tell: () => void): string {
  const kept: string[] = [];
  let from = 0;
  for (const { start, end } of tokensOf(text, wordOrString)) {
    if (text.startsWith('"', start)) continue;
    tell();
    kept.push(text.slice(from, start), other);
    from = end;
  }
  return kept.join('') + text.slice(from);
}

/** Tokens in order. Strings are gone through by hand: one pattern for all of a string has no stack for long ones. */
function* tokensOf(text: string, pattern: RegExp): Generator<{ readonly start: number; readonly end: number }> {
  const starts = new RegExp(pattern);
  for (let found = starts.exec(text); found !== null; found = starts.exec(text)) {
    if (found[0] === '"') starts.lastIndex = endOfString(text, found.index);
    yield { start: found.index, end: starts.lastIndex };
  }
}

function endOfString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote;
    while (text[before - 1] === '\\') before -= 1;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
  return text.length;
}

/** A word that JSON does not have. */
export interface BareWord {
  /** Place of its line among those given, from 0. */
  readonly line: number;
  readonly column: string;
  readonly word: string;
}

/** The first such word in JSON lines, or null. */
export function firstBareWord(bytes: Uint8Array): BareWord | null {
  if (!mayHoldBareWords(bytes)) return null;
  let start = 0;
  for (let line = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(newline, start) + 1 || bytes.length;
    const found = bareWordOf(Buffer.from(bytes.subarray(start, end)).toString());
    if (found !== null) return { line, ...found };
    start = end;
  }
  return null;
}

/** The first such word of a row, and the column that holds it. */
function bareWordOf(row: string): Omit<BareWord, 'line'> | null {
  let [depth, name, column] = [0, '""', '""'];
  for (const { start, end } of tokensOf(row, wordStringOrMark)) {
    const token = row.slice(start, end);
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (token.startsWith('"')) name = token;
    else if (token !== ':') return { column: JSON.parse(column) as string, word: token };
    else if (depth === 1) column = name;
  }
  return null;
}

/** A row's line that was read before, parsed for the kinds of its values: 0 stands for each such word. */
export function readFinite(line: string): Readonly<Record<string, unknown>> {
  // A byte order mark may stand before the first row of a file.
  const text = line.replace(/^\ufeff/, '');
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return JSON.parse(withoutWords(text, '0', () => undefined)) as Record<string, unknown>;
  }
}
