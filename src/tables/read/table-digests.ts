/**
 * Gathers the row digests of a table's files into one file, and computes its ids from them.
 * @module
 */
import { open, rename, rm } from 'node:fs/promises';
import type { SetRoot, TableId } from '../../../schemas/ids.ts';
import { formatSetRoot, formatTableId } from '../../identity/ids.ts';
import { setTreeOf } from '../../merkle/set-tree.ts';
import { TableTreeBuilder } from '../../merkle/table-tree.ts';
import { readDigests } from '../digest-file.ts';
import type { DigestFile } from '../digest-file.ts';

const stretchBytes = 1 << 20;

/** Puts files of digests end to end into one; they are gone afterwards. */
export async function joinDigests(paths: readonly string[], target: string): Promise<void> {
  const [first, ...rest] = paths;
  if (first === undefined) {
    await (await open(target, 'wx')).close();
    return;
  }
  await rename(first, target);
  const file = await open(target, 'a');
  try {
    for (const path of rest) {
      const source = await open(path, 'r');
      try {
        for await (const chunk of source.createReadStream({ highWaterMark: stretchBytes, autoClose: false })) {
          await file.writeFile(chunk as Buffer);
        }
      } finally {
        await source.close();
      }
      await rm(path);
    }
  } finally {
    await file.close();
  }
}

/**
 * The id of a table of these digests.
 * @throws HoldoutError `STORE_CORRUPT` when they are fewer than `rows`
 */
export async function tableIdOf(file: DigestFile): Promise<TableId> {
  const tree = new TableTreeBuilder();
  await readDigests(file, 0, file.rows, (digests) => tree.push(digests));
  return formatTableId(file.rows, tree.finish().root);
}

/**
 * The set root of a table of these digests. Takes a second for two million rows, and little memory.
 * @throws HoldoutError `STORE_CORRUPT` when they are fewer than `rows`
 */
export async function setRootOf(file: DigestFile): Promise<SetRoot> {
  const { root } = await setTreeOf(file.rows, (visit) => readDigests(file, 0, file.rows, visit));
  return formatSetRoot(file.rows, root);
}
