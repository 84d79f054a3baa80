/**
 * `holdout verify`: is the store whole?
 * @module
 */
import { relative } from 'node:path';
import { verifyStore } from '../../src/snapshots/verify.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { styled, writeJson, writeLines } from '../output.ts';
import { startProgress } from '../progress.ts';
import { formatBytes, plural } from '../text.ts';

const statusOf = { intact: exitStatus.ok, damaged: exitStatus.found, unchecked: exitStatus.cannotTell } as const;

/** Checks structure and bytes, with --read-data the rows too; names what is damaged and which versions it touches. */
export const verify: Action = async ({ context, options }) => {
  const store = await context.openStore();
  const readData = options.flag('readData');
  const engine = await context.openEngine(store);
  const progress = startProgress('verifying');
  const { total } = await store.stats();
  const result = await verifyStore(store, {
    readData,
    engine,
    onProgress: (bytes) => progress.update(bytes, total),
  }).finally(() => progress.end());
  const { ok, state, damages, versions, bytes, rows } = result;
  if (context.json) await writeJson({ ok, checked: { versions, bytes, rows }, problems: damages });
  else {
    const looked = `${plural(versions, 'version')}, ${formatBytes(bytes)}${readData ? `, ${plural(rows, 'stored row')}` : ''}`;
    await writeLines([
      {
        intact: styled('green', `Intact: ${looked}`),
        unchecked: styled('yellow', `Cannot tell: no damage was found in ${looked}, but rows could not be recomputed`),
        damaged: styled('red', `${plural(damages.length, 'problem')} in ${looked}`),
      }[state],
      ...damages.flatMap(({ problem, says, path, touches }) => [
        `  ${problem}: ${says}`,
        ...(path === null ? [] : [`    in ${relative(process.cwd(), path)}`]),
        `    touches ${touches.length === 0 ? 'no version' : touches.join(', ')}`,
      ]),
      ...(ok && !readData ? ['Rows were not recomputed from their bytes; --read-data does that.'] : []),
    ]);
  }
  return statusOf[state];
};
