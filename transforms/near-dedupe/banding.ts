/**
 * How many bands of how many rows: the S-curve of locality-sensitive hashing with MinHash (Broder, "On the resemblance
 * and containment of documents", 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3). Two
 * sets of Jaccard similarity s agree in one MinHash value with probability s, in all `rows` values of a band with
 * s^rows, and in at least one of `bands` bands with 1 − (1 − s^rows)^bands.
 * @module
 */

/** Shape of a signature: `bands × rows` MinHash values. */
export interface Banding {
  readonly bands: number;
  readonly rows: number;
}

/** MinHash values of a row, at most, where nobody asks for others. */
const hashesMax = 128;
/** The least recall at the threshold itself that the default gives; above the threshold it is higher. */
const recallAtThresholdMin = 0.95;

/** Probability that a pair of this Jaccard similarity is looked at. */
export function recallOf({ bands, rows }: Banding, similarity: number): number {
  return 1 - (1 - similarity ** rows) ** bands;
}

/**
 * The banding of at most 128 values with the longest bands, so the fewest pairs looked at in vain, that finds at least
 * 95 % of the pairs right at the threshold. (One value a band finds 95 % from a threshold of 0.03 on.)
 */
export function bandingFor(threshold: number): Banding {
  for (let rows = hashesMax; rows > 1; rows--) {
    const banding = { bands: Math.floor(hashesMax / rows), rows };
    if (recallOf(banding, threshold) >= recallAtThresholdMin) return banding;
  }
  return { bands: hashesMax, rows: 1 };
}
