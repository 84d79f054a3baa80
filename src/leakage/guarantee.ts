/**
 * What a verdict guarantees, as numbers.
 * @module
 */
import { gramLong, gramShort, shortBelowTokens, wholeAtLeastTokens } from './method.ts';

/** Length of the runs that a field is cut into: all its tokens where it is shorter than a run. */
export function gramLength(fieldTokens: number, unspaced: boolean): number {
  if (fieldTokens < wholeAtLeastTokens) return fieldTokens;
  return unspaced || fieldTokens >= shortBelowTokens ? gramLong : gramShort;
}

/**
 * The certified radius of a field: the largest number r of token edits (a token replaced, taken out or put in) such
 * that every copy of the field with at most r of them, inside one string of a training row, has a coverage of at least
 * `threshold`.
 *
 * Proof. Let the field have L tokens, cut into runs of n. r edits leave of the field at most r + 1 stretches of
 * consecutive untouched tokens, and each edit touches at most one token, so at least L − r are untouched. A stretch of
 * n or more tokens is covered whole, as all its runs stand in the copy in one piece; at worst every shorter one is not
 * covered at all, and loses at most n − 1 tokens. If all r + 1 stretches were shorter than n, then
 * L ≤ r + (r + 1)(n − 1) = (r + 1)n − 1. So while L ≥ (r + 1)n, one stretch is long, at most r are short, and at most
 * r + r(n − 1) = rn tokens are uncovered: coverage ≥ (L − rn)/L, which is ≥ threshold when rn ≤ (1 − threshold)L. Both
 * conditions hold for every smaller r too. No larger r is certain: edits at tokens n, 2n, … leave nothing but stretches
 * of n − 1 tokens when L < (r + 1)n, and L − rn covered tokens otherwise. The window takes nothing away: the copy is at
 * most L + r ≤ 2L tokens long, a window holds 3L + 16, and every place of a window is tried. What else stands in the
 * row, or matches by chance, only adds coverage. ∎
 */
export function certifiedRadius(fieldTokens: number, n: number, threshold: number): number {
  if (fieldTokens === 0) return 0;
  const byCoverage = Math.floor(((1 - threshold) * fieldTokens) / n + 1e-9);
  const byStretches = Math.floor(fieldTokens / n) - 1;
  return Math.max(0, Math.min(byCoverage, byStretches));
}
