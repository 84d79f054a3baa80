/**
 * `holdout/near-dedupe`: one of each set of rows whose texts share most of their runs of words. Candidates by MinHash and
 * bands, then the Jaccard similarity itself.
 * @module
 */
import { join } from 'node:path';
import { z } from 'zod';
import { firstOfEqual } from '../src/lineage/digest-groups.ts';
import { type StepContext, type Transform, defineTransform } from '../src/lineage/transform.ts';
import type { SelectedRows } from '../src/lineage/step-output.ts';
import { selectByReason } from './dropped-rows.ts';
import { BandFile } from './near-dedupe/band-file.ts';
import { type Banding, bandingFor, recallOf } from './near-dedupe/banding.ts';
import { highHalf, lowHalf } from './near-dedupe/halves.ts';
import { type KeptApart, jaccard, keepApart } from './near-dedupe/keep-apart.ts';
import { NO_TEXT, WORDS, equalityDigestBytes } from './near-dedupe/shingles.ts';
import { longestMax, setsPlan, sketchPlan } from './near-dedupe/work.ts';
import { columns, listed, seed } from './parameters.ts';
import { counted } from './why-gone.ts';
import { columnTextSql } from './texts/column-text.ts';
import { type TextSource, readTexts } from './texts/read-texts.ts';
import { type BatchRun, forEachBatch } from './texts/worker-pool.ts';

const bandsMax = 256;
const hashesMax = 1024;
const shingleWordsMax = 100;
type Policy = 'first' | 'last' | 'longest';

/** Keeps one row of each set of near ones, in the table's order. */
export const nearDedupe: Transform = defineTransform({
  name: 'holdout/near-dedupe',
  version: 1,
  kind: 'selecting',
  summary: 'Keeps one of each set of rows whose texts are nearly the same (MinHash, then verified Jaccard similarity).',
  example: 'near-dedupe: {columns: [text], threshold: 0.8}',
  seeded: true,
  params: z
    .strictObject({
      columns: columns
        .max(64)
        .describe(
          'Columns of text or of messages. Rows are compared by the runs of words of all of them together. A row that has null in all of ' +
            'them stays.',
        ),
      threshold: z
        .number()
        .min(0.3)
        .max(1)
        .default(0.8)
        .describe(
          'The least Jaccard similarity of rows that are near, from 0.3 to 1: runs of words that both have, of those ' +
            'that either has.',
        ),
      words: z
        .int()
        .min(1)
        .max(shingleWordsMax)
        .default(5)
        .describe(
          "Words of a run. Words are those of the leak check: case, accents and punctuation don't count. A text of " +
            'fewer words is one run; rows without any word are near when their texts are equal.',
        ),
      keep: z
        .enum(['first', 'last', 'longest'])
        .default('first')
        .describe(
          'Which of near rows stays. Rows are taken in this order (longest: by characters, of equal ones the first), ' +
            'and a row goes when one that stays is near it: what goes is always that like a row that stays.',
        ),
      bands: z
        .int()
        .min(1)
        .max(bandsMax)
        .optional()
        .describe(
          'With rows: pairs are looked at when all MinHash values of a band are equal, which happens with probability ' +
            '1 − (1 − s^rows)^bands at similarity s. By default the most rows that find 95 % of the pairs right at ' +
            'the threshold with 128 values; for 0.8 that is 18 × 7: 79 % at 0.7, 98.6 % at 0.8, 99.9 % at 0.85, all at 0.9. ' +
            'Equal texts are always found. 4 bytes of disk a row for each, while it runs.',
        ),
      rows: z.int().min(1).max(hashesMax).optional().describe('MinHash values of a band; give both or none.'),
      seed: seed.describe('Chooses other MinHash orders, so other pairs among those that are found by chance.'),
    })
    .refine(({ bands, rows }) => (bands === undefined) === (rows === undefined), 'give bands and rows, or neither')
    .refine(
      ({ bands = 1, rows = 1 }) => bands * rows <= hashesMax,
      `bands × rows is more than ${hashesMax} MinHash values`,
    )
    .transform(({ bands, rows, ...given }) => {
      const banding = bands === undefined || rows === undefined ? bandingFor(given.threshold) : { bands, rows };
      return { ...given, ...banding };
    }),
  describe: ({ columns: names, threshold, words, keep, bands, rows, seed: drawn }) =>
    `keep the ${keep} of rows that share ${threshold} of their runs of ${words} words in ${listed(names)} ` +
    `(${bands} bands of ${rows}: finds ${percent(recallOf({ bands, rows }, threshold))} of pairs at ${threshold}; seed ${drawn})`,
  toldCounts: ['sameWords', 'nearDuplicates', 'pairsLeftOut'],
  async run(context, { columns: names, threshold, words, keep, bands, rows }) {
    const { input, engine, scratch } = context;
    for (const name of names) columnTextSql(input.schema, name);
    const keys = new BandFile(join(scratch, 'near-bands'), bands, input.rows);
    try {
      const sketched = await sketchRows(context, { names, words, keep }, { bands, rows }, keys);
      const ranks = rankRows(sketched, keep);
      const apart = await keepApart({
        keys: { bands: keys, order: ranks.order },
        sizes: sketched.sizes,
        threshold,
        folder: scratch,
        readSets: (wanted, visit) => readSets(context, { input, engine, columns: names, wanted }, words, visit),
      });
      return output(sketched, ranks, apart);
    } finally {
      keys.close();
    }
  },
  async whyGone(context, { columns: names, words }, { rows, stays }) {
    const { input, engine } = context;
    const asked = new Map<number, Float64Array>();
    const source = { input, engine, columns: names };
    await readSets(context, { ...source, wanted: (row) => rows.includes(row) }, words, (row, set) => {
      asked.set(row, set.slice());
    });
    const nearest = new Map<number, { readonly row: number; readonly likeness: number }>();
    await readSets(context, { ...source, wanted: stays }, words, (row, set) => {
      for (const [of, own] of asked) {
        const likeness = own.length + set.length === 0 ? 0 : jaccard(own, set);
        const best = nearest.get(of);
        if (best === undefined || likeness > best.likeness || (likeness === best.likeness && row < best.row)) {
          nearest.set(of, { row, likeness });
        }
      }
    });
    return rows.map((row) => {
      const found = nearest.get(row);
      if (found === undefined || found.likeness === 0) {
        return 'its text, which has no words, is that of a row that stays';
      }
      const shared = found.likeness === 1 ? 'all' : percent(found.likeness);
      return `like row ${counted(found.row + 1)} of its input, which stays: ${shared} of their runs of ${words} words stand in both`;
    });
  },
});

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

interface SketchedRows {
  readonly kinds: Uint8Array;
  /** For each row the first of those that have the same words. */
  readonly first: Uint32Array;
  readonly sizes: Uint32Array;
  /** Characters, where the longest stays; else empty. */
  readonly lengths: Uint32Array;
}

async function sketchRows(
  context: StepContext,
  { names, words, keep }: { readonly names: readonly string[]; readonly words: number; readonly keep: Policy },
  banding: Banding,
  keys: BandFile,
): Promise<SketchedRows> {
  const { input, engine } = context;
  const kinds = new Uint8Array(input.rows);
  const digests = new Uint8Array(input.rows * equalityDigestBytes);
  const sizes = new Uint32Array(input.rows);
  const lengths = new Uint32Array(keep === 'longest' ? input.rows : 0);
  const plan = sketchPlan({ columns: names.length, words }, banding, context.seed);
  await forEachBatch(context, readTexts({ input, engine, columns: names }), plan, (positions, sketches) => {
    const [start = 0] = positions;
    // Without a choice of rows the positions of a batch follow each other.
    kinds.set(sketches.kinds, start);
    digests.set(sketches.digests, start * equalityDigestBytes);
    sizes.set(sketches.sizes, start);
    if (lengths.length > 0) lengths.set(sketches.lengths, start);
    for (let band = 0; band < banding.bands; band++) {
      const rows = positions.length;
      keys.write(band, start, sketches.keys.subarray(band * rows, (band + 1) * rows));
    }
    context.onProgress?.(start + positions.length);
  });
  return { kinds, first: firstOfEqual(digests), sizes, lengths };
}

/** Reads the sets of the rows wanted. */
async function readSets(
  run: BatchRun,
  source: TextSource & Required<Pick<TextSource, 'wanted'>>,
  words: number,
  visit: (position: number, set: Float64Array) => void,
): Promise<void> {
  const plan = setsPlan({ columns: source.columns.length, words });
  await forEachBatch(run, readTexts(source), plan, (positions, { lengths, values }) => {
    let at = 0;
    for (let row = 0; row < positions.length; row++) {
      visit(positions[row]!, values.subarray(at, at + lengths[row]!));
      at += lengths[row]!;
    }
  });
}

interface Ranks {
  /** Position of the row that stands for those of the same words, for each position that is the first of them. */
  readonly best: Uint32Array;
  /** Those of them that have words, the one that rather stays first. */
  readonly order: Uint32Array;
}

function rankRows({ kinds, first, lengths }: SketchedRows, keep: Policy): Ranks {
  const best = Uint32Array.from(first);
  for (let row = 0; row < first.length; row++) {
    const of = first[row]!;
    if (keep === 'last' || (keep === 'longest' && lengths[row]! > lengths[best[of]!]!)) best[of] = row;
  }
  const order = Uint32Array.from(first.keys()).filter((row) => best[first[row]!] === row && kinds[row] === WORDS);
  if (keep === 'last') order.reverse();
  return { best, order: keep === 'longest' ? longestFirst(order, lengths) : order };
}

/** Of rows of one length the first comes first, as `rows` is ascending. */
function longestFirst(rows: Uint32Array, lengths: Uint32Array): Uint32Array {
  const sorted = new BigUint64Array(rows.length);
  const halves = new Uint32Array(sorted.buffer);
  for (const [i, row] of rows.entries()) {
    halves[i * 2 + highHalf] = longestMax - lengths[row]!;
    halves[i * 2 + lowHalf] = row;
  }
  sorted.sort();
  return rows.map((_, i) => halves[i * 2 + lowHalf]!);
}

const reasons = ['sameWords', 'nearDuplicates'] as const;
const SAME_WORDS = 1;
const NEAR_DUPLICATE = 2;

function output(
  { kinds, first }: SketchedRows,
  { best, order }: Ranks,
  { gone, candidatePairs, verifiedPairs, pairsLeftOut }: KeptApart,
): SelectedRows {
  const why = new Uint8Array(first.length);
  for (let row = 0; row < first.length; row++) {
    if (kinds[row] !== NO_TEXT && best[first[row]!] !== row) why[row] = SAME_WORDS;
  }
  for (let rank = 0; rank < order.length; rank++) if (gone[rank] === 1) why[order[rank]!] = NEAR_DUPLICATE;
  const selected = selectByReason(reasons, why);
  return { ...selected, counts: { ...selected.counts, candidatePairs, verifiedPairs, pairsLeftOut } };
}
