/**
 * `holdout/perturb`: copies of the rows with their texts perturbed. What a copy becomes hangs on the row, the seed, the
 * number of the copy and the name of the column alone; `perturb/perturb-text.ts` says how.
 * @module
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { quoteIdentifier } from '../src/identity/sql-text.ts';
import { numberedBlock, rowsOfBlocks } from '../src/lineage/block-rows.ts';
import { textColumn } from '../src/lineage/row-values.ts';
import { seededStreams } from '../src/lineage/seeded-hash.ts';
import { type StepContext, type Transform, defineTransform } from '../src/lineage/transform.ts';
import { freeName } from '../src/tables/sql-types.ts';
import type { RowBlock } from '../src/tables/table-reader.ts';
import { columns, listed, seed } from './parameters.ts';
import { type Perturbation, perturbKinds, perturbText } from './perturb/perturb-text.ts';

const copiesMax = 32;
/** Bytes of rows whose copies are held at once. */
const blockBytesMax = 32 << 20;

/** Adds perturbed copies of the rows. */
export const perturb: Transform = defineTransform({
  name: 'holdout/perturb',
  version: 1,
  kind: 'row-adding',
  summary: 'Adds copies of the rows whose texts have typos, other case, or words left out or exchanged.',
  example: 'perturb: {columns: [instruction], kinds: [typo, case], rate: 0.1, seed: 7}',
  seeded: true,
  params: z.strictObject({
    columns: columns.describe('Text columns that are perturbed, each on its own; the others are copied.'),
    kinds: z
      .array(z.enum(perturbKinds))
      .min(1)
      .default(['typo', 'case', 'word-drop', 'word-swap'])
      .describe('What may happen to a word; one of them is drawn for each word that is perturbed.'),
    rate: z.number().min(0).max(1).default(0.1).describe('Share of the words that are perturbed, from 0 to 1.'),
    copies: z.int().positive().max(copiesMax).default(1).describe('Copies of each row.'),
    keep_original: z
      .boolean()
      .default(true)
      .describe('Whether the rows themselves stand before the copies. Copies that came out unchanged are left out.'),
    seed,
  }),
  describe: ({ columns: names, kinds, rate, copies, keep_original: originals, seed: drawn }) =>
    `${copies === 1 ? 'a copy' : `${copies} copies`} with ${listed(kinds)} in ${Number((rate * 100).toPrecision(12))} % ` +
    `of the words of ${listed(names)}${originals ? '' : ', originals left out'} (seed ${drawn})`,
  async run(context, { columns: names, copies, keep_original: originals, ...how }) {
    const { input } = context;
    for (const name of names) textColumn(input.schema, name);
    const digests = await input.digests();
    const made = new Uint32Array(input.rows * copies);
    let count = 0;
    const added = await rowsOfBlocks(
      context,
      input.schema,
      async (block) => {
        const copied = await copyBlock(context, block, { names, copies, digests, ...how });
        for (const at of copied.of) made[count++] = block.firstRow + at;
        return copied.sql;
      },
      { bytesMax: Math.ceil(blockBytesMax / copies) },
    );
    const madeOf = made.slice(0, count);
    const first = originals ? 0 : input.rows;
    return {
      kind: 'table',
      schema: input.schema,
      rows: Uint32Array.from({ length: input.rows + count - first }, (_, row) => first + row),
      added,
      madeOf,
      counts: { copies: count, unchangedCopies: input.rows * copies - count },
    };
  },
});

interface Copying extends Perturbation {
  readonly names: readonly string[];
  readonly copies: number;
  /** Of all rows of the table. */
  readonly digests: Uint8Array;
}

const table = 'holdout_copies';

/** A query of the copies of a block's rows, those of a row together, and of which row of the block each is. */
async function copyBlock(
  { input, engine, seed: drawn }: StepContext,
  block: RowBlock,
  { names, copies, digests, ...how }: Copying,
): Promise<{ readonly sql: string; readonly of: readonly number[] }> {
  const streamOf = seededStreams({ purpose: 'perturb', seed: drawn });
  const salts = names.map((name) => createHash('sha256').update(name).digest().readUInt32LE(0));
  const of: number[] = [];
  const texts: (string | null)[][] = names.map(() => []);
  let at = 0;
  const visit = (originals: readonly (string | null)[]): void => {
    for (let copy = 1; copy <= copies; copy++) {
      const perturbed = originals.map((text, index) =>
        text === null ? null : perturbText(text, how, streamOf(digests, block.firstRow + at, copy, salts[index]!)),
      );
      if (perturbed.every((text, index) => text === originals[index])) continue;
      of.push(at);
      for (const [index, text] of perturbed.entries()) texts[index]!.push(text);
    }
    at++;
  };
  // As bytes: text that begins with U+FEFF would lose it on the way.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const read = names.map((name) => `encode(${quoteIdentifier(name)}::VARCHAR)`).join(', ');
  await engine.scan(`SELECT ${read} FROM (${block.sql})`, (chunk) => {
    for (let row = 0; row < chunk.rows; row++) {
      const cells = names.map((_, column) => chunk.bytes(column, row));
      visit(cells.map((bytes) => (bytes === null ? null : decoder.decode(bytes))));
    }
  });
  await engine.registerTable(table, [
    { name: 'number', type: 'INTEGER', values: Int32Array.from(of, (_, index) => index) },
    { name: 'of', type: 'INTEGER', values: Int32Array.from(of) },
    ...texts.map((values, index) => ({ name: `text${index}`, type: 'VARCHAR' as const, values })),
  ]);
  const row = freeName(input.schema, 'holdout_row');
  const values = input.schema.columns.map(({ name }) => {
    const index = names.indexOf(name);
    return `${index < 0 ? `b.${quoteIdentifier(name)}` : `c.text${index}`} AS ${quoteIdentifier(name)}`;
  });
  const sql =
    `SELECT ${values.join(', ')} FROM (${numberedBlock(block, row)}) AS b JOIN ${table} AS c` +
    ` ON c."of" = b.${quoteIdentifier(row)} ORDER BY c.number`;
  return { sql, of };
}
