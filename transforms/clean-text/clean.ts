/**
 * What `clean-text` does to one text. Every pass is linear in the text.
 * @module
 */
import type { TextMapper } from '../texts/map-texts.ts';
import { cleanCounts } from './counts.ts';
import { htmlText } from './html-text.ts';

/** What is done. */
export interface CleanSettings {
  readonly html: 'text' | 'keep';
  readonly unicode: 'nfc' | 'nfkc' | 'none';
  readonly control: 'strip' | 'keep';
  readonly zeroWidth: 'strip' | 'keep';
  readonly whitespace: 'collapse' | 'lines' | 'trim' | 'keep';
}

/** Cc without the controls that are white space. The category is fixed for all versions of Unicode. */
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000E-\u001F\u007F-\u0084\u0086-\u009F]+/g;
/** Not the joiners U+200C and U+200D, which spelling and emoji need, nor the marks of direction. */
const zeroWidths = /[\u00AD\u180E\u200B\u2060-\u2064\uFEFF]+/g;
/** White_Space of Unicode: 25 characters, none added since Unicode 4.1. */
const space = String.raw`\t-\r \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000`;
const spaces = new RegExp(`[${space}]+`, 'g');
const isSpace = new RegExp(`[${space}]`);
/** What the passes over single characters may change. */
const notPlain = /[^\t\n\r -~]/;
const lineEnds = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/g;
const otherLineEnds = /[\v\f\r\u0085\u2028\u2029]/;

/** The passes as one function. */
export function cleaner({ html, unicode, control, zeroWidth, whitespace }: CleanSettings): TextMapper {
  const passes: ((text: string) => string)[] = [
    html === 'text' ? htmlText : same,
    control === 'strip' ? (text) => text.replaceAll(controls, '') : same,
    zeroWidth === 'strip' ? (text) => text.replaceAll(zeroWidths, '') : same,
    // After the characters between: a letter and its accent may have been parted by one.
    unicode === 'none' ? same : (text) => text.normalize(unicode === 'nfc' ? 'NFC' : 'NFKC'),
    { collapse, lines, trim, keep: same }[whitespace],
  ];
  return {
    counters: cleanCounts.length,
    map(text, counts) {
      // Printable ASCII is what those three passes leave alone.
      const plain = !notPlain.test(text);
      let cleaned = text;
      for (const [index, pass] of passes.entries()) {
        if (plain && index >= 1 && index <= 3 && html === 'keep') continue;
        const after = pass(cleaned);
        if (after !== cleaned) counts[index]! += 1;
        cleaned = after;
      }
      if (cleaned === '' && text !== '') counts[passes.length]! += 1;
      return cleaned;
    },
  };
}

function same(text: string): string {
  return text;
}

function collapse(text: string): string {
  return trim(text.replaceAll(spaces, ' '));
}

/** Without white space at both ends. Not `String.trim`, whose white space is another. */
function trim(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && isSpace.test(text[from]!)) from += 1;
  while (to > from && isSpace.test(text[to - 1]!)) to -= 1;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

/** One kind of line end, none of them after blanks, at most one empty line at a time. */
function lines(text: string): string {
  const unified = otherLineEnds.test(text) ? text.replaceAll(lineEnds, '\n') : text;
  const kept: string[] = [];
  let empty = 0;
  for (const line of unified.split('\n')) {
    const ended = trimEnd(line);
    empty = ended === '' ? empty + 1 : 0;
    if (empty <= 1) kept.push(ended);
  }
  while (kept.length > 0 && kept[0] === '') kept.shift();
  while (kept.length > 0 && kept.at(-1) === '') kept.pop();
  return kept.join('\n');
}

function trimEnd(text: string): string {
  let to = text.length;
  while (to > 0 && isSpace.test(text[to - 1]!)) to -= 1;
  return to === text.length ? text : text.slice(0, to);
}
