/**
 * Whether an item's options or answer stand near a match: what makes a question decidable that is too short or too
 * common on its own. Only telling ones count; "yes", letters and bare numbers stand near everything.
 * @module
 */
import type { Item } from './items.ts';
import { contextTokens } from './method.ts';
import type { RowTokens } from './row-tokens.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Whether half of the item's telling options (two at least), or a telling answer, stand near tokens [from, to). */
export function hasContext(item: Item, row: RowTokens, from: number, to: number, vocabulary: Vocabulary): boolean {
  const start = Math.max(0, from - contextTokens);
  const end = Math.min(row.tokens.length, to + contextTokens);
  const near = row.tokens.slice(start, end);
  // An answer inside the question itself says nothing.
  const inside = row.tokens.slice(from, to);
  const found = (text: Int32Array): boolean => contains(near, text) && !contains(inside, text);
  const options = telling(item.choices, vocabulary);
  if (options.length >= 2) {
    const present = options.filter(found).length;
    return present >= 2 && present * 2 >= options.length;
  }
  return telling(item.answers, vocabulary).some(found);
}

function telling(texts: readonly Int32Array[], vocabulary: Vocabulary): Int32Array[] {
  const known = new Map(texts.map((text) => [text.join(), text]));
  return [...known.values()].filter((text) => text.some((token) => vocabulary.isTelling(token)));
}

function contains(tokens: readonly number[], wanted: Int32Array): boolean {
  for (let at = 0; at + wanted.length <= tokens.length; at++) {
    let i = 0;
    while (i < wanted.length && tokens[at + i] === wanted[i]) i++;
    if (i === wanted.length) return true;
  }
  return false;
}
