/**
 * `holdout/remove`: the input without the rows that a leak report names. Rows are matched by their digests, so that a
 * report on one version also cleans a later one.
 * @module
 */
import { z } from 'zod';
import { sha256Id } from '../schemas/ids.ts';
import { leakReport } from '../schemas/leak-report.ts';
import { digestBytesOf } from '../src/identity/ids.ts';
import { DIGEST_BYTES } from '../src/merkle/table-tree.ts';
import { type Transform, defineTransform } from '../src/lineage/transform.ts';
import { whyHit } from './why-hit.ts';

/** Removes the rows of a leak report's hits. */
export const remove: Transform = defineTransform({
  name: 'holdout/remove',
  version: 1,
  kind: 'selecting',
  summary: 'Leaves out the rows that a stored leak report names.',
  example: `remove: {report: "sha256:${'3f2a91c0'.repeat(8)}", hits: leak}`,
  params: z.strictObject({
    report: sha256Id.describe('Id of the stored leak report; `holdout remove` takes a prefix of it, or a file.'),
    hits: z
      .enum(['leak', 'all'])
      .describe('leak: rows of hits that count as leaks. all: rows of suspects and warnings too.'),
  }),
  describe: ({ report, hits }) =>
    `remove rows with ${hits === 'leak' ? 'leaking hits' : 'any hit'} in report ${report.slice(7, 19)}`,
  records: ({ report }) => [report],
  async run({ input, record }, { report, hits }) {
    const { hits: found } = await record(report, leakReport);
    const named = new Set(
      found.filter((hit) => hits === 'all' || hit.leak).map((hit) => keyOf(digestBytesOf(hit.row.digest), 0)),
    );
    const digests = await input.digests();
    const bitmap = new Uint8Array(Math.ceil(input.rows / 8));
    let removed = 0;
    for (let row = 0; row < input.rows; row++) {
      if (named.has(keyOf(digests, row * DIGEST_BYTES))) removed += 1;
      else bitmap[row >>> 3] = (bitmap[row >>> 3] ?? 0) | (1 << (row & 7));
    }
    return { kind: 'rows', keep: { bitmap }, counts: { removed, rowsNamed: named.size } };
  },
  async whyGone({ input, record }, { report, hits }, { rows }) {
    const read = await record(report, leakReport);
    return whyHit(read, await input.digests(), rows, {
      hits,
      nameOf: (index) => read.evals[index]?.name ?? 'an eval set',
    });
  },
});

function keyOf(digests: Uint8Array, at: number): string {
  return Buffer.from(digests.buffer, digests.byteOffset + at, DIGEST_BYTES).toString('latin1');
}
