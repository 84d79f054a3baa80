/**
 * What a sweep of the whole store would do: what its journal does not need goes, what it does need comes back.
 * @module
 */
import type { JournalEntry } from '../../schemas/records.ts';
import { HoldoutError } from '../errors.ts';
import { neededBy, neededByRecords } from './needs.ts';
import type { Need, NeedSources } from './needs.ts';
import { planSweep, quarantinedFiles, storedFiles, takeBack } from './quarantine.ts';
import type { SweepPlan } from './quarantine.ts';
import { cachedRealisations } from './realised-cache.ts';
import type { StoredKind } from './store-paths.ts';
import { checkFile } from './stored-files.ts';
import { verifyStructure } from './verify.ts';

/**
 * Plans a sweep. Layouts that are needed are taken back from quarantine at once, as they say what else is.
 * @throws HoldoutError `STORE_CORRUPT` also for a store that is damaged, as what it needs is not known; `IO`
 */
export async function planStoreSweep(
  sources: NeedSources,
  entries: readonly JournalEntry[],
  times: { readonly now: number; readonly graceMs: number },
): Promise<SweepPlan> {
  const { root } = sources;
  const needed = new Map<string, Need>();
  const need = (more: readonly Need[]): void => {
    for (const each of more) needed.set(`${each.kind} ${each.id}`, each);
  };
  for (const entry of entries) need(await neededBy(sources, entry));
  // What a step came to may stand in the cache alone; its rows can be made again, but not without its records.
  const cached = (await cachedRealisations(root)).map(({ realisation }) => realisation);
  need((await neededByRecords(sources, cached)).filter(({ kind }) => kind !== 'chunk'));
  // A layout that cannot be read hides the parts that it needs.
  for (const { kind, id } of needed.values()) {
    if (kind !== 'layout') continue;
    await takeBack(root, kind, id);
    if ((await checkFile(root, kind, id)) === 'ok') continue;
    throw new HoldoutError('STORE_CORRUPT', `the layout ${id} is missing or damaged: nothing is moved`, {
      hint: '`holdout verify` names the versions that need it',
    });
  }
  if ((await verifyStructure(root, sources.partsOf)).length > 0) {
    throw new HoldoutError('STORE_CORRUPT', 'the store is damaged: nothing is moved', {
      hint: '`holdout verify` says what is damaged',
    });
  }
  const files = { stored: await storedFiles(root), quarantined: await quarantinedFiles(root) };
  return planSweep(files, ({ kind, id }: { kind: StoredKind; id: string }) => needed.has(`${kind} ${id}`), times);
}
