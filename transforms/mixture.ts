/**
 * `holdout/mixture`: rows of several datasets in given proportions, drawn by seed.
 *
 * Of n rows, a dataset of weight w among weights that sum to W has n·w/W, rounded down; the rows that are left go to the
 * largest fractions, of equal ones to the dataset named first (largest remainder). Which rows of a dataset are taken is
 * decided by a number for each row out of seed, row digest and the dataset's place in the mixture: the rows of least
 * number, each once before any is taken again. So a dataset that grows changes few of its draws, and one more at the end
 * changes the others' only in their number.
 * @module
 */
import { z } from 'zod';
import { HoldoutError } from '../src/errors.ts';
import { orderByNumbers, placesOf, seededRowNumbers } from '../src/lineage/seeded-hash.ts';
import { datasetParam, defineTransform, type Transform } from '../src/lineage/transform.ts';
import { lackingNotes, uniteInputs } from '../src/lineage/unite-inputs.ts';
import { DIGEST_BYTES } from '../src/merkle/table-tree.ts';
import type { TableReader } from '../src/tables/table-reader.ts';
import { largestRemainder, mixtureRows } from './mixture/counts.ts';
import { datasetLabel, rowCount, seed } from './parameters.ts';
import { counted } from './why-gone.ts';

const weight = z.number().min(1e-6).max(1e6);
const epochsMax = 1000;

/** Draws rows of several datasets by weight. */
export const mixture: Transform = defineTransform({
  name: 'holdout/mixture',
  version: 1,
  kind: 'row-adding',
  summary: 'Draws rows of the input and of other datasets in given proportions.',
  example: 'mixture: {weight: 0.7, with: [{dataset: other, weight: 0.3}], rows: 10000, seed: 7}',
  seeded: true,
  params: z
    .strictObject({
      weight: weight.describe('Weight of the input. Weights need not sum to 1.'),
      with: z
        .array(z.strictObject({ dataset: datasetParam, weight }))
        .min(1)
        .describe(
          'The other datasets, NAME or NAME@VERSION, each with its weight. A column that one of them, or the input, lacks is null there, as in concat.',
        ),
      rows: rowCount.optional().describe('How many rows in all.'),
      size: z
        .enum(['smallest', 'all'])
        .optional()
        .describe(
          'Instead of rows. smallest: as many as the weights allow without taking a row twice (the default). all: as few as take every row of every dataset, the smaller ones repeated.',
        ),
      repeat: z
        .union([z.literal(false), z.int().positive().max(epochsMax)])
        .default(false)
        .describe('How often a row may be taken at most; false: once.'),
      order: z
        .enum(['shuffled', 'interleaved'])
        .default('shuffled')
        .describe(
          'shuffled: by seed. interleaved: the rows of each dataset spread evenly, in the order of their draw.',
        ),
      seed,
    })
    .refine(({ rows, size }) => rows === undefined || size === undefined, 'give rows or size, not both')
    .transform(({ weight: own, with: others, rows, size, repeat, order, seed: drawn }) => ({
      weight: own,
      with: others,
      ...(rows === undefined ? { size: size ?? 'smallest' } : { rows }),
      repeat,
      order,
      seed: drawn,
    })),
  describe: ({ weight: own, with: others, order, seed: drawn, ...how }) => {
    const parts = others.map((other) => `${datasetLabel(other.dataset)} ${other.weight}`);
    const size = 'rows' in how ? `${how.rows} rows` : `size ${how.size}`;
    return `mix it ${own} with ${parts.join(', ')}, ${size}, ${order} (seed ${drawn})`;
  },
  datasets: ({ with: others }) =>
    others.map(({ dataset }, index) => ({ at: ['with', index, 'dataset'], names: dataset, as: 'table' })),
  async run({ input, others, engine, seed: drawn }, { weight: own, with: mixed, repeat, order, ...how }) {
    const weights = [own, ...mixed.map((each) => each.weight)];
    const readers = [input, ...others.map(({ reader }) => reader)];
    const labels = ['the input', ...mixed.map(({ dataset }) => datasetLabel(dataset))];
    const named = others.map(({ reader }, index) => ({ label: labels[index + 1]!, reader }));
    const tables = [{ label: labels[0]!, reader: input }, ...named] as const;
    const schema = await uniteInputs(engine, tables);
    const held = readers.map(({ rows }) => rows);
    const empty = held.indexOf(0);
    if (empty >= 0) throw new HoldoutError('CONFLICT', `${labels[empty]!} is empty: there is nothing to mix`);
    const total = 'rows' in how ? how.rows : mixtureRows(weights, held, how.size);
    const counts = largestRemainder(weights, total);
    checkEnough({ labels, held, counts, weights, timesMax: repeat === false ? 1 : repeat });

    const addresses = new Uint32Array(total);
    let [at, start] = [0, 0];
    for (const [index, reader] of readers.entries()) {
      const count = counts[index]!;
      const digests = await reader.digests();
      const draw = orderByNumbers(seededRowNumbers({ purpose: `mixture-${index}`, seed: drawn }, digests), digests);
      for (let k = 0; k < count; k++) addresses[at + k] = start + draw[k % draw.length]!;
      at += count;
      start += reader.rows;
    }
    const rows = order === 'interleaved' ? interleaved(counts) : await shuffled(readers, addresses, drawn);
    return {
      kind: 'table',
      schema,
      rows: rows.map((row) => addresses[row]!),
      added: null,
      madeOf: null,
      counts: Object.fromEntries(counts.map((count, index) => [countName(index), count])),
      notes: lackingNotes(tables, schema),
    };
  },
  async whyGone({ input, others, seed: used }, _, { rows, input: index, realisation }) {
    const reader = [input, ...others.map((other) => other.reader)][index]!;
    const digests = await reader.digests();
    const numbers = seededRowNumbers({ purpose: `mixture-${index}`, seed: used }, digests);
    const places = placesOf(orderByNumbers(numbers, digests));
    const count = realisation.counts[countName(index)] ?? 0;
    return rows.map(
      (row) =>
        `number ${counted(places[row]! + 1)} in the draw of seed ${used}, and the first ${counted(count)} are taken`,
    );
  },
});

/** Place k of n evenly spread ones lies in the middle of the kth of n equal stretches. */
function interleaved(counts: readonly number[]): Uint32Array {
  const numbers = new Float64Array(counts.reduce((sum, count) => sum + count, 0));
  let at = 0;
  for (const count of counts) for (let k = 0; k < count; k++) numbers[at++] = (2 * k + 1) / (2 * count);
  return Uint32Array.from(numbers, (_, row) => row).sort((a, b) => numbers[a]! - numbers[b]! || a - b);
}

/** Digests are gathered once more, when what drew the rows is gone: a mixture is the step that holds most. */
async function shuffled(
  readers: readonly TableReader[],
  addresses: Uint32Array,
  seedUsed: number,
): Promise<Uint32Array> {
  const digests = new Uint8Array(addresses.length * DIGEST_BYTES);
  let [at, start] = [0, 0];
  for (const reader of readers) {
    const own = await reader.digests();
    for (; at < addresses.length && addresses[at]! < start + reader.rows; at++) {
      const from = (addresses[at]! - start) * DIGEST_BYTES;
      digests.set(own.subarray(from, from + DIGEST_BYTES), at * DIGEST_BYTES);
    }
    start += reader.rows;
  }
  return orderByNumbers(seededRowNumbers({ purpose: 'mixture-order', seed: seedUsed }, digests), digests);
}

function countName(index: number): string {
  return index === 0 ? 'ofInput' : `ofDataset${index}`;
}

interface Draw {
  readonly labels: readonly string[];
  readonly held: readonly number[];
  readonly counts: readonly number[];
  readonly weights: readonly number[];
  readonly timesMax: number;
}

/** @throws HoldoutError `CONFLICT` where a dataset has too few rows, with what can be had */
function checkEnough({ labels, held, counts, weights, timesMax }: Draw): void {
  const short = counts.flatMap((count, index) => {
    const has = held[index]!;
    if (count <= has * timesMax) return [];
    const times = timesMax === 1 ? '' : `, ${timesMax} times each`;
    return [
      `${labels[index]!} has ${has.toLocaleString('en-US')}${times}, and ${count.toLocaleString('en-US')} are wanted`,
    ];
  });
  if (short.length === 0) return;
  const most = mixtureRows(
    weights,
    held.map((rows) => rows * timesMax),
    'smallest',
  );
  throw new HoldoutError('CONFLICT', `too few rows: ${short.join('; ')}`, {
    hint: `${most.toLocaleString('en-US')} rows can be had at these weights; repeat says how often a row may be taken`,
  });
}
