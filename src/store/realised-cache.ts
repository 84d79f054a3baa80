/**
 * Which realisation a derivation came to, for those that no journal entry names: a step that gave what was there
 * already makes no version, and a step of a run that was interrupted belongs to none yet. Losing this cache costs a
 * run of the step, and never an answer.
 * @module
 */
import { z } from 'zod';
import { sha256Id } from '../../schemas/ids.ts';
import type { Sha256Id } from '../../schemas/ids.ts';
import { readCache, writeCache } from './cache-file.ts';
import type { TempFolder } from './temp-folder.ts';

const realised = z.strictObject({ derivation: sha256Id, realisation: sha256Id, layout: sha256Id });
const cacheFile = z.strictObject({ format: z.literal(1), realised: z.array(realised) });

/** A derivation, what it came to, and the layout file of the output. */
export type Realised = Readonly<z.infer<typeof realised>>;

/** The newest are kept. */
const realisedMax = 4096;

/** What the derivation came to, or null where the cache does not know. @throws HoldoutError `IO` */
export async function knownRealisation(root: string, derivation: Sha256Id): Promise<Realised | null> {
  return (await cachedRealisations(root)).findLast((each) => each.derivation === derivation) ?? null;
}

/** Keeps what a derivation came to. @throws HoldoutError `IO` */
export async function rememberRealisation(root: string, temp: TempFolder, fresh: Realised): Promise<void> {
  const others = (await cachedRealisations(root)).filter((each) => each.derivation !== fresh.derivation);
  await writeCache(root, temp, 'realised', { format: 1, realised: [...others, fresh].slice(-realisedMax) });
}

/** All that the cache knows, oldest first. @throws HoldoutError `IO` */
export async function cachedRealisations(root: string): Promise<readonly Realised[]> {
  const checked = cacheFile.safeParse(await readCache(root, 'realised'));
  return checked.success ? checked.data.realised : [];
}
