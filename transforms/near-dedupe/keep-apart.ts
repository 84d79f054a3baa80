/**
 * Which rows stay: by rank, a row goes when a row of a lower rank that stays is near it, among the pairs looked at. So
 * each row that goes has a row that stays at least that like it, and no chain of likenesses takes a row away. Rows are
 * decided in slabs of ranks whose shingles fit the memory; rows of earlier slabs are read past them.
 * @module
 */
import { type RankedKeys, countPairs, pairsOf } from './crowds.ts';

/** What is decided on. */
export interface Likeness {
  readonly keys: RankedKeys;
  /** For each position at least how many shingles its row has. */
  readonly sizes: Uint32Array;
  /** The least Jaccard similarity of rows that are near. */
  readonly threshold: number;
  /** Reads the sets (distinct shingles, ascending) of the rows wanted, in the table's order. */
  readSets(wanted: (position: number) => boolean, visit: (position: number, set: Float64Array) => void): Promise<void>;
}

/** What came out. */
export interface KeptApart {
  /** For each rank 1 where its row goes. */
  readonly gone: Uint8Array;
  readonly candidatePairs: number;
  readonly verifiedPairs: number;
  /** Pairs that share a band's key and were not looked at there, as too many rows share it. */
  readonly pairsLeftOut: number;
}

/** What a slab may hold, in pairs (8 bytes each) and in shingles (8 bytes each). */
export interface SlabLimits {
  readonly pairsMax: number;
  readonly shinglesMax: number;
}

const slabLimits: SlabLimits = { pairsMax: 1 << 23, shinglesMax: 1 << 25 };

/** Decides for every rank. No answer depends on the limits of a slab. */
export async function keepApart(likeness: Likeness, limits: SlabLimits = slabLimits): Promise<KeptApart> {
  const { keys, sizes } = likeness;
  const { pairs: pairCounts, paired, leftOut } = countPairs(keys);
  const ranks = keys.order.length;
  const rankOf = new Uint32Array(sizes.length);
  for (let rank = 0; rank < ranks; rank++) rankOf[keys.order[rank]!] = rank;
  const decision: Decision = { likeness, rankOf, gone: new Uint8Array(ranks), verified: 0 };
  let candidatePairs = 0;
  for (let from = 0; from < ranks;) {
    let [to, room, shingles] = [from, 0, 0];
    for (; to < ranks; to++) {
      const size = paired[to] === 1 ? sizes[keys.order[to]!]! : 0;
      if (to > from && (room + pairCounts[to]! > limits.pairsMax || shingles + size > limits.shinglesMax)) break;
      room += pairCounts[to]!;
      shingles += size;
    }
    const pairs = room === 0 ? new Uint32Array(0) : pairsOf(keys, { from, to, room });
    candidatePairs += pairs.length / 2;
    if (pairs.length > 0) await decideSlab(decision, pairs, from, to);
    from = to;
  }
  return { gone: decision.gone, candidatePairs, verifiedPairs: decision.verified, pairsLeftOut: leftOut };
}

interface Decision {
  readonly likeness: Likeness;
  readonly rankOf: Uint32Array;
  readonly gone: Uint8Array;
  verified: number;
}

async function decideSlab(decision: Decision, pairs: Uint32Array, from: number, to: number): Promise<void> {
  const { likeness, rankOf, gone } = decision;
  const inSlab = new Uint8Array(to - from);
  const outside = pairsByEarlier(pairs, (earlier) => earlier < from && gone[earlier] === 0);
  for (let i = 0; i < pairs.length; i += 2) {
    inSlab[pairs[i + 1]! - from] = 1;
    if (pairs[i]! >= from) inSlab[pairs[i]! - from] = 1;
  }
  const sets = new SetStore(to - from);
  const resident = (position: number): boolean => {
    const rank = rankOf[position]!;
    return likeness.keys.order[rank] === position && rank >= from && rank < to && inSlab[rank - from] === 1;
  };
  await likeness.readSets(resident, (position, set) => sets.put(rankOf[position]! - from, set));
  const near = (a: Float64Array, b: Float64Array): boolean => {
    decision.verified += 1;
    return areNear(a, b, likeness.threshold);
  };
  if (outside.earlier.length > 0) {
    const visits = (position: number): boolean => {
      const rank = rankOf[position]!;
      if (likeness.keys.order[rank] !== position || rank >= from) return false;
      return outside.earlier[firstAt(outside.earlier, rank)] === rank;
    };
    await likeness.readSets(visits, (position, set) => {
      const rank = rankOf[position]!;
      for (let i = firstAt(outside.earlier, rank); outside.earlier[i] === rank; i++) {
        const later = outside.later[i]!;
        if (gone[later] === 0 && near(set, sets.get(later - from))) gone[later] = 1;
      }
    });
  }
  for (let i = 0; i < pairs.length; i += 2) {
    const [earlier, later] = [pairs[i]!, pairs[i + 1]!];
    if (earlier < from || gone[earlier] === 1 || gone[later] === 1) continue;
    if (near(sets.get(earlier - from), sets.get(later - from))) gone[later] = 1;
  }
}

/** Whether the Jaccard similarity of two ascending sets is at least the threshold. */
export function areNear(a: Float64Array, b: Float64Array, threshold: number): boolean {
  // The quotient of two whole numbers is rounded like the threshold's own decimal, so 4 of 5 is 0.8.
  if (Math.min(a.length, b.length) / Math.max(a.length, b.length) < threshold) return false;
  return jaccard(a, b) >= threshold;
}

/** Jaccard similarity of two ascending sets, not both empty. */
export function jaccard(a: Float64Array, b: Float64Array): number {
  let [i, j, shared] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i]!, b[j]!];
    if (x === y) shared += 1;
    if (x <= y) i += 1;
    if (y <= x) j += 1;
  }
  return shared / (a.length + b.length - shared);
}

/** Pairs by their earlier rank. */
interface PairsByEarlier {
  readonly earlier: Uint32Array;
  readonly later: Uint32Array;
}

function pairsByEarlier(pairs: Uint32Array, wanted: (earlier: number) => boolean): PairsByEarlier {
  const chosen: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) if (wanted(pairs[i]!)) chosen.push(i);
  const order = Uint32Array.from(chosen).sort((a, b) => pairs[a]! - pairs[b]! || a - b);
  return { earlier: order.map((at) => pairs[at]!), later: order.map((at) => pairs[at + 1]!) };
}

/** The first place of a value in an ascending array, or where it would stand. */
function firstAt(ascending: Uint32Array, value: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The sets of a slab, one after the other. */
class SetStore {
  readonly #starts: Uint32Array;
  readonly #lengths: Uint32Array;
  #values = new Float64Array(1 << 12);
  #used = 0;

  constructor(rows: number) {
    this.#starts = new Uint32Array(rows);
    this.#lengths = new Uint32Array(rows);
  }

  put(row: number, set: Float64Array): void {
    while (this.#used + set.length > this.#values.length) {
      const longer = new Float64Array(this.#values.length * 2);
      longer.set(this.#values.subarray(0, this.#used));
      this.#values = longer;
    }
    this.#values.set(set, this.#used);
    this.#starts[row] = this.#used;
    this.#lengths[row] = set.length;
    this.#used += set.length;
  }

  get(row: number): Float64Array {
    const start = this.#starts[row]!;
    return this.#values.subarray(start, start + this.#lengths[row]!);
  }
}
