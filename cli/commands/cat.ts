/**
 * `holdout cat`: a version's rows as JSONL, streamed.
 * @module
 */
import { finiteLines } from '../../src/tables/finite-json.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { versionEntry } from '../inputs.ts';
import { remarkNotFinite, write } from '../output.ts';
import { parseCount } from '../parse-options.ts';
import { openVersion } from '../snapshots.ts';

const newline = 10;

/** Streams the rows in order; stored lines in their own spelling, but for NaN and Infinity, which no JSON has. */
export const cat: Action = async ({ context, operands, options }) => {
  const limit = parseCount('--limit', options.text('limit')) ?? Number.POSITIVE_INFINITY;
  const store = await context.openStore();
  const entry = await versionEntry(store, operands[0] ?? '');
  const engine = await context.openEngine(store);
  const { reader } = await openVersion(context, store, engine, entry);
  let notFinite = 0;
  for await (const block of reader.jsonLines()) {
    if (block.firstRow >= limit) break;
    const wanted = limit - block.firstRow;
    const lines = finiteLines(wanted >= block.rows ? block.bytes : firstLines(block.bytes, wanted));
    notFinite += lines.replaced;
    await write(lines.bytes);
  }
  remarkNotFinite(notFinite);
  return exitStatus.ok;
};

function firstLines(bytes: Uint8Array, count: number): Uint8Array {
  let end = 0;
  for (let line = 0; line < count; line++) end = bytes.indexOf(newline, end) + 1;
  return bytes.subarray(0, end);
}
