/**
 * Which rows stay: by rank, a row goes when a row of a lower rank that stays is near it, among the pairs looked at. So
 * each row that goes has a row that stays at least that like it, and no chain of likenesses takes a row away. Rows are
 * decided in slabs of ranks whose shingles fit the memory. Where there are several slabs, the sets of all rows that have
 * a pair are put into a file first: the texts are read once, however many slabs there are.
 * @module
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type RankedKeys, findCrowds, pairsOf } from './crowds.ts';
import { highHalf, lowHalf } from './halves.ts';
import { SetSpool } from './set-spool.ts';

/** What is decided on. */
export interface Likeness {
  readonly keys: RankedKeys;
  /** For each position at least how many shingles its row has. */
  readonly sizes: Uint32Array;
  /** The least Jaccard similarity of rows that are near. */
  readonly threshold: number;
  /** Where sets may be written. */
  readonly folder: string;
  readonly readSets: ReadSets;
}

/** Reads the sets (distinct shingles, ascending) of the rows wanted, in the table's order; a set is good until the next. */
export type ReadSets = (
  wanted: (position: number) => boolean,
  visit: (position: number, set: Float64Array) => void,
) => Promise<void>;

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
  const { keys, sizes, readSets } = likeness;
  const ranks = keys.order.length;
  const { leftOut, paired, slabs } = plan(likeness, limits);
  const rankOf = new Uint32Array(sizes.length);
  for (let rank = 0; rank < ranks; rank++) rankOf[keys.order[rank]!] = rank;
  const decision = { likeness, rankOf, role: new Uint8Array(ranks), gone: new Uint8Array(ranks), verified: 0 };
  const takesPart = (position: number): boolean => paired[rankAt(decision, position)] === 1;
  const spool = slabs.length < 2 ? null : new SetSpool(join(likeness.folder, 'near-sets'), sizes.length);
  let candidatePairs = 0;
  try {
    if (spool !== null) await readSets(takesPart, (position, set) => spool.put(position, set));
    const read = spool === null ? readSets : fromSpool(spool, sizes);
    for (const slab of slabs) {
      if (slab.room === 0) continue;
      const pairs = pairsOf(keys.bands, slab);
      candidatePairs += pairs.length / 2;
      await decideSlab(decision, slab, pairs, read);
    }
  } finally {
    spool?.close();
  }
  return { gone: decision.gone, candidatePairs, verifiedPairs: decision.verified, pairsLeftOut: leftOut };
}

/** Ranks `[from, to)` that are decided together. */
interface Slab {
  readonly from: number;
  readonly to: number;
  /** Pairs, and shingles of rows with a pair, at most. */
  readonly room: number;
  readonly shingles: number;
}

function plan({ keys, sizes }: Likeness, limits: SlabLimits): { leftOut: number; paired: Uint8Array; slabs: Slab[] } {
  const { pairs, paired, leftOut } = findCrowds(keys);
  const slabs: Slab[] = [];
  const ranks = keys.order.length;
  for (let from = 0; from < ranks;) {
    let [to, room, shingles] = [from, 0, 0];
    for (; to < ranks; to++) {
      const size = paired[to] === 1 ? sizes[keys.order[to]!]! : 0;
      if (to > from && (room + pairs[to]! > limits.pairsMax || shingles + size > limits.shinglesMax)) break;
      room += pairs[to]!;
      shingles += size;
    }
    slabs.push({ from, to, room, shingles });
    from = to;
  }
  return { leftOut, paired, slabs };
}

function fromSpool(spool: SetSpool, sizes: Uint32Array): ReadSets {
  return async (wanted, visit) => {
    for (let position = 0; position < sizes.length; position++) {
      // Else no interrupt would be heard for as long as this takes.
      if (position % rowsBetweenBreaths === 0) await setImmediate();
      if (wanted(position)) visit(position, spool.get(position, sizes[position]!));
    }
  };
}

const rowsBetweenBreaths = 1 << 16;

interface Decision {
  readonly likeness: Likeness;
  readonly rankOf: Uint32Array;
  /** For each rank what its row is to the slab at hand: 0 where it has no part in it. */
  readonly role: Uint8Array;
  readonly gone: Uint8Array;
  verified: number;
}

/** In the slab, and in a pair. */
const INSIDE = 1;
/** Before the slab, and in a pair with a row of it. */
const BEFORE = 2;

/** Rank of a row; of one that takes no part a rank that there is not. */
function rankAt({ likeness, rankOf }: Decision, position: number): number {
  const { order } = likeness.keys;
  const rank = rankOf[position]!;
  return order[rank] === position ? rank : order.length;
}

async function decideSlab(decision: Decision, slab: Slab, pairs: Uint32Array, readSets: ReadSets): Promise<void> {
  const { likeness, rankOf, role, gone } = decision;
  const { from, to } = slab;
  const before = pairsByEarlier(pairs, (earlier) => earlier < from && gone[earlier] === 0);
  role.fill(0, 0, to);
  for (const rank of before.earlier) role[rank] = BEFORE;
  for (let i = 0; i < pairs.length; i += 2) {
    role[pairs[i + 1]!] = INSIDE;
    if (pairs[i]! >= from) role[pairs[i]!] = INSIDE;
  }
  const sets = new SetStore(to - from, slab.shingles);
  const isInside = (position: number): boolean => role[rankAt(decision, position)] === INSIDE;
  await readSets(isInside, (position, set) => sets.put(rankOf[position]! - from, set));
  const near = (a: Float64Array, b: Float64Array): boolean => {
    decision.verified += 1;
    return areNear(a, b, likeness.threshold);
  };
  if (before.earlier.length > 0) {
    const isBefore = (position: number): boolean => role[rankAt(decision, position)] === BEFORE;
    await readSets(isBefore, (position, set) => {
      const rank = rankOf[position]!;
      for (let i = firstAt(before.earlier, rank); before.earlier[i] === rank; i++) {
        const later = before.later[i]!;
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
  let count = 0;
  for (let i = 0; i < pairs.length; i += 2) if (wanted(pairs[i]!)) count += 1;
  // Pairs of one earlier rank stay in the order of their later ones.
  const sorted = new BigUint64Array(count);
  const halves = new Uint32Array(sorted.buffer);
  count = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    if (!wanted(pairs[i]!)) continue;
    halves[count * 2 + lowHalf] = i;
    halves[count * 2 + highHalf] = pairs[i]!;
    count += 1;
  }
  sorted.sort();
  const earlier = new Uint32Array(count);
  const later = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    earlier[i] = halves[i * 2 + highHalf]!;
    later[i] = pairs[halves[i * 2 + lowHalf]! + 1]!;
  }
  return { earlier, later };
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
  /** Untouched memory takes no room, so that what is asked for is what there may be at most. */
  readonly #values: Float64Array;
  #used = 0;

  constructor(rows: number, valuesMax: number) {
    this.#starts = new Uint32Array(rows);
    this.#lengths = new Uint32Array(rows);
    this.#values = new Float64Array(valuesMax);
  }

  put(row: number, set: Float64Array): void {
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
