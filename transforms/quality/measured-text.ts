/**
 * A text with what the rules ask of it, each measured when it is first asked for.
 * @module
 */
import { tokensOf } from '../../src/leakage/tokens.ts';
import { type GramShares, RepeatedGrams } from './repeated-grams.ts';
import { SpanList, type Spans, findLines, findWords, holdsLetter, isSpace } from './text-parts.ts';

/** Shares of lines or paragraphs that repeat an earlier one exactly. */
export interface RepeatShares {
  readonly count: number;
  readonly characters: number;
}

/** Holds one text at a time. */
export class MeasuredText {
  text = '';
  readonly words: Spans;
  readonly #words = new SpanList();
  readonly #lines = new SpanList();
  readonly #paragraphs = new SpanList();
  readonly #grams = new RepeatedGrams();
  #hasLines = false;
  #hasGrams = false;
  #tokens: readonly string[] | null = null;

  constructor() {
    this.words = this.#words;
  }

  /** Takes the next text. */
  take(text: string): void {
    this.text = text;
    this.#hasLines = false;
    this.#hasGrams = false;
    this.#tokens = null;
    findWords(text, this.#words);
  }

  get lines(): Spans {
    this.#findLines();
    return this.#lines;
  }

  get paragraphs(): Spans {
    this.#findLines();
    return this.#paragraphs;
  }

  /** The words as the leak check sees them. */
  get tokens(): readonly string[] {
    return (this.#tokens ??= tokensOf(this.text));
  }

  grams(size: number): GramShares {
    if (!this.#hasGrams) this.#grams.begin(this.text, this.#words);
    this.#hasGrams = true;
    return this.#grams.shares(size);
  }

  #findLines(): void {
    if (!this.#hasLines) findLines(this.text, this.#lines, this.#paragraphs);
    this.#hasLines = true;
  }
}

/** Share of the spans for which a test is true; of none 0. */
export function shareOf(spans: Spans, test: (start: number, end: number, index: number) => boolean): number {
  let found = 0;
  for (let i = 0; i < spans.count; i++) if (test(spans.starts[i]!, spans.ends[i]!, i)) found += 1;
  return spans.count === 0 ? 0 : found / spans.count;
}

/** Shares of the spans that repeat an earlier one. */
export function repeatsOf(text: string, spans: Spans): RepeatShares {
  if (spans.count < 2) return { count: 0, characters: 0 };
  const seen = new Set<string>();
  let [repeats, characters] = [0, 0];
  for (let i = 0; i < spans.count; i++) {
    const part = text.slice(spans.starts[i], spans.ends[i]);
    if (seen.has(part)) {
      repeats += 1;
      characters += spans.lengths[i]!;
    } else seen.add(part);
  }
  return { count: repeats / spans.count, characters: characters / spans.characters };
}

/** Occurrences of a string, none overlapping another. */
export function occurrencesOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}

const bullets = new Set(['•', '‣', '⁃', '◦', '▪', '●', '○', '■', '□', '►', '➤', '∙', '·']);
const dashes = new Set(['-', '*', '+', '–', '—']);

/** Whether a line begins with a bullet: a character for it, or a dash, an asterisk or a plus before white space. */
export function isBulletLine(text: string, start: number, end: number): boolean {
  const first = text[start]!;
  return bullets.has(first) || (dashes.has(first) && (start + 1 === end || isSpace(text.charCodeAt(start + 1))));
}

/** Whether a line ends in `…` or three dots. */
export function endsInEllipsis(text: string, _start: number, end: number): boolean {
  return text[end - 1] === '…' || text.endsWith('...', end);
}

const terminals = new Set(['.', '!', '?', '…', '"', '”', '»', '。', '！', '？', '」', '』']);

/** Whether a line ends in a period, an exclamation or question mark, or a closing quotation mark. */
export function endsInTerminal(text: string, _start: number, end: number): boolean {
  return terminals.has(text[end - 1]!);
}

const sentenceEnd = /(?<=[.!?…]["')\]”’»]*)\s+|(?<=[。！？]["')\]”’»」』]*)/u;

/** Sentences: pieces of lines, cut behind `.` `!` `?` `…` and white space, or behind `。` `！` `？`; each with a letter. */
export function countSentences(text: string, lines: Spans, enough: number): number {
  let count = 0;
  for (let i = 0; i < lines.count && count < enough; i++) {
    for (const piece of text.slice(lines.starts[i], lines.ends[i]).split(sentenceEnd)) {
      if (holdsLetter(piece, 0, piece.length)) count += 1;
    }
  }
  return Math.min(count, enough);
}
