/**
 * Gathers the row digests of a table's files into one file, and computes its ids from them.
 * @module
 */
import { open, rename, rm } from 'node:fs/promises';
import type { SetRoot, TableId } from '../../../schemas/ids.ts';
import { formatSetRoot, formatTableId } from '../../identity/ids.ts';
import { setTree } from '../../merkle/set-tree.ts';
import { TableTreeBuilder } from '../../merkle/table-tree.ts';

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

/** The ids of a table of these digests. */
export async function tableIds(
  digestsPath: string,
  rows: number,
): Promise<{ readonly table: TableId; readonly setRoot: SetRoot }> {
  const digests = new Uint8Array(rows * 32);
  const tree = new TableTreeBuilder();
  const file = await open(digestsPath, 'r');
  try {
    let filled = 0;
    for (;;) {
      const { bytesRead } = await file.read(digests, filled, Math.min(stretchBytes, digests.length - filled), filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (filled !== digests.length) throw new RangeError(`expected ${digests.length} bytes of digests, got ${filled}`);
  } finally {
    await file.close();
  }
  for (let at = 0; at < digests.length; at += stretchBytes) tree.push(digests.subarray(at, at + stretchBytes));
  return {
    table: formatTableId(rows, tree.finish().root),
    setRoot: formatSetRoot(rows, setTree(digests).root),
  };
}
