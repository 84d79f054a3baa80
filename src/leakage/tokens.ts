/**
 * Word tokens of a text, as the leak check compares them; the definition that the scan kernel repeats over bytes and
 * that every verdict is confirmed with. Letters and digits make tokens, folded by the fold table; each Chinese,
 * Japanese or Korean character is one of its own; everything else separates, as do HTML entities that name no letter
 * and a backslash with an n after it (a newline escaped twice).
 * @module
 */
import { IGNORED, LIST, SEPARATOR, SINGLE, foldEntry, foldTable } from './fold-table.ts';

/** Receives a token, folded, and the place in the text that it was read from. */
export type TokenVisitor = (token: string, start: number, end: number) => void;

/** Named HTML entities that are known; none of them names a letter. */
const reference =
  /&(?:amp;)*(?:#(\d{1,7});|#[xX]([0-9a-fA-F]{1,6});|(?:amp|lt|gt|quot|apos|nbsp|ndash|mdash|lsquo|rsquo|ldquo|rdquo|hellip|bull);)/iy;

const codePointMask = 0x1fffff;
const backslash = 0x5c;
const ampersand = 0x26;

const alphanumeric = Uint8Array.from({ length: 128 }, (_, code) =>
  /[0-9A-Za-z]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Visits the tokens of a text in order. */
export function visitTokens(text: string, visit: TokenVisitor): void {
  const table = foldTable();
  let token = '';
  let tokenStart = 0;
  let tokenEnd = 0;
  const flush = (): void => {
    if (token !== '') visit(token, tokenStart, tokenEnd);
    token = '';
  };
  const take = (entry: number, start: number, end: number): void => {
    if (entry === IGNORED) return;
    if (entry === SEPARATOR) {
      flush();
    } else if ((entry & SINGLE) !== 0) {
      flush();
      visit(String.fromCodePoint(entry & codePointMask), start, end);
    } else {
      if (token === '') tokenStart = start;
      token += String.fromCodePoint(entry & codePointMask);
      tokenEnd = end;
    }
  };
  const takeCodePoint = (codePoint: number, start: number, end: number): void => {
    const entry = foldEntry(table, codePoint);
    if ((entry & LIST) === 0) return take(entry, start, end);
    const list = entry & 0xffffff;
    const count = table.lists[list] ?? 0;
    for (let i = 1; i <= count; i++) take(table.lists[list + i] ?? SEPARATOR, start, end);
  };

  for (let at = 0; at < text.length;) {
    const code = text.charCodeAt(at);
    if (code >= 128) {
      const codePoint = text.codePointAt(at) ?? 0;
      const end = at + (codePoint > 0xffff ? 2 : 1);
      takeCodePoint(codePoint, at, end);
      at = end;
    } else if (alphanumeric[code] === 1) {
      let end = at + 1;
      while (alphanumeric[text.charCodeAt(end)] === 1) end++;
      if (token === '') tokenStart = at;
      token += text.slice(at, end).toLowerCase();
      tokenEnd = end;
      at = end;
    } else if (code === ampersand) {
      const [codePoint, end] = readReference(text, at);
      takeCodePoint(codePoint, at, end);
      at = end;
    } else {
      flush();
      at += code === backslash && text.charCodeAt(at + 1) === 0x6e ? 2 : 1;
    }
  }
  flush();
}

/** The tokens of a text. */
export function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  visitTokens(text, (token) => tokens.push(token));
  return tokens;
}

/** The character that an HTML entity stands for (a space for named ones) and its end; the ampersand where it is none. */
function readReference(text: string, at: number): [codePoint: number, end: number] {
  reference.lastIndex = at;
  const match = reference.exec(text);
  if (match === null) return [ampersand, at + 1];
  const [all, decimal, hex] = match;
  const value = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : 32;
  const isScalar = value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  return [isScalar ? value : 32, at + all.length];
}
