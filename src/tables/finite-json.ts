/**
 * Rows as JSON that every reader takes. JSON has no NaN and no infinity; rows may hold them, as Python writes them: bare
 * words, which most readers refuse.
 * @module
 */

/** A bare word, or a string, which may hold the same letters. */
const tokens = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;
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
  const finite = text.replace(tokens, (token) => {
    if (token.startsWith('"')) return token;
    replaced += 1;
    return 'null';
  });
  return replaced === 0 ? { bytes, replaced } : { bytes: Buffer.from(finite, 'latin1'), replaced };
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
  for (const [token] of row.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}:]|-?Infinity|NaN/g)) {
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
    return JSON.parse(text.replace(tokens, (token) => (token.startsWith('"') ? token : '0'))) as Record<
      string,
      unknown
    >;
  }
}
