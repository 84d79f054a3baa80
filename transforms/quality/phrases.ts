/**
 * Finds words and phrases of a list in a text, in the words of the leak check: case, accents and punctuation do not
 * count, and a phrase never begins or ends inside a word.
 * @module
 */
import { tokensOf } from '../../src/leakage/tokens.ts';

/** A list of phrases, ready to be looked for. */
export class PhraseList {
  /** Phrases by their first word. */
  readonly #byFirst = new Map<string, readonly (readonly string[])[]>();

  constructor(phrases: readonly string[]) {
    for (const tokens of new Map(phrases.map((phrase) => [tokensOf(phrase).join(' '), tokensOf(phrase)])).values()) {
      const [first] = tokens;
      if (first !== undefined) this.#byFirst.set(first, [...(this.#byFirst.get(first) ?? []), tokens]);
    }
  }

  /** How many different phrases stand in a text of these words; counts up to `enough`. */
  countIn(words: readonly string[], enough: number): number {
    const found = new Set<readonly string[]>();
    for (let at = 0; at < words.length && found.size < enough; at++) {
      for (const phrase of this.#byFirst.get(words[at]!) ?? []) {
        if (phrase.every((word, i) => words[at + i] === word)) found.add(phrase);
      }
    }
    return found.size;
  }
}
