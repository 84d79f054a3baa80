/**
 * The `holdout:` entry in the YAML front matter of a Hugging Face card. Edited as text: every byte outside the entry
 * stays as it is. YAML is parsed only to find the entry and to check the outcome.
 * @module
 */
import { isDeepStrictEqual } from 'node:util';
import { isMap, isScalar, parseDocument } from 'yaml';
import { HoldoutError } from '../errors.ts';

/** A card cut in three: opening line, front matter, and the closing line with all that follows. */
interface CardParts {
  readonly opening: Buffer;
  readonly matter: Buffer;
  readonly rest: Buffer;
  /** Where the text after the closing line begins, counted in `rest`. */
  readonly bodyStart: number;
  readonly newline: '\n' | '\r\n';
}

/** What became of a card. */
export type CardEdit =
  { readonly kind: 'edited'; readonly bytes: Buffer } | { readonly kind: 'left'; readonly why: string };

// The Hub's own rule for where front matter stands, on bytes: Latin-1 maps each byte to one character.
const frontMatter = /^([ \t\r\n]*---(\r?\n)[\r\n]*)([\s\S]*?)((?:\r?\n)+---(?:\r\n|\n|$))/;

function cutCard(card: Uint8Array): CardParts | null {
  const bytes = Buffer.from(card.buffer, card.byteOffset, card.byteLength);
  const match = frontMatter.exec(bytes.toString('latin1'));
  if (match === null) return null;
  const [, opening = '', newline = '\n', matter = '', closing = ''] = match;
  const matterStart = opening.length;
  const matterEnd = matterStart + matter.length;
  return {
    opening: bytes.subarray(0, matterStart),
    matter: bytes.subarray(matterStart, matterEnd),
    rest: bytes.subarray(matterEnd),
    bodyStart: closing.length,
    newline: newline === '\r\n' ? '\r\n' : '\n',
  };
}

/** The card's bytes after its front matter; all of them where it has none. */
export function cardBody(card: Uint8Array): Uint8Array {
  const parts = cutCard(card);
  return parts === null ? card : parts.rest.subarray(parts.bodyStart);
}

/** The value of the card's `holdout:` entry, or null. */
export function readCardEntry(card: Uint8Array): unknown {
  const parts = cutCard(card);
  const text = parts === null ? null : strictUtf8(parts.matter);
  if (text === null) return null;
  const document = parseDocument(text, { logLevel: 'silent' });
  if (document.errors.length > 0 || !isMap(document.contents)) return null;
  const value = plainValue(document);
  return typeof value === 'object' && value !== null && 'holdout' in value ? (value.holdout ?? null) : null;
}

/**
 * Replaces the card's `holdout:` entry, or adds one at the end of the front matter.
 * @param lines The entry's lines without line ends, `holdout:` first.
 * @throws HoldoutError INPUT_INVALID where an entry is there that cannot be replaced, or others would change
 */
export function editCard(card: Uint8Array, lines: readonly string[]): CardEdit {
  const parts = cutCard(card);
  if (parts === null) return { kind: 'left', why: 'it has no YAML front matter' };
  const text = strictUtf8(parts.matter);
  if (text === null) return { kind: 'left', why: 'its front matter is not UTF-8' };
  const before = parseMapping(text);
  if (typeof before === 'string') return { kind: 'left', why: before };
  const place = findEntry(text, before);
  if (place === null) throw cannotEdit('it is not on lines of its own');
  const [start, end] = place;
  const entry = lines.join(parts.newline);
  const gap = start === text.length && text !== '' ? parts.newline : '';
  const edited = text.slice(0, start) + gap + entry + text.slice(end);
  // Line ends before the closing `---` belong to a last block scalar that keeps them.
  const tail = /^[\r\n]+/.exec(parts.rest.toString('latin1'))?.[0] ?? '';
  checkOnlyEntryChanged(text + tail, edited + tail);
  return { kind: 'edited', bytes: Buffer.concat([parts.opening, Buffer.from(edited), parts.rest]) };
}

type Parsed = ReturnType<typeof parseDocument>;

/** The front matter as a mapping in block form, or why it is not one. */
function parseMapping(text: string): Parsed | string {
  const document = parseDocument(text, { logLevel: 'silent', keepSourceTokens: true });
  if (document.errors.length > 0) return 'its front matter is not valid YAML';
  if (document.contents === null) return document;
  if (!isMap(document.contents)) return 'its front matter is not a YAML mapping';
  if (document.contents.flow === true) return 'its front matter is a mapping in braces';
  return document;
}

/** Where the `holdout:` entry stands, or the empty place at the end; null where it cannot be cut out by lines. */
function findEntry(text: string, document: Parsed): readonly [start: number, end: number] | null {
  if (!isMap(document.contents)) return [text.length, text.length];
  const pair = document.contents.items.find(({ key }) => isScalar(key) && key.value === 'holdout');
  if (pair === undefined) return [text.length, text.length];
  const start = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
  if (start === undefined || (start > 0 && text[start - 1] !== '\n')) return null;
  const after = /(?:\r?\n)(?=[^\s])/g;
  after.lastIndex = start;
  // The entry ends before the next line that is neither indented nor blank; blank lines before that are not its own.
  const next = after.exec(text);
  const block = text.slice(start, next === null ? text.length : next.index);
  return [start, start + block.trimEnd().length];
}

function checkOnlyEntryChanged(before: string, after: string): void {
  const [ours, theirs] = [otherEntries(before), otherEntries(after)];
  if (ours === null) throw cannotEdit('an alias of the front matter cannot be followed');
  if (theirs === null) throw cannotEdit('with it the front matter would be no valid YAML');
  for (const name of new Set([...ours.keys(), ...theirs.keys()])) {
    if (!isDeepStrictEqual(ours.get(name), theirs.get(name))) {
      throw cannotEdit(`its entry ${JSON.stringify(name)} would change`);
    }
  }
}

function cannotEdit(why: string): HoldoutError {
  return new HoldoutError('INPUT_INVALID', `the holdout: entry cannot be written into README.md: ${why}`, {
    file: 'README.md',
    hint: 'write the front matter with each entry on lines of its own, unindented; or leave the card alone: --no-card',
  });
}

function strictUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The entries beside ours; null for what is no mapping. */
function otherEntries(text: string): ReadonlyMap<string, unknown> | null {
  const document = parseDocument(text, { logLevel: 'silent' });
  const value = document.errors.length > 0 ? null : document.contents === null ? {} : plainValue(document);
  if (typeof value !== 'object' || value === null) return null;
  return new Map(Object.entries(value).filter(([key]) => key !== 'holdout'));
}

/** The document as plain values; null where an alias names nothing, or so many that they would not fit. */
function plainValue(document: Parsed): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (error instanceof ReferenceError) return null;
    throw error;
  }
}
