/**
 * Which pairs of rows are looked at: those that share a key in some band. A key that many rows share would give a
 * number of pairs that grows with its square, so each row is compared with the first few of the rows that share it and
 * with the few that stand just before it. Most rows share no key, so a band's keys are looked at once and its crowds
 * alone are kept.
 * @module
 */
import type { BandNumbers } from './band-file.ts';
import { highHalf, lowHalf } from './halves.ts';

/** Of the rows before it in a bucket, a row is compared with this many at the bucket's start … */
export const headRowsMax = 16;
/** … and with this many right before it. Buckets of up to 33 rows are compared in full. */
export const recentRowsMax = 16;

/** Rows by rank: a row of a lower rank is kept rather than one of a higher. */
export interface RankedKeys {
  /** For each band the keys of all rows, by position; `findCrowds` puts the crowds in their place. */
  readonly bands: BandNumbers;
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

/** Marks the first rank of a bucket; memory ends long before 2^31 rows. */
const bucketStart = 0x80000000;

/**
 * Counts the pairs of each rank, and puts in place of each band's keys the ranks that share one, bucket by bucket, each
 * bucket in the order of ranks.
 */
export function findCrowds({ bands, order }: RankedKeys): CrowdCounts {
  if (order.length >= bucketStart) throw new RangeError(`"order" expected fewer than 2^31 rows, got ${order.length}`);
  const pairs = new Uint32Array(order.length);
  const paired = new Uint8Array(order.length);
  let leftOut = 0;
  for (let band = 0; band < bands.bands; band++) {
    const crowds = crowdsOf(bands.read(band), order);
    forEachMember(crowds, (rank, index) => {
      paired[rank] = 1;
      const looked = Math.min(index, headRowsMax + recentRowsMax);
      pairs[rank]! += looked;
      leftOut += index - looked;
    });
    bands.replace(band, crowds);
  }
  return { pairs, paired, leftOut };
}

/**
 * The pairs whose later rank lies in `[from, to)`, each once, by later rank and then by earlier: two numbers a pair,
 * the earlier first. `room` is how many there are at most.
 * @param bands as `findCrowds` left them
 */
export function pairsOf(
  bands: BandNumbers,
  { from, to, room }: { readonly from: number; readonly to: number; readonly room: number },
): Uint32Array {
  const pairs = new BigUint64Array(room);
  const halves = new Uint32Array(pairs.buffer);
  let count = 0;
  for (let band = 0; band < bands.bands; band++) {
    const crowds = bands.read(band);
    forEachMember(crowds, (rank, index, start) => {
      if (rank < from || rank >= to) return;
      const recent = Math.max(index - recentRowsMax, Math.min(index, headRowsMax));
      const take = (earlier: number): void => {
        halves[count * 2 + lowHalf] = rankAt(crowds, start + earlier);
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

/** Visits the ranks of one band's crowds, with their number in their bucket and where the bucket starts. */
function forEachMember(crowds: Uint32Array, visit: (rank: number, index: number, start: number) => void): void {
  let start = 0;
  for (let i = 0; i < crowds.length; i++) {
    if (crowds[i]! >= bucketStart) start = i;
    visit(rankAt(crowds, i), i - start, start);
  }
}

function rankAt(crowds: Uint32Array, at: number): number {
  return crowds[at]! & ~bucketStart;
}

/** The ranks that share their key with another. */
function crowdsOf(keys: Uint32Array, order: Uint32Array): Uint32Array {
  const shared = ranksThatMayShare(keys, order);
  const sorted = new BigUint64Array(shared.length);
  const halves = new Uint32Array(sorted.buffer);
  for (let i = 0; i < shared.length; i++) {
    halves[i * 2 + lowHalf] = shared[i]!;
    halves[i * 2 + highHalf] = keys[order[shared[i]!]!]!;
  }
  sorted.sort();
  let found = 0;
  for (let start = 0, end; start < shared.length; start = end) {
    for (end = start + 1; end < shared.length; end++) {
      if (halves[end * 2 + highHalf] !== halves[start * 2 + highHalf]) break;
    }
    if (end - start === 1) continue;
    for (let i = start; i < end; i++) shared[found++] = halves[i * 2 + lowHalf]! + (i === start ? bucketStart : 0);
  }
  return shared.subarray(0, found);
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
