/**
 * How many rows each dataset gives to a mixture, in whole numbers: 0.7, 0.1 and 0.2 sum to 1 here.
 * @module
 */

/**
 * `total` shared out by weight: each share rounded down, what is left one by one to the largest fractions, of equal ones
 * to the first.
 */
export function largestRemainder(weights: readonly number[], total: number): number[] {
  const wholes = wholeWeights(weights);
  const sum = sumOf(wholes);
  const shares = wholes.map((weight) => weight * BigInt(total));
  const counts = shares.map((share) => Number(share / sum));
  const left = total - counts.reduce((before, count) => before + count, 0);
  const order = shares
    .map((share, index) => ({ index, fraction: share % sum }))
    .toSorted((a, b) => (a.fraction === b.fraction ? a.index - b.index : a.fraction > b.fraction ? -1 : 1));
  for (const { index } of order.slice(0, left)) counts[index]! += 1;
  return counts;
}

/**
 * Rows of a mixture by its datasets. `smallest`: the most of which no dataset's exact share is more than it has. `all`:
 * the fewest of which every dataset's exact share is at least what it has.
 */
export function mixtureRows(weights: readonly number[], held: readonly number[], size: 'smallest' | 'all'): number {
  const wholes = wholeWeights(weights);
  const sum = sumOf(wholes);
  const limits = wholes.map((weight, index) => {
    const rows = BigInt(held[index]!) * sum;
    return Number(size === 'smallest' ? rows / weight : (rows + weight - 1n) / weight);
  });
  return size === 'smallest' ? Math.min(...limits) : Math.max(...limits);
}

/** The weights as they are written, times one power of ten that makes all of them whole. */
function wholeWeights(weights: readonly number[]): bigint[] {
  const written = weights.map((weight) => {
    const [, whole = '0', fraction = '', exponent = '0'] =
      /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(weight)) ?? [];
    return { digits: BigInt(whole + fraction), tens: Number(exponent) - fraction.length };
  });
  const least = Math.min(...written.map(({ tens }) => tens));
  return written.map(({ digits, tens }) => digits * 10n ** BigInt(tens - least));
}

function sumOf(weights: readonly bigint[]): bigint {
  return weights.reduce((before, weight) => before + weight, 0n);
}
