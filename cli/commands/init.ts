/**
 * `holdout init`: makes a store.
 * @module
 */
import { dirname } from 'node:path';
import { Store } from '../../src/store/store.ts';
import type { Action } from '../command-spec.ts';
import { exitStatus } from '../exit-codes.ts';
import { writeJson, writeLines } from '../output.ts';

/** Makes `.holdout` in this folder, or where HOLDOUT_DIR says. */
export const init: Action = async ({ context }) => {
  const root = context.newStoreRoot();
  const store = await Store.init(root, { holdoutVersion: context.holdoutVersion, now: context.now() });
  context.atEnd(() => store.close());
  if (context.json) await writeJson({ store: root });
  else {
    await writeLines([
      `Made a store in ${root}`,
      `It serves ${dirname(root)} and the folders below. Next: holdout add NAME FILES… --role train|eval`,
    ]);
  }
  return exitStatus.ok;
};
