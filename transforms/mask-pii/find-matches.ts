/**
 * What finds stretches of a text.
 * @module
 */

/** Told of a stretch of the text. */
export type Found = (from: number, to: number) => void;
/** Tells of stretches, in any order. */
export type Finder = (text: string, found: Found) => void;

/** Tells of every match of an expression with the flag `g` that passes a test. */
export function findMatches(pattern: RegExp, text: string, found: Found, test?: (match: string) => boolean): void {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (test?.(match[0]) !== false) found(match.index, match.index + match[0].length);
  }
}
