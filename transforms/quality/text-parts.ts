/**
 * Words, lines and paragraphs of a text, defined here once for all rules and free of the running Node's Unicode.
 *
 * - Characters are code points.
 * - A word is a run of anything but white space (Unicode's `White_Space` characters).
 * - A line ends at a line feed. White space at its ends is no part of it, and lines of nothing else do not count.
 * - A paragraph is a run of lines that count, with no line between them that does not.
 * - A letter is a character of Unicode's category L that the leak check's fold table takes for part of a word.
 * @module
 */
import { IGNORED, SEPARATOR, foldEntry, foldTable } from '../../src/leakage/fold-table.ts';

/** Where something stands in a text. */
export interface Spans {
  readonly count: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Characters of each. */
  readonly lengths: Int32Array;
  /** Characters of all together. */
  readonly characters: number;
}

/** Whether a UTF-16 unit is white space; no white space lies beyond the first plane. */
export function isSpace(unit: number): boolean {
  if (unit <= 0x20) return unit === 0x20 || (unit >= 9 && unit <= 13);
  if (unit < 0x85) return false;
  return (
    unit === 0x85 ||
    unit === 0xa0 ||
    unit === 0x1680 ||
    (unit >= 0x2000 && unit <= 0x200a) ||
    unit === 0x2028 ||
    unit === 0x2029 ||
    unit === 0x202f ||
    unit === 0x205f ||
    unit === 0x3000
  );
}

/** Collects spans; the arrays are used again for the next text. */
export class SpanList implements Spans {
  count = 0;
  characters = 0;
  starts = new Int32Array(256);
  ends = new Int32Array(256);
  lengths = new Int32Array(256);

  clear(): void {
    this.count = 0;
    this.characters = 0;
  }

  push(start: number, end: number, length: number): void {
    if (this.count === this.starts.length) {
      this.starts = doubled(this.starts);
      this.ends = doubled(this.ends);
      this.lengths = doubled(this.lengths);
    }
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.lengths[this.count] = length;
    this.count += 1;
    this.characters += length;
  }
}

function doubled(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(array.length * 2);
  longer.set(array);
  return longer;
}

/** Finds the words. */
export function findWords(text: string, words: SpanList): void {
  words.clear();
  let start = -1;
  let pairs = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (isSpace(unit)) {
      if (start >= 0) words.push(start, at, at - start - pairs);
      start = -1;
      continue;
    }
    if (start < 0) {
      start = at;
      pairs = 0;
    }
    if ((unit & 0xfc00) === 0xdc00) pairs += 1;
  }
  if (start >= 0) words.push(start, text.length, text.length - start - pairs);
}

/** Finds the lines and the paragraphs. */
export function findLines(text: string, lines: SpanList, paragraphs: SpanList): void {
  lines.clear();
  paragraphs.clear();
  let paragraphStart = -1;
  let paragraphEnd = 0;
  const endParagraph = (): void => {
    if (paragraphStart >= 0) {
      paragraphs.push(paragraphStart, paragraphEnd, countCharacters(text, paragraphStart, paragraphEnd));
    }
    paragraphStart = -1;
  };
  for (let from = 0; from <= text.length;) {
    const feed = text.indexOf('\n', from);
    const to = feed < 0 ? text.length : feed;
    let [start, end] = [from, to];
    while (start < end && isSpace(text.charCodeAt(start))) start += 1;
    while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
    if (start === end) endParagraph();
    else {
      lines.push(start, end, countCharacters(text, start, end));
      if (paragraphStart < 0) paragraphStart = start;
      paragraphEnd = end;
    }
    from = to + 1;
  }
  endParagraph();
}

function countCharacters(text: string, start: number, end: number): number {
  let count = end - start;
  for (let at = start; at < end; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) count -= 1;
  return count;
}

const letter = /^\p{L}$/u;

/** Whether a stretch of a text holds a letter. */
export function holdsLetter(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 128) {
      if ((unit >= 0x61 && unit <= 0x7a) || (unit >= 0x41 && unit <= 0x5a)) return true;
      continue;
    }
    const codePoint = text.codePointAt(at)!;
    if (codePoint > 0xffff) at += 1;
    const entry = foldEntry(foldTable(), codePoint);
    if (entry !== SEPARATOR && entry !== IGNORED && letter.test(String.fromCodePoint(codePoint))) return true;
  }
  return false;
}
