/**
 * Which pairs of rows are looked at: those that share a key in some band. A key that many rows share would give a
 * number of pairs that grows with its square, so each row is compared with the first few of the rows that share it and
 * with the few that stand just before it.
 * @module
 */

/** Of the rows before it in a bucket, a row is compared with this many at the bucket's start … */
export const headRowsMax = 16;
/** … and with this many right before it. Buckets of up to 33 rows are compared in full. */
export const recentRowsMax = 16;

/** Rows by rank: a row of a lower rank is kept rather than one of a higher. */
export interface RankedKeys {
  /** For each band the keys of all rows, by position. */
  readonly bands: readonly Uint32Array[];
  /** Positions of the rows that take part, by rank. */
  readonly order: Uint32Array;
}

/** What there is to compare, before anything is. */
export interface CrowdCounts {
  /** For each rank how many pairs it is the later one of; a pair that shares several bands counts for each. */
  readonly pairs: Uint32Array;
  /** For each rank 1 where it takes part in a pair at all. */
  readonly paired: Uint8Array;
  /** Pairs of ranks that share a key and are not looked at in that band. */
  readonly leftOut: number;
}

/** Counts the pairs of each rank. */
export function countPairs(keys: RankedKeys): CrowdCounts {
  const pairs = new Uint32Array(keys.order.length);
  const paired = new Uint8Array(keys.order.length);
  let leftOut = 0;
  for (const band of keys.bands) {
    forEachMember(band, keys.order, (rank, index, bucket, start) => {
      if (index === 0) return;
      paired[rank] = 1;
      paired[bucket[start * 2 + lowHalf]!] = 1;
      const looked = Math.min(index, headRowsMax + recentRowsMax);
      pairs[rank]! += looked;
      leftOut += index - looked;
    });
  }
  return { pairs, paired, leftOut };
}

/**
 * The pairs whose later rank lies in `[from, to)`, each once, by later rank and then by earlier: two numbers a pair,
 * the earlier first. `room` is how many there are at most.
 */
export function pairsOf(
  keys: RankedKeys,
  { from, to, room }: { readonly from: number; readonly to: number; readonly room: number },
): Uint32Array {
  const pairs = new BigUint64Array(room);
  const halves = new Uint32Array(pairs.buffer);
  let count = 0;
  for (const band of keys.bands) {
    forEachMember(band, keys.order, (rank, index, bucket, start) => {
      if (rank < from || rank >= to) return;
      const recent = Math.max(index - recentRowsMax, Math.min(index, headRowsMax));
      const take = (earlier: number): void => {
        halves[count * 2 + lowHalf] = bucket[(start + earlier) * 2 + lowHalf]!;
        halves[count * 2 + highHalf] = rank;
        count += 1;
      };
      for (let earlier = 0; earlier < Math.min(index, headRowsMax); earlier++) take(earlier);
      for (let earlier = recent; earlier < index; earlier++) take(earlier);
    });
  }
  pairs.subarray(0, count).sort();
  return distinctPairs(halves, count);
}

function distinctPairs(halves: Uint32Array, count: number): Uint32Array {
  let distinct = 0;
  for (let i = 0; i < count; i++) {
    const [earlier, later] = [halves[i * 2 + lowHalf]!, halves[i * 2 + highHalf]!];
    if (distinct > 0 && halves[distinct * 2 - 2] === earlier && halves[distinct * 2 - 1] === later) continue;
    halves[distinct * 2] = earlier;
    halves[distinct * 2 + 1] = later;
    distinct += 1;
  }
  return halves.subarray(0, distinct * 2);
}

const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
const lowHalf = littleEndian ? 0 : 1;
const highHalf = 1 - lowHalf;

/** Visits the ranks of one band, bucket by bucket, each bucket in the order of ranks, with their number in it. */
function forEachMember(
  keys: Uint32Array,
  order: Uint32Array,
  visit: (rank: number, index: number, bucket: Uint32Array, start: number) => void,
): void {
  const shared = ranksThatMayShare(keys, order);
  // Key and rank as one number of 64 bits: the engine's own sort of such arrays is quick and needs no comparator.
  const sorted = new BigUint64Array(shared.length);
  const halves = new Uint32Array(sorted.buffer);
  for (let i = 0; i < shared.length; i++) {
    halves[i * 2 + lowHalf] = shared[i]!;
    halves[i * 2 + highHalf] = keys[order[shared[i]!]!]!;
  }
  sorted.sort();
  let start = 0;
  for (let i = 0; i < shared.length; i++) {
    if (halves[i * 2 + highHalf] !== halves[start * 2 + highHalf]) start = i;
    visit(halves[i * 2 + lowHalf]!, i - start, halves, start);
  }
}

/** Ranks whose key may occur twice, by a count of the keys' last bits: most rows share nothing and need no sorting. */
function ranksThatMayShare(keys: Uint32Array, order: Uint32Array): Uint32Array {
  const counts = new Uint8Array(2 ** Math.max(10, Math.ceil(Math.log2(Math.max(1, order.length) * 8))));
  const mask = counts.length - 1;
  for (const position of order) {
    const slot = keys[position]! & mask;
    if (counts[slot]! < 2) counts[slot]! += 1;
  }
  let found = 0;
  const ranks = new Uint32Array(order.length);
  for (let rank = 0; rank < order.length; rank++) {
    if (counts[keys[order[rank]!]! & mask] === 2) ranks[found++] = rank;
  }
  return ranks.subarray(0, found);
}
