/**
 * The nearest known name to a mistyped one, for errors that help.
 * @module
 */

/** So many letters say which name is meant that begins with them. */
const beginningMin = 3;

/** The known name that a mistyped one, or the beginning of one, most likely means, or null. */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const names = [...known];
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const [given, near] = [name.slice(0, 128).toLowerCase(), candidate.slice(0, 128).toLowerCase()];
    const apart = distance(given, near);
    // A short name is near everything short: so many mistakes as it has letters make it of any other.
    if (apart < bestDistance && apart < near.length) [best, bestDistance] = [candidate, apart];
  }
  if (best !== null || name.length < beginningMin) return best;
  return names.find((candidate) => candidate.toLowerCase().startsWith(name.toLowerCase())) ?? null;
}

/** Letters put in, left out or changed; two neighbours in each other's place are one mistake (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (before[j - 2] ?? 0) + 1 : Infinity;
      current.push(Math.min(change, swap, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    [before, previous] = [previous, current];
  }
  return previous[b.length] ?? 0;
}
